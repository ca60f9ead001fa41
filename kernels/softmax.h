// Softmax over rows, its logarithm, and the cross-entropy of rows with one label each. All subtract
// the row's maximum first.
#pragma once

#include "gradus/kernels/lane_math.h"

namespace gradus {
namespace {

template <class T>
constexpr T kLowest =
    // what lanes past a row's end count as: no maximum, and nothing in a sum of exponentials
    -static_cast<T>(__builtin_inf());

template <class T>
LANES_INLINE T row_max(const T* x, int64_t n) {
  Lanes<T> top = broadcast(kLowest<T>);
  for (int64_t i = 0; i < n; i += kLanes) top = max(load(x + i, n - i, kLowest<T>), top);
  return max(top);
}

template <class T>
void softmax(const T* x, T* y, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r, x += n, y += n) {
    const T top = row_max(x, n);
    Lanes<T> total = broadcast(T(0));
    for (int64_t i = 0; i < n; i += kLanes) {
      const auto e = exp(load(x + i, n - i, kLowest<T>) - top);
      store(y + i, e, n - i);
      total = total + e;
    }
    const T inverse = 1 / sum(total);
    for (int64_t i = 0; i < n; i += kLanes) store(y + i, load(y + i, n - i) * inverse, n - i);
  }
}

template <class T>
void softmax_backward(const T* y, const T* dy, T* dx, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r, y += n, dy += n, dx += n) {
    Lanes<T> product = broadcast(T(0));
    for (int64_t i = 0; i < n; i += kLanes)
      product = product + load(y + i, n - i) * load(dy + i, n - i);
    const T mean = sum(product);
    for (int64_t i = 0; i < n; i += kLanes)
      store(dx + i, load(y + i, n - i) * (load(dy + i, n - i) - mean), n - i);
  }
}

template <class T>
LANES_INLINE T scalar_log(T x) {
  if constexpr (sizeof(T) == 8) return ::log(x);
  // not the C library's: its float log differs between processors
  return log(broadcast(x)).part[0][0];
}

template <class T>
void log_softmax(const T* x, T* y, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r, x += n, y += n) {
    const T top = row_max(x, n);
    Lanes<T> total = broadcast(T(0));
    for (int64_t i = 0; i < n; i += kLanes)
      total = total + exp(load(x + i, n - i, kLowest<T>) - top);
    const T log_sum = scalar_log(sum(total));
    for (int64_t i = 0; i < n; i += kLanes)
      store(y + i, (load(x + i, n - i) - top) - log_sum, n - i);
  }
}

template <class T>
void log_softmax_backward(const T* y, const T* dy, T* dx, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r, y += n, dy += n, dx += n) {
    Lanes<T> total = broadcast(T(0));
    for (int64_t i = 0; i < n; i += kLanes) total = total + load(dy + i, n - i);
    const T s = sum(total);
    for (int64_t i = 0; i < n; i += kLanes)
      store(dx + i, load(dy + i, n - i) - exp(load(y + i, n - i)) * s, n - i);
  }
}

// Infinite logits: +inf gives +inf, and a row of -inf gives -inf (its gradient is 0, not NaN).
template <class T>
void logsumexp(const T* x, T* y, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r, x += n) {
    const T highest = row_max(x, n), top = highest - highest == 0 ? highest : T(0);
    Lanes<T> total = broadcast(T(0));
    for (int64_t i = 0; i < n; i += kLanes)
      total = total + exp(load(x + i, n - i, kLowest<T>) - top);
    y[r] = top + scalar_log(sum(total));
  }
}

template <class T>
void logsumexp_backward(const T* x, const T* y, const T* dy, T* dx, int64_t rows, int64_t n) {
  for (int64_t r = 0; r < rows; ++r, x += n, dx += n) {
    const T top = y[r] == kLowest<T> ? T(0) : y[r];
    for (int64_t i = 0; i < n; i += kLanes)
      store(dx + i, exp(load(x + i, n - i) - top) * dy[r], n - i);
  }
}

// A row whose label is negative has no loss and no gradient. Without `gradient` the logits stay as
// they are. A row of a vocabulary (120 KB) stays in the second-level cache over the three passes.
template <class T>
void cross_entropy(T* logits, const T* bias, const int32_t* labels, T* losses, uint8_t* correct,
                   int64_t rows, int64_t n, T scale, bool gradient) {
  for (int64_t r = 0; r < rows; ++r, logits += n) {
    if (labels[r] < 0) {
      losses[r] = 0;
      if (correct) correct[r] = 0;
      if (gradient) memset(logits, 0, static_cast<size_t>(n) * sizeof(T));
      continue;
    }
    const auto logit = [&](int64_t i) LANES_LAMBDA {
      const auto z = load(logits + i, n - i, kLowest<T>);
      return bias ? z + load(bias + i, n - i) : z;
    };
    Lanes<T> tops = broadcast(kLowest<T>);
    for (int64_t i = 0; i < n; i += kLanes) tops = max(logit(i), tops);
    const T top = max(tops), label = logits[labels[r]] + (bias ? bias[labels[r]] : T(0));
    // Summed in blocks of columns: the lane that holds the highest logit's 1 would swallow what it
    // meets afterwards of a whole vocabulary.
    constexpr int64_t kBlock = 1024;
    Lanes<T> total = broadcast(T(0));
    for (int64_t block = 0; block < n; block += kBlock) {
      Lanes<T> part = broadcast(T(0));
      for (int64_t i = block; i < n && i < block + kBlock; i += kLanes) {
        const auto e = exp(logit(i) - top);
        if (gradient) store(logits + i, e, n - i);
        part = part + e;
      }
      total = total + part;
    }
    const T s = sum(total);
    losses[r] = scalar_log(s) - (label - top);
    if (correct) correct[r] = label == top;
    if (!gradient) continue;
    const T factor = scale / s;
    for (int64_t i = 0; i < n; i += kLanes)
      store(logits + i, load(logits + i, n - i) * factor, n - i);
    logits[labels[r]] -= scale;
  }
}

}  // namespace
}  // namespace gradus
