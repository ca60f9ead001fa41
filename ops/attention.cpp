// Scaled dot-product attention of several heads over ragged sequences.
//                                                                        Vaswani et al. 2017, eq. 1
//   q [tokens, heads d]   k, v [key tokens, kv_heads d]  ->  y [tokens, heads d];  or all three as
//   one matrix, side by side: qkv [tokens, (heads + 2 kv_heads) d]
//   for each sequence and head, with its keys' and values' head (heads / kv_heads share one):
//     S = Q K^T / sqrt(d) + bias - slope |i - j|,   P = softmax(S),   P~ = dropout(P),   O = P~ V
//     dV = P~^T dO,   dP = dO V^T,   dS = P (m dP / (1 - p) - D),   D = row sum of P m dP / (1 - p)
//     dQ = dS K / sqrt(d),   dK = dS^T Q / sqrt(d),   dbias = sum of dS over the sequences
// Scores live in a block of `query_block` rows at a time, in cache. Saved: the inputs and the
// log-sum-exp of each row of scores, from which the backward computes P again (Dao et al. 2022,
// FlashAttention). Where attention is causal or has a window, a block computes only the keys that
// one of its queries sees. Key-value heads: Ainslie et al. 2023; slopes: Press et al. 2022 (ALiBi).
#include <array>
#include <cmath>
#include <utility>

#include "gradus/ops/attention_blocks.h"
#include "gradus/ops/dropout.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

// Columns [begin, end) of a matrix: recorded, and as a plain view.
Tensor sliced(const Tensor& x, int64_t begin, int64_t end) { return slice(x, 1, begin, end); }
Tensor viewed(const Tensor& x, int64_t begin, int64_t end) {
  return x.view({x.shape()[0], end - begin}, x.strides(), x.offset() + begin * x.strides()[1]);
}

struct Attention : Fused<Attention>, AttentionPlan {
  static constexpr const char* name = "attention";
  bool packed;
  Attention(const AttentionPlan& plan, bool packed) : AttentionPlan(plan), packed(packed) {}
  std::string detail() const override {
    std::string text = fmt::format("heads={}", options.heads);
    if (options.kv_heads != options.heads) text += fmt::format(" kv_heads={}", options.kv_heads);
    text += fmt::format(" p={}", draw.p);
    if (options.causal) text += " causal";
    if (options.window) text += fmt::format(" window={}", *options.window);
    if (!options.alibi_slopes.empty()) text += " alibi";
    return text;
  }

  // Q, K, V: the inputs, or columns of the one input.
  std::array<Tensor, 3> operands(Inputs in,
                                 Tensor (*columns)(const Tensor&, int64_t, int64_t)) const {
    if (!packed) return {in[0], in[1], in[2]};
    const int64_t d = in[0].shape()[1] / (options.heads + 2 * options.kv_heads),
                  k = options.heads * d, v = k + options.kv_heads * d;
    return {columns(in[0], 0, k), columns(in[0], k, v),
            columns(in[0], v, v + options.kv_heads * d)};
  }
  Tensor bias_of(Inputs in) const {
    const size_t at = packed ? 1 : 3;
    return in.size() > at ? in[at] : Tensor();
  }

  Tensors reference(Inputs in) const {
    const auto [q, k, v] = operands(in, sliced);
    const int64_t d = q.shape()[1] / options.heads;
    Tensors contexts;
    for (int64_t s = 0; s < sequences.sequences(); ++s) {
      const Ragged alone({sequences.length(s)}, sequences.first() + s);
      Tensors heads;
      for (int64_t h = 0; h < options.heads; ++h) {
        const Tensor p = probabilities(q, k, bias_of(in), s, h);
        const Tensor value = slice(v, 0, keys.begin(s), keys.end(s));
        const int64_t column = h / group() * d;
        heads.push_back(
            matmul(dropout_with(p, draw_of(h), alone), sliced(value, column, column + d)));
      }
      contexts.push_back(concat(heads, 1));
    }
    return {concat(contexts, 0)};
  }

