// Layer normalisation over rows (Ba et al. 2016), alone and as the end of a residual branch with
// dropout, and RMS normalisation (Zhang and Sennrich 2019), which subtracts no mean.
#pragma once

#include "gradus/kernels/dropout.h"
#include "gradus/kernels/simd.h"

namespace gradus {
namespace {

// One row whose sum is known: the squares about the mean, then y.
template <class T>
LANES_INLINE void layer_norm_row(const T* x, T total, const T* weight, const T* bias, T* y, T* mean,
                                 T* rstd, int64_t n, double eps) {
  const T m = total / static_cast<T>(n);
  Lanes<T> squares = broadcast(T(0));
  for (int64_t i = 0; i < n; i += kLanes) {
    const auto c = load(x + i, n - i, m) - m;
    squares = squares + c * c;
  }
  const T s = static_cast<T>(
      1 / __builtin_sqrt(static_cast<double>(sum(squares)) / static_cast<double>(n) + eps));
  for (int64_t i = 0; i < n; i += kLanes)
    store(y + i, (load(x + i, n - i) - m) * s * load(weight + i, n - i) + load(bias + i, n - i),
          n - i);
  *mean = m;
  *rstd = s;
}

template <class T>
void layer_norm(const T* x, const T* weight, const T* bias, T* y, T* mean, T* rstd, int64_t rows,
                int64_t n, double eps) {
  for (int64_t r = 0; r < rows; ++r, x += n, y += n) {
    Lanes<T> total = broadcast(T(0));
    for (int64_t i = 0; i < n; i += kLanes) total = total + load(x + i, n - i);
    layer_norm_row(x, sum(total), weight, bias, y, mean + r, rstd + r, n, eps);
  }
}

// One row of the backward: the sums over the row and the shares of dweight and dbias, then dx.
template <class T>
LANES_INLINE void layer_norm_backward_row(const T* x, const T* weight, T m, T s, const T* dy, T* dx,
                                          T* dweight, T* dbias, int64_t n) {
  Lanes<T> g_total = broadcast(T(0)), gx_total = broadcast(T(0));
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t c = n - i;
    const auto d = load(dy + i, c), xh = (load(x + i, c, m) - m) * s, g = d * load(weight + i, c);
    g_total = g_total + g;
    gx_total = gx_total + g * xh;
    store(dweight + i, load(dweight + i, c) + d * xh, c);
    store(dbias + i, load(dbias + i, c) + d, c);
  }
  const T g_mean = sum(g_total) / static_cast<T>(n), gx_mean = sum(gx_total) / static_cast<T>(n);
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t c = n - i;
    const auto xh = (load(x + i, c) - m) * s, g = load(dy + i, c) * load(weight + i, c);
    store(dx + i, (g - g_mean - xh * gx_mean) * s, c);
  }
}

template <class T>
void layer_norm_backward(const T* x, const T* weight, const T* mean, const T* rstd, const T* dy,
                         T* dx, T* dweight, T* dbias, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r, x += n, dy += n, dx += n)
    layer_norm_backward_row(x, weight, mean[r], rstd[r], dy, dx, dweight, dbias, n);
}

template <class T>
void add_norm(const T* x, const T* branch, const T* weight, const T* bias, T* h, T* y, T* mean,
              T* rstd, int64_t rows, int64_t n, double eps, const uint32_t* sequence,
              const uint32_t* position, DropoutDraw draw) {
  DropoutMask<T> drop(draw);
  for (int64_t r = 0; r < rows; ++r, x += n, branch += n, h += n, y += n) {
    Lanes<T> total = broadcast(T(0));
    for (int64_t group = 0; group < n; group += kGroup) {
      if (drop.active) drop.draw(sequence[r], position[r], group / kGroup);
      for (int64_t i = group; i < n && i < group + kGroup; i += kLanes) {
        const auto v =
            load(x + i, n - i) + load(branch + i, n - i) * load(drop.factor + (i - group));
        store(h + i, v, n - i);
        total = total + v;
      }
    }
    layer_norm_row(h, sum(total), weight, bias, y, mean + r, rstd + r, n, eps);
  }
}

template <class T>
void add_norm_backward(const T* h, const T* weight, const T* mean, const T* rstd, const T* dy,
                       T* dx, T* dbranch, T* dweight, T* dbias, int64_t rows, int64_t n,
                       const uint32_t* sequence, const uint32_t* position, DropoutDraw draw) {
  DropoutMask<T> drop(draw);
  for (int64_t r = 0; r < rows; ++r) {
    T* d = dx + r * n;
    layer_norm_backward_row(h + r * n, weight, mean[r], rstd[r], dy + r * n, d, dweight, dbias, n);
    if (dbranch)
      dropout_row(drop, d, dbranch + r * n, n, drop.active ? sequence[r] : 0,
                  drop.active ? position[r] : 0);
  }
}

template <class T>
void rms_norm(const T* x, const T* weight, T* y, T* rstd, int64_t rows, int64_t n, double eps) {
  for (int64_t r = 0; r < rows; ++r, x += n, y += n) {
    Lanes<T> squares = broadcast(T(0));
    for (int64_t i = 0; i < n; i += kLanes) {
      const auto v = load(x + i, n - i);
      squares = squares + v * v;
    }
    const T s = static_cast<T>(
        1 / __builtin_sqrt(static_cast<double>(sum(squares)) / static_cast<double>(n) + eps));
    for (int64_t i = 0; i < n; i += kLanes)
      store(y + i, load(x + i, n - i) * s * load(weight + i, n - i), n - i);
    rstd[r] = s;
  }
}

template <class T>
void rms_norm_backward(const T* x, const T* weight, const T* rstd, const T* dy, T* dx, T* dweight,
                       int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r, x += n, dy += n, dx += n) {
    const T s = rstd[r];
    Lanes<T> gx_total = broadcast(T(0));
    for (int64_t i = 0; i < n; i += kLanes) {
      const int64_t c = n - i;
      const auto d = load(dy + i, c), xh = load(x + i, c) * s;
      gx_total = gx_total + d * load(weight + i, c) * xh;
      store(dweight + i, load(dweight + i, c) + d * xh, c);
    }
    const T gx_mean = sum(gx_total) / static_cast<T>(n);
    for (int64_t i = 0; i < n; i += kLanes) {
      const int64_t c = n - i;
      const auto xh = load(x + i, c) * s, g = load(dy + i, c) * load(weight + i, c);
      store(dx + i, (g - xh * gx_mean) * s, c);
    }
  }
}

}  // namespace
}  // namespace gradus
