#include "gradus/data/near_duplicates.h"

#include <algorithm>
#include <array>
#include <limits>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/base/spool.h"

namespace gradus {
namespace {

constexpr int64_t shingle = 5;                       // tokens
constexpr size_t bands = 21, rows = 3, minima = 64;  // the last one is not used
constexpr int64_t documents_at_once = 4096;

struct BandKey {
  uint64_t key;
  int64_t document;
  friend auto operator<=>(const BandKey&, const BandKey&) = default;
};

uint64_t mixed(uint64_t x) {  // the finaliser of MurmurHash3
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdull;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53ull;
  return x ^ (x >> 33);
}

// A hash of each five tokens in a row, of all of them where there are fewer.
template <class F>
void for_each_shingle(const TokenSpan& tokens, F&& f) {
  const int64_t length = std::min(shingle, tokens.size());
  for (int64_t i = 0; i + length <= tokens.size(); ++i) {
    uint64_t hash = 0;
    for (int64_t j = i; j < i + length; ++j)
      hash = mixed(hash + static_cast<uint64_t>(tokens[j]) + 0x9e3779b97f4a7c15ull);
    f(hash);
  }
}

std::array<BandKey, bands> band_keys(const TokenSpan& tokens, int64_t document) {
  constexpr uint64_t none = std::numeric_limits<uint64_t>::max();
  std::array<uint64_t, minima> smallest;
  smallest.fill(none);
  for_each_shingle(tokens, [&](uint64_t hash) {
    uint64_t& least = smallest[hash >> 58];
    least = std::min(least, hash);
  });
  // a place without a shingle borrows from the next that has one
  std::array<uint64_t, minima> full = smallest;
  for (size_t i = 0; i < minima; ++i)
    for (size_t step = 1; full[i] == none && step <= minima; ++step)
      if (const uint64_t other = smallest[(i + step) % minima]; other != none)
        full[i] = mixed(other + step);
  std::array<BandKey, bands> keys;
  for (size_t b = 0; b < bands; ++b) {
    uint64_t key = b;
    for (size_t r = 0; r < rows; ++r) key = mixed(key + full[b * rows + r]);
    keys[b] = {key, document};
  }
  return keys;
}

std::vector<uint64_t> shingles(const TokenSpan& tokens) {
  std::vector<uint64_t> all;
  for_each_shingle(tokens, [&](uint64_t hash) { all.push_back(hash); });
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

double jaccard(const TokenSpan& a, const TokenSpan& b) {
  const auto x = shingles(a), y = shingles(b);
  size_t both = 0;
  for (size_t i = 0, j = 0; i < x.size() && j < y.size();) {
    both += x[i] == y[j];
    const bool step_x = x[i] <= y[j], step_y = y[j] <= x[i];
    i += step_x, j += step_y;
  }
  return static_cast<double>(both) / static_cast<double>(x.size() + y.size() - both);
}

}  // namespace

std::vector<bool> near_duplicates(int64_t documents,
                                  const std::function<TokenSpan(int64_t)>& tokens,
                                  double similarity, const std::filesystem::path& scratch) {
  check(similarity > 0 && similarity <= 1,
        "a similarity of {}: it is a share of what two documents have together, above 0 to 1",
        similarity);
  Spool<BandKey> keys(scratch);
  std::vector<std::array<BandKey, bands>> block;
  for (int64_t begin = 0; begin < documents; begin += documents_at_once) {
    block.resize(static_cast<size_t>(std::min(documents_at_once, documents - begin)));
    parallel_for(std::ssize(block), 16, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i)
        block[static_cast<size_t>(i)] = band_keys(tokens(begin + i), begin + i);
    });
    for (const auto& of_one : block) keys.append(of_one);
  }

  std::vector<bool> like_another(static_cast<size_t>(documents));
  BandKey first{0, -1}, previous{0, -1};
  external_sort(keys, [&](const BandKey& now) {
    if (first.document < 0 || now.key != first.key) first = now;
    else if (!like_another[static_cast<size_t>(now.document)]) {
      const auto is_like = [&](const BandKey& other) {
        return jaccard(tokens(other.document), tokens(now.document)) >= similarity;
      };
      if (is_like(first) || (previous.document != first.document && is_like(previous)))
        like_another[static_cast<size_t>(now.document)] = true;
    }
    previous = now;
  });
  return like_another;
}

}  // namespace gradus