  // P [n, m] of one sequence and head.
  Tensor probabilities(const Tensor& q, const Tensor& k, const Tensor& bias, int64_t s,
                       int64_t h) const {
    const int64_t d = q.shape()[1] / options.heads, n = sequences.length(s), m = keys.length(s),
                  column = h / group() * d;
    const Tensor query =
        sliced(slice(q, 0, sequences.begin(s), sequences.end(s)), h * d, (h + 1) * d);
    const Tensor key = sliced(slice(k, 0, keys.begin(s), keys.end(s)), column, column + d);
    Tensor scores = matmul(query, transpose(key)) / std::sqrt(static_cast<double>(d));
    if (bias.defined())
      scores = scores + reshape(slice(slice(slice(bias, 0, h, h + 1), 1, 0, n), 2, 0, m), {n, m});
    // how far ahead of the query the key is
    const DType dtype = scores.dtype();
    const Tensor ahead = reshape(arange(m, dtype), {1, m}) - reshape(arange(n, dtype), {n, 1}),
                 never = full({}, -1e30, dtype);
    if (!options.alibi_slopes.empty())
      scores = scores - abs(ahead) * options.alibi_slopes[static_cast<size_t>(h)];
    if (options.causal) scores = where(less(zeros({}, dtype), ahead), never, scores);
    if (options.window)
      scores = where(less(full({}, static_cast<double>(*options.window), dtype), abs(ahead)), never,
                     scores);
    return softmax(scores);
  }

  Tensors forward(Inputs in) override {
    const auto [q, k, v] = operands(in, viewed);
    const Tensor bias = bias_of(in).defined() ? contiguous(bias_of(in)) : Tensor();
    const int64_t columns = q.shape()[1], d = columns / options.heads, tokens = sequences.tokens();
    const AttentionOperands x{rows_of(q), rows_of(k), rows_of(v), bias, d};
    Tensor y = Tensor::empty({tokens, columns}, q.dtype()),
           logsumexp = Tensor::empty({options.heads, tokens}, q.dtype());
    dispatch_float(name, y.dtype(), [&]<class T>() {
      T *out = y.write<T>(), *lse = logsumexp.write<T>();
      for_each_block<T>({1, false}, x, 1, [&](const AttentionBlock<T>& b, T* scores, T*) {
        const int64_t n = b.kernel.rows, m = b.kernel.keys;
        b.compute_scores(scores);
        kernels<T>().attention_probabilities(scores, m, lse + b.head * tokens + b.row, b.kernel);
        gemm_serial<T>(false, false, n, d, m, 1, scores, m, b.value, b.value_ld, 0,
                       out + b.row * columns + b.head * d, columns);
      });
    });
    save({x.query.tensor, x.key.tensor, x.value.tensor, logsumexp});
    if (bias.defined()) save({bias});
    return {y};
  }

