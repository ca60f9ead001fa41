// Class labels, checked before a kernel reads them.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "gradus/autograd/tensor.h"
#include "gradus/ops/ops.h"

namespace gradus {

// The labels as a kernel wants them: i32, -1 where ignored. An Error names the op, the row and the
// value of one that is neither 0 .. classes-1 nor ignore_index.
inline std::vector<int32_t> checked_labels(const char* op, const Tensor& labels, int64_t rows,
                                           int64_t classes,
                                           std::optional<int64_t> ignore_index = {}) {
  if (labels.rank() != 1 || labels.shape()[0] != rows)
    fail("{}: labels have shape {}; there are {} rows", op, labels.shape(), rows);
  if (labels.dtype() != DType::i32 && labels.dtype() != DType::i64)
    fail("{}: labels must be i32 or i64, got {}", op, to_string(labels.dtype()));
  const std::vector<int64_t> values = labels.to_vector<int64_t>();
  std::vector<int32_t> checked(values.size(), -1);
  for (size_t i = 0; i < values.size(); ++i) {
    if (ignore_index && values[i] == *ignore_index) continue;
    if (values[i] < 0 || values[i] >= classes)
      fail("{}: the label {} of row {} is outside 0..{}{}", op, values[i], i, classes - 1,
           ignore_index ? fmt::format(" and not the ignored {}", *ignore_index) : "");
    checked[i] = static_cast<int32_t>(values[i]);
  }
  return checked;
}

// The denominator of a loss: the given one, or the number of labels that count, at least 1.
inline double loss_denominator(const LossOptions& options, const Tensor& labels) {
  if (options.denominator) return *options.denominator;
  int64_t counted = labels.numel();
  if (options.ignore_index)
    for (const int64_t label : labels.to_vector<int64_t>())
      counted -= label == *options.ignore_index;
  return static_cast<double>(std::max<int64_t>(counted, 1));
}

}  // namespace gradus
