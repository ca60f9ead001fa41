// Scaled dot-product attention of several heads over ragged sequences.   Vaswani et al. 2017, eq. 1
//  qkv [tokens, 3 hidden]: query, key, value side by side, each of `heads` heads of d = hidden / heads columns  ->  y [tokens, hidden]
//   for each sequence and head:   P = softmax(Q K^T / sqrt(d)),   P~ = dropout(P),   O = P~ V
//  dV = P~^T dO,  dP = dO V^T,  dS = P (m dP / (1 - p) - D) / sqrt(d)  with  D = row sums of P m dP / (1 - p),  dQ = dS K,  dK = dS^T Q
// Scores live in a block of `query_block` rows at a time, in cache. Saved: qkv and the log-sum-exp
// of each row of scores, from which the backward computes P again (Dao et al. 2022,
// FlashAttention). In causal attention a query sees itself and what came before.
#include <cmath>

#include "gradus/kernels/gemm.h"
#include "gradus/ops/dropout.h"
#include "gradus/ops/rows.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

struct Attention : Fused<Attention> {
  static constexpr const char* name = "attention";
  Ragged sequences;
  AttentionOptions options;
  DropoutDraw draw;
  Attention(Ragged sequences, AttentionOptions options, const DropoutDraw& draw)
      : sequences(std::move(sequences)), options(options), draw(draw) {}
  std::string detail() const override {
    return fmt::format("heads={} p={}{}", options.heads, draw.p, options.causal ? " causal" : "");
  }

  Tensors reference(Inputs in) const {
    const int64_t hidden = in[0].shape()[1] / 3, d = hidden / options.heads;
    Tensors contexts;
    for (int64_t s = 0; s < sequences.sequences(); ++s) {
      const Ragged alone({sequences.length(s)}, sequences.first() + s);
      Tensors heads;
      for (int64_t h = 0; h < options.heads; ++h) {
        const Tensor value = slice(slice(in[0], 0, sequences.begin(s), sequences.end(s)), 1,
                                   2 * hidden + h * d, 2 * hidden + (h + 1) * d);
        heads.push_back(matmul(dropout_with(probabilities(in[0], s, h), draw_of(h), alone), value));
      }
      contexts.push_back(concat(heads, 1));
    }
    return {concat(contexts, 0)};
  }

  // P of one sequence and head.                                                       qkv -> [n, n]
  Tensor probabilities(const Tensor& qkv, int64_t s, int64_t h) const {
    const int64_t hidden = qkv.shape()[1] / 3, d = hidden / options.heads, n = sequences.length(s);
    const Tensor rows = slice(qkv, 0, sequences.begin(s), sequences.end(s));
    const Tensor query = slice(rows, 1, h * d, (h + 1) * d),
                 key = slice(rows, 1, hidden + h * d, hidden + (h + 1) * d);
    Tensor scores = matmul(query, transpose(key)) / std::sqrt(static_cast<double>(d));
    if (options.causal) {
      const Tensor position = arange(n);
      scores = where(less(reshape(position, {n, 1}), reshape(position, {1, n})),
                     full({}, -1e30, scores.dtype()), scores);
    }
    return softmax(scores);
  }

  void check_shapes(const Tensor& x) const {
    if (x.rank() != 2 || x.shape()[1] % 3 != 0 || options.heads < 1 ||
        x.shape()[1] / 3 % options.heads != 0)
      fail("attention: qkv {} is not [tokens, 3 hidden] with hidden divisible by {} heads",
           x.shape(), options.heads);
    if (x.shape()[0] != sequences.tokens())
      fail("attention: qkv has {} rows, the batch {} tokens", x.shape()[0], sequences.tokens());
    check(options.query_block > 0, "attention: a query block of {} rows", options.query_block);
  }

