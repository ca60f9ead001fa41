// Attention's probabilities and their gradients for one block of queries of one head, between the
// matrix products (Vaswani et al. 2017; only the rows' logsumexp is kept for the backward, as in
// Dao et al. 2022).
#pragma once

#include "gradus/kernels/dropout.h"
#include "gradus/kernels/softmax.h"

namespace gradus {
namespace {

// The keys of the block that query row r sees: [begin, end).
struct Visible {
  int64_t begin, end;
};
LANES_INLINE Visible visible_keys(const AttentionRows& a, int64_t r) {
  const int64_t query = a.first_query + r - a.first_key;  // counted as the block's keys are
  Visible v{0, a.keys};
  if (a.causal && query + 1 < v.end) v.end = query + 1;
  if (a.window >= 0 && query + a.window + 1 < v.end) v.end = query + a.window + 1;
  if (a.window >= 0 && query - a.window > 0) v.begin = query - a.window;
  return v;
}

// Calls f(i, count, factors) for steps of up to sixteen of the row's visible keys, none of them
// across two groups of the draw.
template <class T, class F>
LANES_INLINE void for_each_draw(DropoutMask<T>& drop, const AttentionRows& a, int64_t r, Visible v,
                                F f) {
  for (int64_t start = v.begin; start < v.end;) {
    const int64_t key = a.first_key + start, group = key / kGroup, left = kGroup - key % kGroup,
                  stop = start + left < v.end ? start + left : v.end;
    drop.draw(a.sequence, static_cast<uint32_t>(a.first_query + r), group);
    const T* const factors = drop.factor + key % kGroup;
    for (int64_t i = start; i < stop; i += kLanes) f(i, stop - i, load(factors + (i - start)));
    start = stop;
  }
}

template <class T>
LANES_INLINE void clear_hidden(T* row, Visible v, int64_t keys) {
  for (int64_t i = 0; i < v.begin; ++i) row[i] = 0;
  for (int64_t i = v.end; i < keys; ++i) row[i] = 0;
}

template <class T>
void attention_probabilities(T* scores, int64_t ld, T* logsumexp, AttentionRows a) {
  DropoutMask<T> drop(a.draw);
  for (int64_t r = 0; r < a.rows; ++r, scores += ld) {
    const Visible v = visible_keys(a, r);
    const T top = row_max(scores + v.begin, v.end - v.begin);
    Lanes<T> total = broadcast(T(0));
    for (int64_t i = v.begin; i < v.end; i += kLanes) {
      const auto e = exp(load(scores + i, v.end - i, kLowest<T>) - top);
      store(scores + i, e, v.end - i);
      total = total + e;
    }
    const T s = sum(total), inverse = 1 / s;
    logsumexp[r] = top + scalar_log(s);
    for_each_draw(drop, a, r, v, [&](int64_t i, int64_t count, Lanes<T> factor) LANES_LAMBDA {
      store(scores + i, load(scores + i, count) * inverse * factor, count);
    });
    clear_hidden(scores, v, a.keys);
  }
}

// Two passes over a row, which is in cache. Between them a dropped probability waits with a
// negative sign. delta is divided by the sum of the probabilities, 1 but for rounding, so that a
// row of dscores adds up to zero, as softmax's gradient does (the keys' bias has none).
template <class T>
void attention_backward(T* scores, T* dprobabilities, int64_t ld, const T* logsumexp,
                        AttentionRows a) {
  DropoutMask<T> drop(a.draw);
  const T kept = drop.scale;
  const auto zero = broadcast(T(0));
  for (int64_t r = 0; r < a.rows; ++r, scores += ld, dprobabilities += ld) {
    const Visible v = visible_keys(a, r);
    Lanes<T> total = zero, product = zero;
    for_each_draw(drop, a, r, v, [&](int64_t i, int64_t count, Lanes<T> factor) LANES_LAMBDA {
      const auto p = exp(load(scores + i, count, kLowest<T>) - logsumexp[r]);
      total = total + p;
      product = product + p * (load(dprobabilities + i, count) * factor);
      store(scores + i, select(less(zero, factor), p, -p), count);
    });
    const T delta = sum(product) / sum(total);
    for (int64_t i = v.begin; i < v.end; i += kLanes) {
      const int64_t c = v.end - i;
      const auto p = load(scores + i, c), dropped = max(p, zero) * kept;
      store(dprobabilities + i,
            absolute(p) * (select(less(zero, p), load(dprobabilities + i, c) * kept, zero) - delta),
            c);
      store(scores + i, dropped, c);
    }
    clear_hidden(scores, v, a.keys);
    clear_hidden(dprobabilities, v, a.keys);
  }
}

}  // namespace
}  // namespace gradus
