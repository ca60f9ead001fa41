// How attention's work is cut: into blocks of queries of one head of one sequence, each with the
// keys and values that its queries see, in shares that threads take.
#pragma once

#include <cmath>

#include "gradus/kernels/gemm.h"
#include "gradus/kernels/kernels.h"
#include "gradus/ops/rows.h"

namespace gradus {

// Q, K and V, and the bias [heads, n, m] or none.
struct AttentionOperands {
  RowView query, key, value;
  Tensor bias;
  int64_t d;  // columns of a head
};

template <class T>
struct AttentionBlock {
  // of the head; of the first query and key in the batch
  int64_t head, row, key_row;
  // the sequence's keys, of which the block has kernel.keys
  int64_t length;
  int64_t d;
  const T *query, *key, *value;
  int64_t query_ld, key_ld, value_ld;
  // of the first query and key, or null; where in the whole bias that is
  const T* bias;
  int64_t bias_at, bias_ld;
  double slope;
  AttentionRows kernel;

  double scale() const { return 1 / std::sqrt(static_cast<double>(d)); }

  // S = Q K^T / sqrt(d) + bias - slope |i - j|                    [kernel.rows, kernel.keys]
  void compute_scores(T* scores) const {
    const int64_t n = kernel.rows, m = kernel.keys;
    const bool filled = bias || slope != 0;
    if (filled)
      for (int64_t r = 0; r < n; ++r)
        for (int64_t j = 0; j < m; ++j) {
          const int64_t ahead = kernel.first_key + j - (kernel.first_query + r);
          scores[r * m + j] = (bias ? bias[r * bias_ld + j] : T{0}) -
                              static_cast<T>(slope) * static_cast<T>(std::abs(ahead));
        }
    gemm_serial<T>(false, true, n, m, d, static_cast<T>(scale()), query, query_ld, key, key_ld,
                   filled ? 1 : 0, scores, m);
  }
};

struct AttentionPlan {
  Ragged sequences, keys;
  AttentionOptions options;  // kv_heads is set
  DropoutDraw draw;

  // How many heads of queries share one of keys and values.
  int64_t group() const { return options.heads / options.kv_heads; }

  // Each head has a place of its own.
  DropoutDraw draw_of(int64_t head) const {
    return {draw.p, draw.key, draw.place + static_cast<uint32_t>(head) * 0x9E3779B9u};
  }

  // What belongs together, whose blocks run in order on one thread: that many heads, of one
  // sequence or of all.
  struct Share {
    int64_t heads;
    bool all_sequences;
  };

  // Calls f(block, scores, …) for every block, with `buffers` (1 or 2) buffers for its scores.
  template <class T, class F>
  void for_each_block(Share share, const AttentionOperands& x, int64_t buffers, F&& f) const {
    const int64_t head_groups = options.heads / share.heads, count = sequences.sequences();
    parallel_for(head_groups * (share.all_sequences ? 1 : count), 1, [&](int64_t index, int64_t) {
      const int64_t first_head = index % head_groups * share.heads, first = index / head_groups,
                    end = share.all_sequences ? count : first + 1;
      for (int64_t s = first; s < end; ++s)
        for (int64_t h = first_head; h < first_head + share.heads; ++h)
          for_each_block_of<T>(s, h, x, buffers, f);
    });
  }

 private:
  template <class T, class F>
  void for_each_block_of(int64_t s, int64_t h, const AttentionOperands& x, int64_t buffers,
                         F&& f) const {
    const int64_t n = sequences.length(s), m = keys.length(s), kv_column = h / group() * x.d,
                  rows = std::min(options.query_block, n), window = options.window.value_or(-1);
    const int64_t size = rows * (window < 0 ? m : std::min(m, rows + 2 * window));
    Tensor scratch = Tensor::empty({buffers * size}, dtype_of<T>);
    T* scores = scratch.write<T>();
    AttentionBlock<T> b;
    b.head = h;
    b.length = m;
    b.d = x.d;
    b.query_ld = x.query.ld;
    b.key_ld = x.key.ld;
    b.value_ld = x.value.ld;
    b.slope = options.alibi_slopes.empty() ? 0 : options.alibi_slopes[static_cast<size_t>(h)];
    for (int64_t q = 0; q < n; q += options.query_block) {
      const int64_t end = std::min(q + options.query_block, n),
                    first = window < 0 ? 0 : std::max<int64_t>(0, q - window);
      int64_t last = m;  // one past the last key that a query of the block sees
      if (options.causal) last = std::min(last, end);
      if (window >= 0) last = std::min(last, end + window);
      b.row = sequences.begin(s) + q;
      b.key_row = keys.begin(s) + first;
      b.query = x.query.tensor.data<T>() + b.row * b.query_ld + h * x.d;
      b.key = x.key.tensor.data<T>() + b.key_row * b.key_ld + kv_column;
      b.value = x.value.tensor.data<T>() + b.key_row * b.value_ld + kv_column;
      b.bias_ld = x.bias.defined() ? x.bias.shape()[2] : 0;
      b.bias_at = x.bias.defined() ? (h * x.bias.shape()[1] + q) * b.bias_ld + first : 0;
      b.bias = x.bias.defined() ? x.bias.data<T>() + b.bias_at : nullptr;
      b.kernel = {end - q,
                  last - first,
                  q,
                  first,
                  options.causal,
                  window,
                  static_cast<uint32_t>(sequences.first() + s),
                  draw_of(h)};
      f(b, scores, scores + (buffers - 1) * size);
    }
  }
};

}  // namespace gradus
