#include "gradus/train/word_vectors.h"

#include <cmath>

#include "gradus/base/parallel.h"
#include "tests/data/corpora.h"

using namespace gradus;
using namespace gradus::testing;

TEST_CASE("word vectors span the leading eigenvectors of the PMI; words never seen get noise") {
  const Scratch scratch;
  write_topics(scratch / "topics.gds");
  const PositivePmi pmi(CorpusFile::open(scratch / "topics.gds"));
  const int64_t n = pmi.size(), width = 6;
  const WordVectors words = word_vectors(pmi, width, 1);
  // S E = c E (E^T E): E = U L^(1/2) R for eigenvectors U, up to its scale
  const auto at = [&](int64_t w, int64_t i) {
    return static_cast<double>(words.vectors[static_cast<size_t>(w * width + i)]);
  };
  const auto is_seen = [&](int64_t w) { return pmi.frequencies()[static_cast<size_t>(w)] > 0; };
  std::vector<double> gram(static_cast<size_t>(width * width));
  double squares = 0, seen = 0;
  for (int64_t w = 0; w < n; ++w) {
    if (!is_seen(w)) continue;
    ++seen;
    for (int64_t i = 0; i < width; ++i)
      for (int64_t j = 0; j < width; ++j)
        gram[static_cast<size_t>(i * width + j)] += at(w, i) * at(w, j);
    for (int64_t i = 0; i < width; ++i) squares += at(w, i) * at(w, i);
  }
  CHECK(squares / (seen * static_cast<double>(width)) == doctest::Approx(1).epsilon(1e-4));
  std::vector<float> product(words.vectors.size());
  pmi.multiply(words.vectors.data(), product.data(), width);
  double xy = 0, xx = 0, yy = 0;
  for (int64_t w = 0; w < n; ++w) {
    if (!is_seen(w)) continue;
    for (int64_t i = 0; i < width; ++i) {
      double y = 0;
      for (int64_t j = 0; j < width; ++j) y += at(w, j) * gram[static_cast<size_t>(j * width + i)];
      const auto x = static_cast<double>(product[static_cast<size_t>(w * width + i)]);
      xy += x * y, xx += x * x, yy += y * y;
    }
  }
  CHECK(xy / std::sqrt(xx * yy) > 0.999);

  double noise = 0, unseen = 0;
  for (int64_t w = 0; w < n; ++w)
    for (int64_t i = 0; i < width && !is_seen(w); ++i) noise += at(w, i) * at(w, i), ++unseen;
  REQUIRE(unseen > 0);
  CHECK(std::sqrt(noise / unseen) == doctest::Approx(0.1).epsilon(0.3));

  double probability = 0;
  for (const float log_p : words.log_frequency) probability += std::exp(static_cast<double>(log_p));
  CHECK(probability == doctest::Approx(1).epsilon(1e-5));
}

TEST_CASE("words of one topic are near each other") {
  const Scratch scratch;
  write_topics(scratch / "topics.gds");
  const WordVectors words =
      word_vectors(PositivePmi(CorpusFile::open(scratch / "topics.gds")), 4, 5);
  const auto product = [&](int a, int b) {
    double sum = 0;
    for (int i = 0; i < 4; ++i)
      sum += static_cast<double>(words.vectors[static_cast<size_t>(4 * a + i)]) *
             static_cast<double>(words.vectors[static_cast<size_t>(4 * b + i)]);
    return sum;
  };
  double within = 0, across = 0;
  for (int a = 0; a < 20; ++a)
    for (int b = 0; b < 20; ++b) {
      if (a != b) within += product(5 + a, 5 + b) + product(25 + a, 25 + b);
      across += product(5 + a, 25 + b) + product(25 + a, 5 + b);
    }
  CHECK(within / 760 > across / 800 + 0.5);
}

TEST_CASE("word vectors are the same bits from the same seed on any number of threads") {
  const Scratch scratch;
  write_topics(scratch / "topics.gds");
  const CorpusFile corpus = CorpusFile::open(scratch / "topics.gds");
  std::vector<WordVectors> found;
  for (const auto& [threads, seed] : {std::pair{1, 1}, {3, 1}, {1, 2}}) {
    const Threads scope(threads);
    found.push_back(word_vectors(PositivePmi(corpus), 8, static_cast<uint64_t>(seed)));
  }
  CHECK(found[0].vectors == found[1].vectors);
  CHECK(found[0].vectors != found[2].vectors);
  // as many features as words, and more: what cannot be known is 0
  for (const float v : word_vectors(PositivePmi(corpus), 80, 1).vectors) CHECK(std::isfinite(v));
}