  Tensors backward(const Tensors& dys) override {
    const bool biased = edges().size() > (packed ? 1 : 3);
    const Tensor logsumexp = saved(3), dy = contiguous(dys[0]);
    const int64_t columns = dy.shape()[1], d = columns / options.heads, tokens = sequences.tokens(),
                  kv_columns = options.kv_heads * d;
    const AttentionOperands x{rows_of(saved(0)), rows_of(saved(1)), rows_of(saved(2)),
                              biased ? saved(4) : Tensor(), d};
    Tensors dxs;
    if (packed) dxs = {Tensor::empty({tokens, columns + 2 * kv_columns}, dy.dtype())};
    else
      for (size_t i : {size_t{0}, size_t{1}, size_t{2}})
        dxs.push_back(Tensor::empty(saved(i).shape(), dy.dtype()));
    GradientSlot dbias;
    const bool wants_bias = biased && wants(edges().size() - 1);
    if (wants_bias) {
      dbias = slot(edges().size() - 1);
      dbias.zero_unless_added_to();
    }
    dispatch_float(name, dy.dtype(), [&]<class T>() {
      T* const dq = dxs[0].write<T>();
      T* const dk = packed ? dq + columns : dxs[1].write<T>();
      T* const dv = packed ? dk + kv_columns : dxs[2].write<T>();
      const int64_t q_ld = packed ? columns + 2 * kv_columns : columns,
                    kv_ld = packed ? q_ld : kv_columns;
      T* const db = wants_bias ? dbias.into.template write<T>() : nullptr;
      const T *dout = dy.data<T>(), *lse = logsumexp.data<T>();
      // What several heads add to, or with a bias several sequences, is in one share.
      const Share share{group(), db != nullptr};
      for_each_block<T>(share, x, 2, [&](const AttentionBlock<T>& b, T* scores, T* dscores) {
        const int64_t n = b.kernel.rows, m = b.kernel.keys;
        const int64_t at = b.row * columns + b.head * d,
                      kv_at = b.key_row * kv_ld + b.head / group() * d;
        T *const dkey = dk + kv_at, *const dvalue = dv + kv_at;
        b.compute_scores(scores);
        gemm_serial<T>(false, true, n, m, d, 1, dout + at, columns, b.value, b.value_ld, 0, dscores,
                       m);
        kernels<T>().attention_backward(scores, dscores, m, lse + b.head * tokens + b.row,
                                        b.kernel);
        // The first block of a sequence need not see all its keys: what later blocks add to must
        // be zero before.
        const bool first = b.kernel.first_query == 0 && b.head % group() == 0;
        if (first)
          for (int64_t key = m; key < b.length; ++key)
            std::fill_n(dkey + key * kv_ld, d, T{0}), std::fill_n(dvalue + key * kv_ld, d, T{0});
        const T beta = first ? 0 : 1, scale = static_cast<T>(b.scale());
        gemm_serial<T>(true, false, m, d, n, 1, scores, m, dout + at, columns, beta, dvalue, kv_ld);
        gemm_serial<T>(false, false, n, d, m, scale, dscores, m, b.key, b.key_ld, 0,
                       dq + b.row * q_ld + b.head * d, q_ld);
        gemm_serial<T>(true, false, m, d, n, scale, dscores, m, b.query, b.query_ld, beta, dkey,
                       kv_ld);
        if (db)
          for (int64_t r = 0; r < n; ++r)
            kernels<T>().add(dscores + r * m, db + b.bias_at + r * b.bias_ld, m);
      });
    });
    if (biased) dxs.push_back(dbias.gradient());
    return dxs;
  }
};

void check_sizes(const AttentionPlan& plan, const Tensor& q, const Tensor& k, const Tensor& v,
                 const Tensor& bias) {
  const auto& [sequences, keys, options, draw] = plan;
  if (q.shape()[0] != sequences.tokens())
    fail("attention: the queries have {} rows, the batch {} tokens", q.shape()[0],
         sequences.tokens());
  const int64_t kv_columns = q.shape()[1] / options.heads * options.kv_heads;
  for (const Tensor* x : {&k, &v}) {
    const char* which = x == &k ? "k" : "v";
    check_same_dtype("attention", q, *x);
    if (x->rank() != 2 || x->shape()[1] != kv_columns)
      fail("attention: {} is {}, q {}; with {} heads and {} key-value heads it must be [{}, {}]",
           which, x->shape(), q.shape(), options.heads, options.kv_heads, keys.tokens(),
           kv_columns);
    if (x->shape()[0] != keys.tokens())
      fail("attention: {} has {} rows, its batch {} tokens", which, x->shape()[0], keys.tokens());
  }
  if (keys.sequences() != sequences.sequences())
    fail("attention: {} sequences of queries, {} of keys; each has its own", sequences.sequences(),
         keys.sequences());
  check(options.query_block > 0, "attention: a query block of {} rows", options.query_block);
  if (const int64_t window = options.window.value_or(0); options.window) {
    check(window >= 0, "attention: a window of {} positions; 0 sees the own one alone", window);
    for (int64_t s = 0; s < keys.sequences(); ++s)
      if (sequences.length(s) - 1 - window >= keys.length(s))
        fail("attention: query {} of sequence {} sees none of its {} keys through a window of {}",
             sequences.length(s) - 1, s, keys.length(s), window);
  }
  if (const auto slopes = static_cast<int64_t>(options.alibi_slopes.size());
      slopes != 0 && slopes != options.heads)
    fail("attention: {} ALiBi slopes for {} heads", slopes, options.heads);
  if (!bias.defined()) return;
  check_same_dtype("attention", q, bias);
  if (bias.rank() != 3 || bias.shape()[0] != options.heads ||
      bias.shape()[1] < sequences.longest() || bias.shape()[2] < keys.longest())
    fail("attention: the bias is {}; it must be [{}, {} or more, {} or more]", bias.shape(),
         options.heads, sequences.longest(), keys.longest());
}

