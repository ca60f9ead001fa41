#include "gradus/data/cooccurrence.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <mutex>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"

namespace gradus {
namespace {

constexpr int widest = 5;
constexpr uint32_t sixtieths[widest + 1] = {0, 60, 30, 20, 15, 12};  // 60 / distance
constexpr int64_t dense_bytes = int64_t{32} << 20;  // of a block while it is counted

// f(tokens of the document, their number, how often it counts) of each training document, in order.
// Documents of weight w count w times together: each the whole times by which w's sum grows.
template <class F>
void for_each_document(const CorpusFile& corpus, F&& f) {
  std::vector<double> weights(corpus.info().files.size());  // so far
  for (const int64_t d : corpus.documents(Split::train)) {
    const TokenSpan tokens = corpus.tokens_of(d);
    const auto file = static_cast<size_t>(corpus.document(d).file);
    const double before = std::floor(weights[file] + 0.5);
    weights[file] += corpus.info().files[file].weight;
    if (const auto times = static_cast<uint32_t>(std::floor(weights[file] + 0.5) - before))
      f(tokens, tokens.size(), times);
  }
}

}  // namespace

PositivePmi::PositivePmi(const CorpusFile& corpus, const CooccurrenceOptions& options)
    : window_(options.window), frequencies_(static_cast<size_t>(corpus.vocabulary().size())) {
  check(options.window >= 1 && options.window <= widest,
        "co-occurrence: a window of {} tokens; it is 1 to {}", options.window, widest);
  check(options.most_pairs > 0, "co-occurrence: {} pairs at most; that is above 0",
        options.most_pairs);
  add_marginals(corpus);
  count_pairs(corpus, options.most_pairs);
  parallel_for(static_cast<int64_t>(blocks_.size()), 1,
               [&](int64_t b, int64_t) { set_values(blocks_[static_cast<size_t>(b)], b); });
}

// Block by block, on all threads; wherever there are more than `most` pairs, the rarest go, by a
// threshold that doubles.
void PositivePmi::count_pairs(const CorpusFile& corpus, int64_t most) {
  rows_a_block_ =
      std::clamp<int64_t>(dense_bytes / (size() * int64_t{sizeof(uint32_t)}), 1, size());
  blocks_.resize(static_cast<size_t>((size() + rows_a_block_ - 1) / rows_a_block_));

  std::mutex mutex;
  std::array<int64_t, 33> at_least{};  // pairs with a count of 2^k and more
  uint32_t threshold = 1;
  parallel_for(static_cast<int64_t>(blocks_.size()), 1, [&](int64_t b, int64_t) {
    Block block = counted(corpus, b * rows_a_block_, std::min(size(), (b + 1) * rows_a_block_));
    std::array<int64_t, 33> with_bits{};
    for (const uint32_t count : block.counts)
      ++with_bits[static_cast<size_t>(std::bit_width(count))];
    const std::lock_guard lock(mutex);
    int64_t more = 0;
    for (size_t bits = with_bits.size() - 1; bits > 0; --bits)
      more += with_bits[bits], at_least[bits - 1] += more;
    const uint32_t before = threshold;
    while (threshold < 1U << 31 &&
           at_least[static_cast<size_t>(std::bit_width(threshold)) - 1] > most)
      threshold *= 2;
    blocks_[static_cast<size_t>(b)] = std::move(block);
    if (threshold == before) return blocks_[static_cast<size_t>(b)].drop_below(threshold);
    for (Block& counted_before : blocks_) counted_before.drop_below(threshold);
  });
}

void PositivePmi::Block::drop_below(uint32_t threshold) {
  size_t kept = 0;
  for (size_t row = 0, pair = 0; row + 1 < begin.size(); ++row) {
    for (const auto end = static_cast<size_t>(begin[row + 1]); pair < end; ++pair)
      if (counts[pair] >= threshold) {
        columns[kept] = columns[pair];
        counts[kept++] = counts[pair];
      }
    begin[row + 1] = static_cast<int64_t>(kept);
  }
  columns.resize(kept);
  counts.resize(kept);
  columns.shrink_to_fit();
  counts.shrink_to_fit();
}

// The values in place of the counts, of the block number `place`.
void PositivePmi::set_values(Block& block, int64_t place) const {
  block.values.resize(block.columns.size());
  for (size_t row = 0, pair = 0; row + 1 < block.begin.size(); ++row)
    for (; pair < static_cast<size_t>(block.begin[row + 1]); ++pair)
      block.values[pair] = value(place * rows_a_block_ + static_cast<int64_t>(row),
                                 block.columns[pair], block.counts[pair]);
  block.counts = {};
}

// The frequencies, and the sums over the rows of C, which need no pairs.
void PositivePmi::add_marginals(const CorpusFile& corpus) {
  std::vector<uint64_t> sums(frequencies_.size());
  for_each_document(corpus, [&](const TokenSpan& tokens, int64_t n, uint32_t times) {
    uint32_t inside = 0;
    for (int k = 1; k <= window_; ++k) inside += 2 * sixtieths[k];
    for (int64_t i = 0; i < n; ++i) {
      uint32_t sum = inside;
      for (int k = 1; k <= window_; ++k)
        sum -= sixtieths[k] * (uint32_t{i < k} + uint32_t{i + k >= n});
      const auto token = static_cast<size_t>(tokens[i]);
      frequencies_[token] += times;
      sums[token] += uint64_t{times} * sum;
    }
  });
  double total = 0;
  for (const uint64_t sum : sums) total += std::pow(static_cast<double>(sum), 0.75);
  for (const uint64_t sum : sums) {  // of words that are never seen nothing is asked
    log_sum_.push_back(std::log(static_cast<double>(sum)));
    log_q_.push_back(0.75 * log_sum_.back() - std::log(total));
  }
}

float PositivePmi::value(int64_t row, int64_t column, uint32_t count) const {
  const auto w = static_cast<size_t>(row), c = static_cast<size_t>(column);
  const double log_count = std::log(static_cast<double>(count));
  return static_cast<float>((std::max(0.0, log_count - log_sum_[w] - log_q_[c]) +
                             std::max(0.0, log_count - log_sum_[c] - log_q_[w])) /
                            2);
}

// Rows first … last - 1, without the pairs whose value is 0.
PositivePmi::Block PositivePmi::counted(const CorpusFile& corpus, int64_t first,
                                        int64_t last) const {
  std::vector<uint32_t> dense(static_cast<size_t>((last - first) * size()));
  const auto add = [](uint32_t& count, uint32_t weight) {
    count = count > std::numeric_limits<uint32_t>::max() - weight
                ? std::numeric_limits<uint32_t>::max()
                : count + weight;
  };
  for_each_document(corpus, [&](const TokenSpan& tokens, int64_t n, uint32_t times) {
    for (int64_t i = 0; i < n; ++i) {
      const int64_t row = tokens[i] - first;
      if (row < 0 || row >= last - first) continue;
      uint32_t* counts = dense.data() + row * size();
      for (int k = 1; k <= window_; ++k) {
        if (i >= k) add(counts[tokens[i - k]], times * sixtieths[k]);
        if (i + k < n) add(counts[tokens[i + k]], times * sixtieths[k]);
      }
    }
  });
  Block block;
  block.begin.push_back(0);
  for (int64_t row = first; row < last; ++row) {
    const uint32_t* counts = dense.data() + (row - first) * size();
    for (int64_t column = 0; column < size(); ++column)
      if (counts[column] && value(row, column, counts[column]) > 0) {
        block.columns.push_back(static_cast<int32_t>(column));
        block.counts.push_back(counts[column]);
      }
    block.begin.push_back(static_cast<int64_t>(block.columns.size()));
  }
  return block;
}

int64_t PositivePmi::pairs() const {
  int64_t count = 0;
  for (const Block& block : blocks_) count += static_cast<int64_t>(block.columns.size());
  return count;
}

std::span<const int32_t> PositivePmi::columns(int64_t row) const {
  const Block& block = blocks_[static_cast<size_t>(row / rows_a_block_)];
  const auto at = static_cast<size_t>(row % rows_a_block_);
  return {block.columns.data() + block.begin[at], block.columns.data() + block.begin[at + 1]};
}

std::span<const float> PositivePmi::values(int64_t row) const {
  const Block& block = blocks_[static_cast<size_t>(row / rows_a_block_)];
  const auto at = static_cast<size_t>(row % rows_a_block_);
  return {block.values.data() + block.begin[at], block.values.data() + block.begin[at + 1]};
}

void PositivePmi::multiply(const float* x, float* y, int64_t width) const {
  parallel_for(size(), 32, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      float* to = y + row * width;
      std::fill_n(to, width, 0.0f);
      const auto column = columns(row);
      const auto of = values(row);
      for (size_t pair = 0; pair < column.size(); ++pair) {
        const float* from = x + column[pair] * width;
        const float factor = of[pair];
        for (int64_t i = 0; i < width; ++i) to[i] += factor * from[i];
      }
    }
  });
}

}  // namespace gradus