  Tensors forward(Inputs in) override {
    check_shapes(in[0]);
    const Tensor qkv = contiguous(in[0]);
    const int64_t hidden = qkv.shape()[1] / 3;
    Tensor y = Tensor::empty({qkv.shape()[0], hidden}, qkv.dtype()),
           logsumexp = Tensor::empty({options.heads, qkv.shape()[0]}, qkv.dtype());
    dispatch_float(name, qkv.dtype(), [&]<class T>() {
      T *out = y.write<T>(), *lse = logsumexp.write<T>();
      for_each_block<T>(qkv, 1, [&](const Block<T>& b, T* scores, T*) {
        gemm_serial<T>(false, true, b.rows, b.keys, b.d, 1, b.query, b.ld, b.key, b.ld, 0, scores,
                       b.keys);
        kernels<T>().attention_probabilities(scores, b.keys,
                                             lse + b.head * sequences.tokens() + b.row, b.kernel);
        gemm_serial<T>(false, false, b.rows, b.d, b.keys, 1, scores, b.keys, b.value, b.ld, 0,
                       out + b.row * hidden + b.head * b.d, hidden);
      });
    });
    save({qkv, logsumexp});
    return {y};
  }

  Tensors backward(const Tensors& dys) override {
    const Tensor qkv = saved(0), logsumexp = saved(1), dy = contiguous(dys[0]);
    const int64_t hidden = dy.shape()[1], tokens = sequences.tokens();
    Tensor dx = Tensor::empty(qkv.shape(), qkv.dtype());
    dispatch_float(name, qkv.dtype(), [&]<class T>() {
      T* dqkv = dx.write<T>();
      const T *dout = dy.data<T>(), *lse = logsumexp.data<T>();
      for_each_block<T>(qkv, 2, [&](const Block<T>& b, T* scores, T* dscores) {
        const int64_t at = b.row * hidden + b.head * b.d;
        T* const dquery = dqkv + b.row * b.ld + b.head * b.d;
        T* const dkey = dqkv + b.first_row * b.ld + hidden + b.head * b.d;
        T* const dvalue = dkey + hidden;
        gemm_serial<T>(false, true, b.rows, b.keys, b.d, 1, b.query, b.ld, b.key, b.ld, 0, scores,
                       b.keys);
        gemm_serial<T>(false, true, b.rows, b.keys, b.d, 1, dout + at, hidden, b.value, b.ld, 0,
                       dscores, b.keys);
        kernels<T>().attention_backward(scores, dscores, b.keys, lse + b.head * tokens + b.row,
                                        b.kernel);
        // The first block of a causal sequence does not see all its keys: what later blocks add to
        // must be zero before.
        const bool first = b.kernel.first_query == 0;
        if (first)
          for (int64_t key = b.keys; key < b.length; ++key)
            std::fill_n(dkey + key * b.ld, b.d, T{0}), std::fill_n(dvalue + key * b.ld, b.d, T{0});
        const T beta = first ? 0 : 1;
        gemm_serial<T>(true, false, b.keys, b.d, b.rows, 1, scores, b.keys, dout + at, hidden, beta,
                       dvalue, b.ld);
        gemm_serial<T>(false, false, b.rows, b.d, b.keys, 1, dscores, b.keys, b.key, b.ld, 0,
                       dquery, b.ld);
        gemm_serial<T>(true, false, b.keys, b.d, b.rows, 1, dscores, b.keys, b.query, b.ld, beta,
                       dkey, b.ld);
      });
    });
    return {dx};
  }

 private:
  // Each head has a place of its own.
  DropoutDraw draw_of(int64_t head) const {
    return {draw.p, draw.key, draw.place + static_cast<uint32_t>(head) * 0x9E3779B9u};
  }

  // A block of queries of one head of one sequence, and the keys and values that it sees.
  template <class T>
  struct Block {
    // row: of its first query in the batch; first_row, length: of the sequence
    int64_t head, d, ld, row, first_row, length, rows, keys;
    const T *query, *key, *value;
    AttentionRows kernel;
  };

