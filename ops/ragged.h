// Ragged: how the rows of a [tokens, …] matrix belong to sequences. A batch is all its tokens one
// under the other; nothing is padded anywhere. `first` is the index of the first sequence in the
// accumulated batch, so that dropout draws the same however the batch is cut into micro-batches. A
// value; copies share.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace gradus {

class Ragged {
 public:
  // An Error where a length is not positive.
  explicit Ragged(const std::vector<int64_t>& lengths, int64_t first = 0);
  static Ragged equal(int64_t sequences, int64_t length) {
    return Ragged(std::vector<int64_t>(static_cast<size_t>(sequences), length));
  }
  int64_t sequences() const { return static_cast<int64_t>(data_->offsets.size()) - 1; }
  int64_t tokens() const { return data_->offsets.back(); }
  int64_t begin(int64_t sequence) const { return data_->offsets[static_cast<size_t>(sequence)]; }
  int64_t end(int64_t sequence) const { return data_->offsets[static_cast<size_t>(sequence) + 1]; }
  int64_t length(int64_t sequence) const { return end(sequence) - begin(sequence); }
  int64_t longest() const { return data_->longest; }
  int64_t first() const { return data_->first; }
  // of each row: its sequence in the accumulated batch,
  const uint32_t* row_sequence() const { return data_->row_sequence.data(); }
  // and its position in that sequence
  const uint32_t* row_position() const { return data_->row_position.data(); }
  // the row of each sequence's first token ([CLS])
  std::vector<int32_t> first_rows() const;
  // the same sequences with a single row each (pooled outputs)
  Ragged one_row_each() const;

 private:
  struct Data {
    std::vector<int64_t> offsets;
    std::vector<uint32_t> row_sequence, row_position;
    int64_t longest = 0, first = 0;
  };
  std::shared_ptr<const Data> data_;
};

}  // namespace gradus