// The op for these inputs, qkv or q, k and v, checked; the bias becomes an input.
Attention planned(Tensors& inputs, const Ragged& sequences, AttentionOptions options) {
  const bool packed = inputs.size() == 1;
  if (options.kv_heads == 0) options.kv_heads = options.heads;
  const int64_t heads = options.heads, kv_heads = options.kv_heads;
  if (heads < 1 || kv_heads < 1 || heads % kv_heads != 0)
    fail("attention: {} heads and {} key-value heads; the first must be a multiple of the second",
         heads, kv_heads);
  const Tensor x = inputs[0], bias = std::exchange(options.bias, {});
  if (packed && (x.rank() != 2 || x.shape()[1] % (heads + 2 * kv_heads) != 0))
    fail("attention: qkv {} is not [tokens, {}] with {} heads and {} key-value heads", x.shape(),
         kv_heads == heads ? "3 hidden" : "(heads + 2 kv_heads) d", heads, kv_heads);
  if (!packed && (x.rank() != 2 || x.shape()[1] % heads != 0))
    fail("attention: q {} is not [tokens, heads d] with {} heads", x.shape(), heads);
  check(!packed || !options.key_sequences,
        "attention: keys with sequences of their own are given as k and v, not within qkv");
  const Ragged keys = options.key_sequences.value_or(sequences);
  Attention op({sequences, keys, options, draw_dropout(options.dropout)}, packed);
  const auto [q, k, v] = op.operands(inputs, viewed);
  check_sizes(op, q, k, v, bias);
  if (bias.defined()) inputs.push_back(bias);
  return op;
}

Tensor attend(Tensors inputs, const Ragged& sequences, const AttentionOptions& options) {
  const Attention op = planned(inputs, sequences, options);
  return apply<Attention>(inputs, op, op.packed)[0];
}

Tensors look(Tensors inputs, const Ragged& sequences, AttentionOptions options) {
  options.dropout = 0;
  const Attention op = planned(inputs, sequences, options);
  const auto [q, k, v] = op.operands(inputs, sliced);
  Tensors result;
  for (int64_t s = 0; s < sequences.sequences(); ++s) {
    Tensors heads;
    for (int64_t h = 0; h < options.heads; ++h) {
      const Tensor p = op.probabilities(q, k, options.bias, s, h);
      heads.push_back(reshape(p, {1, p.shape()[0], p.shape()[1]}));
    }
    result.push_back(concat(heads, 0));
  }
  return result;
}

}  // namespace

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Ragged& sequences,
                 const AttentionOptions& options) {
  return attend({q, k, v}, sequences, options);
}
Tensor attention(const Tensor& qkv, const Ragged& sequences, const AttentionOptions& options) {
  return attend({qkv}, sequences, options);
}
Tensors attention_probabilities(const Tensor& q, const Tensor& k, const Ragged& sequences,
                                const AttentionOptions& options) {
  return look({q, k, k}, sequences, options);
}
Tensors attention_probabilities(const Tensor& qkv, const Ragged& sequences,
                                const AttentionOptions& options) {
  return look({qkv}, sequences, options);
}

