#include "gradus/data/cooccurrence.h"

#include <algorithm>
#include <cmath>

#include "gradus/base/parallel.h"
#include "tests/data/corpora.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

// C and the PMI by the formulas, pair by pair, in floating point.
std::vector<double> expected_pmi(const CorpusFile& corpus, int window, double least = 0) {
  const auto words = static_cast<size_t>(corpus.vocabulary().size());
  std::vector<double> count(words * words), sum(words), value(words * words);
  for (const int64_t d : corpus.documents(Split::train)) {
    std::vector<int32_t> ids;
    corpus
        .tokens(corpus.first_token(corpus.first_sentence(d)),
                corpus.first_token(corpus.first_sentence(d + 1)))
        .append_to(ids);
    for (size_t i = 0; i < ids.size(); ++i)
      for (size_t j = 0; j < ids.size(); ++j) {
        const double distance = std::abs(static_cast<double>(i) - static_cast<double>(j));
        if (i != j && distance <= window)
          count[static_cast<size_t>(ids[i]) * words + static_cast<size_t>(ids[j])] += 1 / distance;
      }
  }
  double total = 0;
  for (size_t w = 0; w < words; ++w) {
    for (size_t c = 0; c < words; ++c) sum[w] += count[w * words + c];
    total += std::pow(sum[w], 0.75);
  }
  for (size_t w = 0; w < words; ++w)
    for (size_t c = 0; c < words; ++c) {
      const double pair = count[w * words + c];
      const auto one = [&](size_t a, size_t b) {
        return std::max(0.0, std::log(pair / (sum[a] * std::pow(sum[b], 0.75) / total)));
      };
      if (pair > 0 && pair > least) value[w * words + c] = (one(w, c) + one(c, w)) / 2;
    }
  return value;
}

std::vector<double> dense(const PositivePmi& pmi) {
  std::vector<double> all(static_cast<size_t>(pmi.size() * pmi.size()));
  for (int64_t row = 0; row < pmi.size(); ++row) {
    const auto columns = pmi.columns(row);
    const auto values = pmi.values(row);
    CHECK(std::is_sorted(columns.begin(), columns.end()));
    for (size_t i = 0; i < columns.size(); ++i)
      all[static_cast<size_t>(row * pmi.size() + columns[i])] = static_cast<double>(values[i]);
  }
  return all;
}

double largest_gap(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double gap = 0;
  for (size_t i = 0; i < a.size(); ++i) gap = std::max(gap, std::abs(a[i] - b[i]));
  return gap;
}

}  // namespace

TEST_CASE("positive PMI is what its formula says, held-out documents left out") {
  const Scratch scratch;
  write_topics(scratch / "topics.gds");
  write_numbered_corpus(scratch / "numbers.gds", 30, 5, 9, 23);
  for (const char* name : {"topics.gds", "numbers.gds"}) {
    const CorpusFile corpus = CorpusFile::open(scratch / name);
    for (const int window : {1, 3, 5}) {
      const PositivePmi pmi(corpus, {.window = window});
      CHECK(largest_gap(dense(pmi), expected_pmi(corpus, window)) < 1e-5);
    }
  }
  CHECK(error_of([&] { PositivePmi(CorpusFile::open(scratch / "topics.gds"), {.window = 6}); }) ==
        "co-occurrence: a window of 6 tokens; it is 1 to 5");
}

TEST_CASE("a document counts as often as its weight says") {
  const Scratch scratch;
  const Tokenizer tokenizer(numbered_vocabulary(12));
  // Documents by number, each `times` times, of a file of that weight.
  const auto counted = [&](std::vector<int> documents, int times, double weight) {
    CorpusWriter writer(scratch / "c.gds", tokenizer);
    for (const int d : documents)
      for (int i = 0; i < times; ++i) {
        writer.add_sentence(std::vector<int32_t>{5 + d, 6 + d, 5 + d, 9, 10 + d});
        writer.end_document(0);
      }
    writer.finish({.files = {{"a", 0, 0, weight}},
                   .lines = 0,
                   .duplicate_lines = 0,
                   .documents = "blank",
                   .sentences = "line",
                   .seed = 1});
    const PositivePmi pmi(CorpusFile::open(scratch / "c.gds"));
    return std::pair(dense(pmi), pmi.frequencies());
  };
  CHECK(counted({0, 1, 2, 3}, 1, 3) == counted({0, 1, 2, 3}, 3, 1));
  CHECK(counted({0, 1, 2, 3}, 1, 0.5) == counted({0, 2}, 1, 1));
  CHECK(counted({0, 1, 2, 3}, 1, 3) != counted({0, 1, 2, 3}, 1, 1));
  int64_t tokens = 0;
  for (const int64_t n : counted({0, 1, 2, 3}, 1, 1.5).second) tokens += n;
  CHECK(tokens == 4 * 5 * 3 / 2);
}

TEST_CASE("more pairs than there is room for: the rarest go, on any number of threads the same") {
  const Scratch scratch;
  write_topics(scratch / "topics.gds");
  const CorpusFile corpus = CorpusFile::open(scratch / "topics.gds");
  const PositivePmi all(corpus);
  std::vector<std::vector<double>> found;
  for (const int threads : {1, 3}) {
    const Threads scope(threads);
    found.push_back(dense(PositivePmi(corpus, {.window = 5, .most_pairs = all.pairs() / 2})));
  }
  CHECK(found[0] == found[1]);
  int64_t kept = 0;
  for (const double value : found[0]) kept += value > 0;
  CHECK(kept > 0);
  CHECK(kept <= all.pairs() / 2);
  // a threshold of 2^k sixtieths explains what is left
  double least = 1 / 60.0, gap = 1;
  for (; least < 100 && gap > 1e-5; least *= 2)
    gap = largest_gap(found[0], expected_pmi(corpus, 5, least * 0.9999));
  CHECK(gap < 1e-5);
}

TEST_CASE("a product with the sparse matrix is that with the dense one") {
  const Scratch scratch;
  write_topics(scratch / "topics.gds");
  const PositivePmi pmi(CorpusFile::open(scratch / "topics.gds"));
  const std::vector<double> matrix = dense(pmi);
  const int64_t n = pmi.size(), width = 7;
  Random random(3);
  std::vector<float> x(static_cast<size_t>(n * width)), y(x.size());
  for (float& v : x) v = static_cast<float>(random.normal());
  pmi.multiply(x.data(), y.data(), width);
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < width; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < n; ++k)
        sum += matrix[static_cast<size_t>(i * n + k)] *
               static_cast<double>(x[static_cast<size_t>(k * width + j)]);
      CHECK(static_cast<double>(y[static_cast<size_t>(i * width + j)]) ==
            doctest::Approx(sum).epsilon(1e-5));
    }
}
