// Rotary position embedding (Su et al. 2021): pairs of columns of each head turn by an angle that
// grows with the row's position.
#pragma once

#include "gradus/kernels/kernels.h"

namespace gradus {
namespace {

// Columns (2i, 2i + 1) are a pair, or (i, i + d / 2).
template <bool interleaved, class T>
inline void rotate_head(const T* __restrict x, T* __restrict y, int64_t half,
                        const T* __restrict cosine, const T* __restrict sine, T sign) {
  const int64_t step = interleaved ? 2 : 1, apart = interleaved ? 1 : half;
#pragma omp simd
  for (int64_t i = 0; i < half; ++i) {
    const T a = x[i * step], b = x[i * step + apart], c = cosine[i], s = sign * sine[i];
    y[i * step] = a * c - b * s;
    y[i * step + apart] = b * c + a * s;
  }
}

template <class T>
void rotary(const T* x, int64_t ld, T* y, int64_t rows, RotaryHeads heads, const T* cosine,
            const T* sine, const uint32_t* position) {
  const int64_t half = heads.size / 2;
  const T sign = heads.inverse ? T(-1) : T(1);
  for (int64_t r = 0; r < rows; ++r, x += ld)
    for (int64_t h = 0; h < heads.count; ++h, y += heads.size) {
      const T *c = cosine + position[r] * half, *s = sine + position[r] * half;
      if (heads.interleaved) rotate_head<true>(x + h * heads.size, y, half, c, s, sign);
      else rotate_head<false>(x + h * heads.size, y, half, c, s, sign);
    }
}

}  // namespace
}  // namespace gradus