  // Calls f(block, scores, …) for every block: sequences and heads on all threads, the blocks of
  // one in order. Each thread has `buffers` score buffers.
  template <class T, class F>
  void for_each_block(const Tensor& qkv, int64_t buffers, F&& f) const {
    const int64_t hidden = qkv.shape()[1] / 3, d = hidden / options.heads, ld = 3 * hidden;
    const double scale = 1 / std::sqrt(static_cast<double>(d));
    parallel_for(sequences.sequences() * options.heads, 1, [&](int64_t task, int64_t) {
      const int64_t s = task / options.heads, h = task % options.heads, begin = sequences.begin(s),
                    n = sequences.length(s);
      const int64_t block_size = std::min(options.query_block, n) * n;
      Tensor scratch = Tensor::empty({buffers * block_size}, dtype_of<T>);
      T* scores = scratch.write<T>();
      const T* base = qkv.data<T>() + begin * ld + h * d;
      for (int64_t q = 0; q < n; q += options.query_block) {
        const int64_t rows = std::min(options.query_block, n - q),
                      keys = options.causal ? q + rows : n;
        f(Block<T>{h,
                   d,
                   ld,
                   begin + q,
                   begin,
                   n,
                   rows,
                   keys,
                   base + q * ld,
                   base + hidden,
                   base + 2 * hidden,
                   {rows, keys, q, options.causal, scale,
                    static_cast<uint32_t>(sequences.first() + s), draw_of(h)}},
          scores, scores + (buffers - 1) * block_size);
      }
    });
  }
};

}  // namespace

Tensor attention(const Tensor& qkv, const Ragged& sequences, AttentionOptions options) {
  return apply<Attention>({qkv}, sequences, options, draw_dropout(options.dropout))[0];
}

Tensors attention_probabilities(const Tensor& qkv, const Ragged& sequences,
                                AttentionOptions options) {
  const Attention op(sequences, options, draw_dropout(0));
  op.check_shapes(qkv);
  Tensors result;
  for (int64_t s = 0; s < sequences.sequences(); ++s) {
    const int64_t n = sequences.length(s);
    Tensors heads;
    for (int64_t h = 0; h < options.heads; ++h)
      heads.push_back(reshape(op.probabilities(qkv, s, h), {1, n, n}));
    result.push_back(concat(heads, 0));
  }
  return result;
}

OpInfos attention_ops() {
  const auto call = [](std::vector<int64_t> lengths, AttentionOptions options) {
    return [=](Inputs in) { return Tensors{attention(in[0], Ragged(lengths, 2), options)}; };
  };
  OpInfo info{
      "attention", "softmax(Q K^T / sqrt d) V", "attention", [=]() -> std::vector<Sample> {
        return {{"one head", {sample_normal({3, 6}, 1)}, call({3}, {.heads = 1})},
                {"ragged, two heads", {sample_normal({5, 12}, 2)}, call({2, 3}, {.heads = 2})},
                {"blocks of 2 queries",
                 {sample_normal({5, 6}, 3)},
                 call({5}, {.heads = 1, .query_block = 2})},
                {"dropout",
                 {sample_normal({5, 12}, 4)},
                 call({4, 1}, {.heads = 2, .dropout = 0.3, .query_block = 3})},
                {"causal", {sample_normal({5, 6}, 5)}, call({4, 1}, {.heads = 1, .causal = true})},
                {"causal blocks, dropout",
                 {sample_normal({5, 12}, 6)},
                 call({5}, {.heads = 2, .dropout = 0.3, .causal = true, .query_block = 2})},
                {"vector tail", {sample_normal({19, 3}, 7)}, call({19}, {.heads = 1})}};
      }};
  info.errors = []() -> std::vector<ErrorSample> {
    return {{"heads",
             [] {
               attention(ones({2, 12}), Ragged({2}), {.heads = 3});
             },
             {"attention", "[2, 12]", "3 heads"}},
            {"rows",
             [] {
               attention(ones({2, 12}), Ragged({3}), {.heads = 2});
             },
             {"attention", "2 rows", "3 tokens"}}};
  };
  return {info};
}

}  // namespace gradus
