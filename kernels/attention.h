// Attention's probabilities and their gradients for one block of queries of one head, between the
// matrix products (Vaswani et al. 2017; only the rows' logsumexp is kept for the backward, as in
// Dao et al. 2022).
#pragma once

#include "gradus/kernels/dropout.h"
#include "gradus/kernels/softmax.h"

namespace gradus {
namespace {

// How many keys query row r sees.
LANES_INLINE int64_t visible_keys(const AttentionRows& a, int64_t r) {
  const int64_t causal = a.first_query + r + 1;
  return a.causal && causal < a.keys ? causal : a.keys;
}

template <class T>
void attention_probabilities(T* scores, int64_t ld, T* logsumexp, AttentionRows a) {
  Dropout<T> drop(a.draw);
  const T scale = static_cast<T>(a.scale);
  for (int64_t r = 0; r < a.rows; ++r, scores += ld) {
    const int64_t n = visible_keys(a, r);
    Lanes<T> tops = broadcast(kLowest<T>);
    for (int64_t i = 0; i < n; i += kLanes) tops = max(load(scores + i, n - i, kLowest<T>), tops);
    const T top = max(tops) * scale;  // scale is positive
    Lanes<T> total = broadcast(T(0));
    for (int64_t i = 0; i < n; i += kLanes) {
      const auto e = exp(load(scores + i, n - i, kLowest<T>) * scale - top);
      store(scores + i, e, n - i);
      total = total + e;
    }
    const T s = sum(total), inverse = 1 / s;
    logsumexp[r] = top + scalar_log(s);
    for (int64_t group = 0; group < n; group += kGroup) {
      drop.draw(a.sequence, static_cast<uint32_t>(a.first_query + r), group / kGroup);
      for (int64_t i = group; i < n && i < group + kGroup; i += kLanes)
        store(scores + i, load(scores + i, n - i) * inverse * load(drop.factor + (i - group)),
              n - i);
    }
    for (int64_t i = n; i < a.keys; ++i) scores[i] = 0;
  }
}

// Two passes over a row, which is in cache. Between them a dropped probability waits with a
// negative sign. delta is divided by the sum of the probabilities, 1 but for rounding, so that a
// row of dscores adds up to zero, as softmax's gradient does (the keys' bias has none).
template <class T>
void attention_backward(T* scores, T* dprobabilities, int64_t ld, const T* logsumexp,
                        AttentionRows a) {
  Dropout<T> drop(a.draw);
  const T scale = static_cast<T>(a.scale), kept = drop.scale;
  const auto zero = broadcast(T(0));
  for (int64_t r = 0; r < a.rows; ++r, scores += ld, dprobabilities += ld) {
    const int64_t n = visible_keys(a, r);
    Lanes<T> total = zero, product = zero;
    for (int64_t group = 0; group < n; group += kGroup) {
      drop.draw(a.sequence, static_cast<uint32_t>(a.first_query + r), group / kGroup);
      for (int64_t i = group; i < n && i < group + kGroup; i += kLanes) {
        const int64_t c = n - i;
        const auto p = exp(load(scores + i, c, kLowest<T>) * scale - logsumexp[r]),
                   factor = load(drop.factor + (i - group));
        total = total + p;
        product = product + p * (load(dprobabilities + i, c) * factor);
        store(scores + i, select(less(zero, factor), p, -p), c);
      }
    }
    const T delta = sum(product) / sum(total);
    for (int64_t i = 0; i < n; i += kLanes) {
      const int64_t c = n - i;
      const auto p = load(scores + i, c), dropped = max(p, zero) * kept;
      store(dprobabilities + i,
            absolute(p) *
                (select(less(zero, p), load(dprobabilities + i, c) * kept, zero) - delta) * scale,
            c);
      store(scores + i, dropped, c);
    }
    for (int64_t i = n; i < a.keys; ++i) scores[i] = dprobabilities[i] = 0;
  }
}

}  // namespace
}  // namespace gradus
