// Which words stand near each other in a corpus, as the positive pointwise mutual information of
// each pair (Church and Hanks 1990), smoothed and made symmetric as word vectors want it (Levy,
// Goldberg and Dagan 2015, "Improving distributional similarity with lessons learned from word
// embeddings").
//
//   C[w, c]   = sum of 1 / distance over the pairs at most `window` tokens apart, both ways, inside
//               a training document, times its weight (corpus_file.h)
//   P[w, c]   = max(0, log(C[w, c] / (sum of C[w, ·] q(c)))),   q(c) ~ (sum of C[c, ·])^0.75
//   row w     = (P[w, c] + P[c, w]) / 2 where it is above 0
//
// Counts are whole numbers (sixtieths; they stop at 2^32 - 1), so that they are the same in any
// order, on any number of threads. Memory does not grow with the corpus: where more pairs than
// `most_pairs` are left, the rarest are dropped, by the smallest threshold of 2^k sixtieths that
// does.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "gradus/data/corpus_file.h"

namespace gradus {

struct CooccurrenceOptions {
  int window = 5;  // 1 … 5
  int64_t most_pairs = int64_t{64} << 20;
};

// A symmetric sparse matrix [vocabulary, vocabulary].
class PositivePmi {
 public:
  explicit PositivePmi(const CorpusFile& corpus, const CooccurrenceOptions& options = {});

  int64_t size() const { return static_cast<int64_t>(frequencies_.size()); }
  int64_t pairs() const;
  // columns ascending
  std::span<const int32_t> columns(int64_t row) const;
  std::span<const float> values(int64_t row) const;
  // how often each token stands in the training documents, times their weights
  const std::vector<int64_t>& frequencies() const { return frequencies_; }

  // y = this x; x, y [size, width], row-major
  void multiply(const float* x, float* y, int64_t width) const;

 private:
  // some rows, one after the other
  struct Block {
    std::vector<int64_t> begin;  // of each row, and the end
    std::vector<int32_t> columns;
    std::vector<uint32_t> counts;  // sixtieths
    std::vector<float> values;
    void drop_below(uint32_t threshold);  // pairs whose count is less
  };
  Block counted(const CorpusFile& corpus, int64_t first, int64_t last) const;
  void add_marginals(const CorpusFile& corpus);
  void count_pairs(const CorpusFile& corpus, int64_t most);
  void set_values(Block& block, int64_t place) const;
  float value(int64_t row, int64_t column, uint32_t count) const;

  int window_;
  std::vector<int64_t> frequencies_;
  std::vector<double> log_sum_, log_q_;  // of C[w, ·], of q(c)
  int64_t rows_a_block_ = 1;
  std::vector<Block> blocks_;
};

}  // namespace gradus
