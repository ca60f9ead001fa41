// Class labels, checked before a kernel reads them.
#pragma once

#include "gradus/autograd/tensor.h"

namespace gradus {

// The labels as i32; an Error names the op, the row and the value of one that is not 0 ..
// classes-1.
inline std::vector<int32_t> checked_labels(const char* op, const Tensor& labels, int64_t rows,
                                           int64_t classes) {
  if (labels.rank() != 1 || labels.shape()[0] != rows)
    fail("{}: labels have shape {}; there are {} rows", op, labels.shape(), rows);
  if (labels.dtype() != DType::i32 && labels.dtype() != DType::i64)
    fail("{}: labels must be i32 or i64, got {}", op, to_string(labels.dtype()));
  std::vector<int32_t> values = labels.to_vector<int32_t>();
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i] < 0 || values[i] >= classes)
      fail("{}: the label {} of row {} is outside 0..{}", op, values[i], i, classes - 1);
  return values;
}

}  // namespace gradus
