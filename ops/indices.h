// Indices, checked before a kernel reads them.
#pragma once

#include <atomic>

#include "gradus/ops/elementwise.h"
#include "gradus/ops/ops.h"

namespace gradus {

// f.operator()<int32_t>() or <int64_t>(): the one place where the dtype of indices becomes a type.
template <class F>
decltype(auto) dispatch_index(const char* op, DType dtype, F&& f) {
  if (dtype == DType::i32) return f.template operator()<int32_t>();
  if (dtype == DType::i64) return f.template operator()<int64_t>();
  fail("{}: indices must be i32 or i64, got {}", op, to_string(dtype));
}

// The indices in contiguous memory, each of 0 .. n-1; otherwise an Error that names the op, the
// first index that is not, and its position in row-major order.
inline Tensor checked_indices(const char* op, const Tensor& index, int64_t n) {
  return dispatch_index(op, index.dtype(), [&]<class I>() {
    Tensor flat = contiguous(index);
    const I* at = flat.data<I>();
    std::atomic<bool> outside{false};
    parallel_for(flat.numel(), element_block, [&](int64_t begin, int64_t end) {
      I least = 0, most = 0;
      for (int64_t i = begin; i < end; ++i) {
        least = std::min(least, at[i]);
        most = std::max(most, at[i]);
      }
      if (begin < end && (least < 0 || static_cast<int64_t>(most) >= std::max<int64_t>(n, 1)))
        outside = true;
    });
    if (outside || n == 0)
      for (int64_t i = 0; i < flat.numel(); ++i)
        if (at[i] < 0 || static_cast<int64_t>(at[i]) >= n)
          fail("{}: index {} at position {} is outside 0..{}", op, at[i], i, n - 1);
    return flat;
  });
}

// A tensor that adds: any dtype but boolean.
template <class F>
decltype(auto) dispatch_number(const char* op, DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32: return f.template operator()<float>();
    case DType::f64: return f.template operator()<double>();
    case DType::i32: return f.template operator()<int32_t>();
    case DType::i64: return f.template operator()<int64_t>();
    default: fail("{}: booleans do not add; cast to i64 or f32 first", op);
  }
}

}  // namespace gradus
