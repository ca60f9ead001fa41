// Numbers beside tensors, where they must be exactly what was written, and their bits.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "gradus/autograd/tensor.h"

namespace gradus {

// The bits of a number as an integer.
template <size_t bytes>
using Unsigned =
    std::conditional_t<bytes == 1, uint8_t, std::conditional_t<bytes == 4, uint32_t, uint64_t>>;

// Does the dtype have this number? Floats round, as literals do; integers must be whole.
template <class T>
bool is_exact(double c) {
  if constexpr (std::is_floating_point_v<T>) return true;
  else
    return c == std::floor(c) && c >= static_cast<double>(std::numeric_limits<T>::min()) &&
           c <= static_cast<double>(std::numeric_limits<T>::max()) && c < 0x1p63;
}

// The number as a tensor of shape [] and x's dtype; an Error where integers lack it.
inline Tensor scalar_like(const char* op, const Tensor& x, double c) {
  if (!dispatch(x.dtype(), [&]<class T>() { return is_exact<T>(c); }))
    fail("{}: the number {} is no value of dtype {} (shape {}); cast the tensor first", op, c,
         to_string(x.dtype()), x.shape());
  return scalar(c, x.dtype());
}

}  // namespace gradus
