// AdamW in one pass (Loshchilov and Hutter 2019, algorithm 2).
#pragma once

#include "gradus/kernels/kernels.h"
#include "gradus/kernels/simd.h"

namespace gradus {
namespace {

// Factors are combined in double once. The decay is subtracted, not multiplied in: 1 - lr * decay
// rounds away most of a small decay in float.
template <class T>
void adamw(T* p, const T* g, T* m, T* v, int64_t n, AdamWStep step) {
  const T b1 = static_cast<T>(step.beta1), b2 = static_cast<T>(step.beta2),
          c1 = static_cast<T>(1 - step.beta1), c2 = static_cast<T>(1 - step.beta2);
  const T gradient_scale = static_cast<T>(step.gradient_scale), eps = static_cast<T>(step.epsilon);
  const T rate = static_cast<T>(step.learning_rate / step.correction1),
          decay = static_cast<T>(step.learning_rate * step.weight_decay);
  const T v_scale = static_cast<T>(1 / step.correction2);
  for (int64_t i = 0; i < n; i += kLanes) {
    const int64_t c = n - i;
    const auto d = load(g + i, c) * gradient_scale;
    const auto mi = b1 * load(m + i, c) + c1 * d, vi = b2 * load(v + i, c) + c2 * d * d,
               w = load(p + i, c);
    store(m + i, mi, c);
    store(v + i, vi, c);
    store(p + i, w - (rate * mi / (square_root(vi * v_scale) + eps) + decay * w), c);
  }
}

}  // namespace
}  // namespace gradus
