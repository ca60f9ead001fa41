// Copies between strided memory: whole rows, repeated elements, transposed tiles.
#include "gradus/kernels/loops.h"

#include <string.h>

#include <algorithm>

namespace gradus {
namespace {

// y[r, i] = x[i, r] for W rows of W elements in registers, log2(W) times exchanging the blocks of s
// elements off the diagonal of each 2s x 2s square.
template <int W, int s, class Vector, int... k>
inline void exchange(Vector* a, std::integer_sequence<int, k...>) {
#pragma GCC unroll 8
  for (int i = 0; i < W; ++i) {
    if (i & s) continue;
    const Vector above = a[i], below = a[i + s];
    a[i] = __builtin_shufflevector(above, below, (k & s ? W + k - s : k)...);
    a[i + s] = __builtin_shufflevector(above, below, (k & s ? W + k : k + s)...);
  }
}
template <int W, class T>
inline void transpose_square(const T* x, int64_t x_step, T* y, int64_t y_step) {
  typedef T Vector __attribute__((vector_size(W * sizeof(T))));
  typedef T Unaligned __attribute__((vector_size(W * sizeof(T)), aligned(sizeof(T)), may_alias));
  constexpr auto lanes = std::make_integer_sequence<int, W>();
  Vector a[W];
#pragma GCC unroll 8
  for (int i = 0; i < W; ++i) a[i] = *reinterpret_cast<const Unaligned*>(x + i * x_step);
  exchange<W, 1>(a, lanes);
  if constexpr (W > 2) exchange<W, 2>(a, lanes);
  if constexpr (W > 4) exchange<W, 4>(a, lanes);
#pragma GCC unroll 8
  for (int i = 0; i < W; ++i) *reinterpret_cast<Unaligned*>(y + i * y_step) = a[i];
}

// y[r, i] = x[i, r] for rows x n elements of y, in tiles of 16 x 16: a tile reads and writes whole
// cache lines at once, for in large matrices its lines push each other out of the cache.
template <int W, class T>
inline void transpose_tiles(const T* x, int64_t x_step, T* y, int64_t y_step, int64_t rows,
                            int64_t n) {
  constexpr int64_t tile = 16;
  for (int64_t r = 0; r < rows; r += tile)
    for (int64_t i = 0; i < n; i += tile) {
      const int64_t r_end = r + tile < rows ? r + tile : rows, i_end = i + tile < n ? i + tile : n;
      if (r_end - r < tile || i_end - i < tile) {
        for (int64_t k = r; k < r_end; ++k)
          for (int64_t j = i; j < i_end; ++j) y[k * y_step + j] = x[j * x_step + k];
        continue;
      }
      for (int64_t j = i; j < i_end; j += W)
        for (int64_t k = r; k < r_end; k += W)
          transpose_square<W>(x + j * x_step + k, x_step, y + k * y_step + j, y_step);
    }
}
template <class T>
void transpose(const T* x, int64_t x_step, T* y, int64_t y_step, int64_t rows, int64_t n) {
  // the baseline's vectors are half as long
  constexpr int narrow = 16 / sizeof(T) < 8 ? 16 / sizeof(T) : 8;
  if (level() == Level::baseline) transpose_tiles<narrow>(x, x_step, y, y_step, rows, n);
  else at_level([&] { transpose_tiles<8>(x, x_step, y, y_step, rows, n); });
}

template <class T>
void copy_of(const Strided& from, const Strided& to, int64_t rows, int64_t n) {
  const T* x = reinterpret_cast<const T*>(from.at);
  T* y = reinterpret_cast<T*>(to.at);
  if (to.step == 1 && from.row_step == 1 && rows > 1)
    return transpose(x, from.step, y, to.row_step, rows, n);
  if (from.step == 1 && to.row_step == 1 && rows > 1)
    return transpose(x, from.row_step, y, to.step, n, rows);
  for (int64_t r = 0; r < rows; ++r, x += from.row_step, y += to.row_step) {
    if (from.step == 1 && to.step == 1) {
      memcpy(y, x, static_cast<size_t>(n) * sizeof(T));
    } else if (from.step == 0 && to.step == 1) {
      std::fill_n(y, n, *x);
    } else {
      for (int64_t i = 0; i < n; ++i) y[i * to.step] = x[i * from.step];
    }
  }
}

}  // namespace

void copy_strided(const Strided& from, const Strided& to, int64_t rows, int64_t n, int64_t size) {
  if (size == 4) copy_of<uint32_t>(from, to, rows, n);
  else if (size == 8) copy_of<uint64_t>(from, to, rows, n);
  else copy_of<uint8_t>(from, to, rows, n);
}

}  // namespace gradus
