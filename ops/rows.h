// What ops over the last axis share: tensors as rows, blocks of rows cut by size, and sums over
// rows whose order never depends on threads.
#pragma once

#include "gradus/autograd/node.h"
#include "gradus/base/parallel.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/ops.h"

namespace gradus {

inline int64_t row_length(const char* op, const Tensor& x) {
  check(x.rank() >= 1, "{}: the tensor has no axes; it needs a last axis to work along", op);
  return x.shape()[-1];
}
// The same for ops that take a row's mean.
inline int64_t filled_row_length(const char* op, const Tensor& x) {
  const int64_t n = row_length(op, x);
  if (n == 0)
    fail("{}: the last axis of the shape {} is empty; a mean needs an element", op, x.shape());
  return n;
}
inline int64_t row_count(const Tensor& x) { return x.shape()[-1] ? x.numel() / x.shape()[-1] : 0; }
// The product of all sizes but the last: the rows of a tensor even where they are empty.
inline int64_t leading_size(const Shape& shape) {
  int64_t rows = 1;
  for (int axis = 0; axis + 1 < shape.rank(); ++axis) rows *= shape[axis];
  return rows;
}

// A matrix as rows of unit stride that may lie apart, as columns of a wider one do: what GEMM and
// some kernels take with a leading dimension.
struct RowView {
  Tensor tensor;
  int64_t ld;
};
inline RowView rows_of(const Tensor& x) {
  const int64_t n = x.shape()[1];
  if (x.shape()[0] > 1 && n > 0 && x.strides()[1] == 1 && x.strides()[0] >= n)
    return {x, x.strides()[0]};
  return {contiguous(x), std::max<int64_t>(n, 1)};
}

// Rows per block, for kernels that go once over memory. Depends on the length of rows alone.
inline int64_t rows_per_block(int64_t length) {
  return std::max<int64_t>(1, element_block / std::max<int64_t>(length, 1));
}

// Calls f(first_row, rows) for the blocks.
template <class F>
void for_row_blocks(int64_t rows, int64_t length, F&& f) {
  parallel_for(rows, rows_per_block(length),
               [&](int64_t begin, int64_t end) { f(begin, end - begin); });
}

// Calls f(first_row, rows, partial) for the blocks, partial a zeroed buffer of `width` sums that f
// adds into; the partials are then added in order into sums.
template <class T, class F>
void for_row_blocks_summing(int64_t rows, int64_t length, int64_t width, T* sums, F&& f) {
  const int64_t grain = rows_per_block(length), blocks = (rows + grain - 1) / grain;
  Tensor partials = zeros({blocks, width}, dtype_of<T>);
  T* partial = partials.write<T>();
  parallel_for(rows, grain, [&](int64_t begin, int64_t end) {
    f(begin, end - begin, partial + begin / grain * width);
  });
  parallel_for(width, 512, [&](int64_t begin, int64_t end) {
    for (int64_t b = 0; b < blocks; ++b)
      for (int64_t j = begin; j < end; ++j) sums[j] += partial[b * width + j];
  });
}

// (sequence, position) of each row for dropout: of the given batch, or row r of one sequence.
struct RowNumbers {
  std::vector<uint32_t> own_sequence, own_position;
  const uint32_t *sequence, *position;
  RowNumbers(const char* op, const std::optional<Ragged>& rows, int64_t count) {
    if (rows) {
      if (rows->tokens() != count)
        fail("{}: the tensor has {} rows, the batch {} tokens", op, count, rows->tokens());
      sequence = rows->row_sequence();
      position = rows->row_position();
      return;
    }
    own_sequence.assign(static_cast<size_t>(count), 0);
    own_position.resize(static_cast<size_t>(count));
    for (size_t r = 0; r < own_position.size(); ++r) own_position[r] = static_cast<uint32_t>(r);
    sequence = own_sequence.data();
    position = own_position.data();
  }
};

}  // namespace gradus