std::vector<double> alibi_slopes(int64_t heads) {
  check(heads > 0, "alibi_slopes: {} heads", heads);
  int64_t power = 1;
  while (2 * power <= heads) power *= 2;
  const auto slope = [](int64_t i, int64_t count) {
    return std::exp2(-8.0 * static_cast<double>(i) / static_cast<double>(count));
  };
  std::vector<double> slopes;
  for (int64_t i = 1; i <= power; ++i) slopes.push_back(slope(i, power));
  for (int64_t i = 1; i <= heads - power; ++i) slopes.push_back(slope(2 * i - 1, 2 * power));
  return slopes;
}

OpInfos attention_ops() {
  const auto packed = [](const std::vector<int64_t>& lengths, const AttentionOptions& options) {
    return [=](Inputs in) { return Tensors{attention(in[0], Ragged(lengths, 2), options)}; };
  };
  const auto apart = [](const std::vector<int64_t>& lengths, const AttentionOptions& options) {
    return [=](Inputs in) {
      AttentionOptions now = options;
      if (in.size() > 3) now.bias = in[3];
      return Tensors{attention(in[0], in[1], in[2], Ragged(lengths, 2), now)};
    };
  };
  const auto qkv = [](int64_t tokens, int64_t columns, int64_t keys, int64_t kv_columns) {
    return SampleInputs{sample::normal({tokens, columns}), sample::normal({keys, kv_columns}),
                        sample::normal({keys, kv_columns})};
  };
  // of the packed form and of the other
  const auto wrong_qkv = [](const char* note, const Shape& shape,
                            const std::vector<int64_t>& lengths, const AttentionOptions& options,
                            std::vector<std::string> mentions) {
    mentions.push_back("attention");
    return ErrorSample{note, [=] { attention(ones(shape), Ragged(lengths), options); }, mentions};
  };
  const auto wrong = [](const char* note, const Shape& q, const Shape& k,
                        const std::vector<int64_t>& lengths, const AttentionOptions& options,
                        std::vector<std::string> mentions) {
    mentions.push_back("attention");
    return ErrorSample{
        note, [=] { attention(ones(q), ones(k), ones(k), Ragged(lengths), options); }, mentions};
  };
  return {
      {.name = "attention",
       .formula = "softmax(Q K^T / sqrt d) V",
       .samples =
           {{"one head", {sample::normal({3, 6})}, packed({3}, {.heads = 1})},
            {"ragged, two heads", {sample::normal({5, 12})}, packed({2, 3}, {.heads = 2})},
            {"blocks of 2 queries",
             {sample::normal({5, 6})},
             packed({5}, {.heads = 1, .query_block = 2})},
            {"dropout",
             {sample::normal({5, 12})},
             packed({4, 1}, {.heads = 2, .dropout = 0.3, .query_block = 3})},
            {"causal", {sample::normal({5, 6})}, packed({4, 1}, {.heads = 1, .causal = true})},
            {"causal blocks, dropout",
             {sample::normal({5, 12})},
             packed({5}, {.heads = 2, .dropout = 0.3, .causal = true, .query_block = 2})},
            {"vector tail", {sample::normal({19, 3})}, packed({19}, {.heads = 1})},
            {"key-value heads in one matrix",
             {sample::normal({4, 16})},
             packed({3, 1}, {.heads = 4, .kv_heads = 2})},
            {"q, k, v", qkv(5, 4, 5, 4), apart({2, 3}, {.heads = 2})},
            {"key-value heads, blocks", qkv(5, 8, 5, 4),
             apart({4, 1}, {.heads = 4, .kv_heads = 2, .dropout = 0.3, .query_block = 3})},
            {"window, blocks", qkv(7, 2, 7, 2), apart({6, 1}, {.window = 1, .query_block = 2})},
            {"window, causal, one key-value head", qkv(6, 4, 6, 2),
             apart({6},
                   {.heads = 2, .kv_heads = 1, .causal = true, .window = 2, .query_block = 3})},
            {"ALiBi", qkv(5, 4, 5, 4),
             apart({3, 2}, {.heads = 2, .causal = true, .alibi_slopes = {0.5, 0.25}})},
            {"cross-attention", qkv(4, 4, 6, 4),
             apart({1, 3}, {.heads = 2, .key_sequences = Ragged({4, 2}), .query_block = 2})},
            {"bias, blocks",
             {sample::normal({5, 4}), sample::normal({5, 2}), sample::normal({5, 2}),
              sample::normal({2, 4, 3})},
             apart({3, 2}, {.heads = 2, .kv_heads = 1, .query_block = 2})},
            {"bias, slopes, window, cross-attention, dropout",
             {sample::normal({5, 4}), sample::normal({4, 4}), sample::normal({4, 4}),
              sample::normal({2, 3, 3})},
             apart({3, 2}, {.heads = 2,
                            .dropout = 0.2,
                            .window = 1,
                            .alibi_slopes = {0.5, 0.1},
                            .key_sequences = Ragged({3, 1})})},
            {"of itself",
             {sample::normal({4, 3})},
             [](Inputs in) {
               return Tensors{attention(in[0], in[0], tanh(in[0]), Ragged({4}), {.heads = 3})};
             }}},
       .errors = {
           wrong_qkv("heads", {2, 12}, {2}, {.heads = 5}, {"[2, 12]", "5 heads"}),
           wrong_qkv("rows", {2, 12}, {3}, {.heads = 2}, {"2 rows", "3 tokens"}),
           wrong_qkv("keys of their own", {2, 6}, {2}, {.key_sequences = Ragged({2})}, {"qkv"}),
           wrong("shared heads", {2, 6}, {2, 4}, {2}, {.heads = 3, .kv_heads = 2},
                 {"3 heads", "2 key-value heads"}),
           wrong("q", {2, 5}, {2, 4}, {2}, {.heads = 2}, {"q [2, 5]", "2 heads"}),
           wrong("k", {2, 6}, {2, 4}, {2}, {.heads = 2}, {"k is [2, 4]", "[2, 6]"}),
           wrong("k's rows", {2, 6}, {3, 6}, {2}, {}, {"k has 3 rows", "2 tokens"}),
           wrong("q's rows", {2, 6}, {3, 6}, {3}, {}, {"queries have 2 rows", "3 tokens"}),
           wrong("sequences", {2, 6}, {3, 6}, {2}, {.key_sequences = Ragged({1, 2})},
                 {"1 sequences of queries", "2 of keys"}),
           wrong("block", {2, 6}, {2, 6}, {2}, {.query_block = 0}, {"block of 0"}),
           wrong("window", {2, 6}, {2, 6}, {2}, {.window = -1}, {"window of -1"}),
           wrong("no key", {4, 6}, {2, 6}, {4}, {.window = 1, .key_sequences = Ragged({2})},
                 {"query 3 of sequence 0", "window of 1"}),
           wrong("slopes", {2, 6}, {2, 6}, {2}, {.heads = 2, .alibi_slopes = {1}},
                 {"1 ALiBi slopes", "2 heads"}),
           wrong("bias", {3, 6}, {3, 6}, {3}, {.heads = 2, .bias = ones({2, 2, 3})},
                 {"[2, 2, 3]", "[2, 3 or more, 3 or more]"}),
           {"dtypes",
            [] {
              const Tensor q = ones({2, 4}), k = ones({2, 4}, DType::f64);
              attention(q, k, q, Ragged({2}), {});
            },
            {"attention", "f32", "f64"}}},
       // With all keys equal, as the tests' expanded layout has them, dQ and dK are differences of
       // dP that cancel to zero: what is left is the rounding of dP.
       .f32_tolerance = 5e-6}};
}

}  // namespace gradus
