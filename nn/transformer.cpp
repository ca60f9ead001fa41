#include "gradus/nn/transformer.h"

namespace gradus {
namespace {

// The options with everything said: no size left at "0: …".
MultiHeadAttentionOptions resolved(MultiHeadAttentionOptions o) {
  constexpr const char* name = "MultiHeadAttention";
  if (o.hidden < 1 || o.heads < 1 || o.kv_heads < 0 || o.head_size < 0)
    fail("{}: a hidden size of {}, {} heads, {} of keys and values, a head size of {}", name,
         o.hidden, o.heads, o.kv_heads, o.head_size);
  if (o.head_size == 0 && o.hidden % o.heads != 0)
    fail("{}: a hidden size of {} cannot be divided among {} attention heads", name, o.hidden,
         o.heads);
  if (o.kv_heads == 0) o.kv_heads = o.heads;
  if (o.head_size == 0) o.head_size = o.hidden / o.heads;
  if (o.heads % o.kv_heads != 0)
    fail("{}: {} heads cannot share {} heads of keys and values", name, o.heads, o.kv_heads);
  if (o.rotary_base && o.head_size % 2 != 0)
    fail("{}: rotary positions turn pairs of columns, and a head has {}", name, o.head_size);
  return o;
}

bool is_gated(FeedForwardKind kind) { return kind >= FeedForwardKind::reglu; }

int64_t width(const FeedForwardOptions& o) {
  if (o.hidden < 1 || o.intermediate < 1)
    fail("FeedForward: a hidden size of {}, an intermediate size of {}", o.hidden, o.intermediate);
  return is_gated(o.kind) ? 2 * o.intermediate : o.intermediate;
}

// Lists rows [begin, end) of a linear layer as one of their own.
void list_rows(Parts& p, const std::string& name, Linear& layer, int64_t begin, int64_t end) {
  p.rows(name + ".weight", layer.weight, begin, end);
  if (layer.bias.defined()) p.rows(name + ".bias", layer.bias, begin, end, {.init = Init::zeros});
}

// What rows [begin, end) of a linear layer give.
Tensor apply_rows(const Linear& layer, const Tensor& x, int64_t begin, int64_t end) {
  return linear(x, slice(layer.weight, 0, begin, end),
                layer.bias.defined() ? slice(layer.bias, 0, begin, end) : Tensor());
}

// How many of the rows each sequence has.
std::vector<int64_t> counted(const std::vector<int32_t>& rows, const Ragged& batch) {
  std::vector<int64_t> counts;
  auto row = rows.begin();
  for (int64_t s = 0; s < batch.sequences(); ++s) {
    const auto first = row;
    for (; row != rows.end() && *row < batch.end(s); ++row)
      if (*row < (row == first ? batch.begin(s) : *std::prev(row) + 1))
        fail("asked rows: {} is not after the one before it", *row);
    counts.push_back(row - first);
    check(row != first, "asked rows: sequence {} has none", s);
  }
  check(row == rows.end(), "asked rows: there is a row beyond the batch's {}", batch.tokens());
  return counts;
}

}  // namespace

AskedRows::AskedRows(const std::vector<int32_t>& asked, const Ragged& batch)
    : rows(from_vector(asked, {static_cast<int64_t>(asked.size())})),
      sequences(counted(asked, batch), batch.first()) {}

MultiHeadAttention::MultiHeadAttention(MultiHeadAttentionOptions given)
    : options(resolved(given)),
      qkv(options.hidden, (options.heads + 2 * options.kv_heads) * options.head_size,
          {.bias = options.bias}),
      output(options.heads * options.head_size, options.hidden, {.bias = options.bias}) {}

AttentionOptions MultiHeadAttention::now(const Tensor& score_bias) const {
  AttentionOptions now;
  now.heads = options.heads;
  now.kv_heads = options.kv_heads;
  now.dropout = training() ? options.dropout : 0;
  now.causal = options.causal;
  now.window = options.window;
  if (options.alibi) now.alibi_slopes = alibi_slopes(options.heads);
  now.bias = score_bias;
  return now;
}

Tensor MultiHeadAttention::turned(const Tensor& x, const Ragged& sequences, int64_t heads) const {
  if (!options.rotary_base) return x;
  return rotary(x, sequences, {.heads = heads, .base = *options.rotary_base});
}

Tensors MultiHeadAttention::projected(const Tensor& x, const Ragged& sequences) const {
  const int64_t d = options.head_size, q = options.heads * d, k = q + options.kv_heads * d;
  const Tensor all = qkv(x);
  // queries and keys at once
  const Tensor qk = turned(slice(all, 1, 0, k), sequences, options.heads + options.kv_heads);
  return {slice(qk, 1, 0, q), slice(qk, 1, q, k), slice(all, 1, k, all.size(1))};
}

Tensor MultiHeadAttention::operator()(const Tensor& x, const Ragged& sequences,
                                      const Tensor& score_bias) const {
  if (!options.rotary_base) return output(gradus::attention(qkv(x), sequences, now(score_bias)));
  const Tensors q_k_v = projected(x, sequences);
  return output(gradus::attention(q_k_v[0], q_k_v[1], q_k_v[2], sequences, now(score_bias)));
}

Tensor MultiHeadAttention::operator()(const Tensor& x, const Ragged& sequences,
                                      const Tensor& memory, const Ragged& memory_sequences,
                                      const Tensor& score_bias) const {
  const int64_t q = options.heads * options.head_size, k = options.kv_heads * options.head_size;
  const Tensor query = turned(apply_rows(qkv, x, 0, q), sequences, options.heads);
  const Tensor both = apply_rows(qkv, memory, q, q + 2 * k);
  const Tensor key = turned(slice(both, 1, 0, k), memory_sequences, options.kv_heads);
  AttentionOptions crossed = now(score_bias);
  crossed.key_sequences = memory_sequences;
  return output(gradus::attention(query, key, slice(both, 1, k, 2 * k), sequences, crossed));
}

Tensor MultiHeadAttention::operator()(const Tensor& x, const Ragged& sequences,
                                      const AskedRows& asked) const {
  // where a query sees by its position, the op would take its place among the asked for it
  if (options.causal || options.window || options.alibi)
    return take((*this)(x, sequences), asked.rows);
  if (!options.rotary_base) return (*this)(take(x, asked.rows), asked.sequences, x, sequences);
  // a query is turned by its place in the whole sequence, before it is taken
  const Tensors q_k_v = projected(x, sequences);
  AttentionOptions crossed = now({});
  crossed.key_sequences = sequences;
  return output(
      gradus::attention(take(q_k_v[0], asked.rows), q_k_v[1], q_k_v[2], asked.sequences, crossed));
}

Tensors MultiHeadAttention::probabilities(const Tensor& x, const Ragged& sequences,
                                          const Tensor& score_bias) const {
  const Tensors q_k_v = projected(x, sequences);
  return attention_probabilities(q_k_v[0], q_k_v[1], sequences, now(score_bias));
}

void MultiHeadAttention::parts(Parts& p) {
  const int64_t q = options.heads * options.head_size, k = options.kv_heads * options.head_size;
  list_rows(p, "query", qkv, 0, q);
  list_rows(p, "key", qkv, q, q + k);
  list_rows(p, "value", qkv, q + k, q + 2 * k);
  p("output", output);
}

FeedForward::FeedForward(FeedForwardOptions o)
    : options(o),
      up(o.hidden, width(o), {.bias = o.bias}),
      down(o.intermediate, o.hidden, {.bias = o.bias}) {}

Tensor FeedForward::operator()(const Tensor& x) const {
  using enum FeedForwardKind;
  const bool biased = up.bias.defined();
  // a plain GELU takes the bias along
  if (options.kind == gelu && biased) return down(bias_gelu(linear(x, up.weight), up.bias));
  if (options.kind == gelu_tanh && biased)
    return down(bias_gelu(linear(x, up.weight), up.bias, Gelu::tanh));
  const Tensor h = up(x);
  switch (options.kind) {
    case relu: return down(gradus::relu(h));
    case gelu: return down(gradus::gelu(h));
    case gelu_tanh: return down(gradus::gelu(h, Gelu::tanh));
    case silu: return down(gradus::silu(h));
    case geglu: return down(gradus::geglu(h));
    case geglu_tanh: return down(gradus::geglu(h, Gelu::tanh));
    case swiglu: return down(gradus::swiglu(h));
    case reglu: break;
  }
  const int64_t n = options.intermediate;
  return down(gradus::relu(slice(h, -1, 0, n)) * slice(h, -1, n, 2 * n));
}

void FeedForward::parts(Parts& p) {
  const int64_t n = options.intermediate;
  if (is_gated(options.kind)) {
    list_rows(p, "gate", up, 0, n);
    list_rows(p, "up", up, n, 2 * n);
  } else {
    p("up", up);
  }
  p("down", down);
}

namespace {

MultiHeadAttentionOptions attention_of(const TransformerOptions& o, int64_t place) {
  MultiHeadAttentionOptions attention{.hidden = o.hidden,
                                      .heads = o.heads,
                                      .dropout = o.attention_dropout,
                                      .causal = o.causal,
                                      .rotary_base = o.rotary_base_of(place),
                                      .bias = o.attention_bias};
  if (o.is_local(place)) attention.window = o.local_window;
  return attention;
}

}  // namespace

TransformerLayer::TransformerLayer(const TransformerOptions& o, int64_t place)
    : attention(attention_of(o, place)),
      feed_forward({.hidden = o.hidden,
                    .intermediate = o.intermediate,
                    .kind = o.feed_forward,
                    .bias = o.feed_forward_bias}),
      output_norm(o.norm()),
      dropout{o.hidden_dropout},
      pre_norm(o.pre_norm) {
  if (!pre_norm || place > 0) attention_norm = o.norm();
}

template <class... Where>
Tensor TransformerLayer::attended(const Tensor& x, const Where&... where) const {
  const Tensor from = pre_norm && attention_norm ? (*attention_norm)(x) : x;
  const Scope scope("attention");
  return attention(from, where...);
}

Tensor TransformerLayer::finished(const Tensor& x, const Tensor& attended,
                                  const Ragged& sequences) const {
  if (pre_norm) {
    const Tensor h = x + dropout(attended, sequences);
    return h + dropout(feed_forward(output_norm(h)), sequences);
  }
  const Tensor h = add_norm(x, attended, *attention_norm, dropout, sequences);
  return add_norm(h, feed_forward(h), output_norm, dropout, sequences);
}

Tensor TransformerLayer::operator()(const Tensor& x, const Ragged& sequences) const {
  return finished(x, attended(x, sequences), sequences);
}

Tensor TransformerLayer::operator()(const Tensor& x, const Ragged& sequences,
                                    const AskedRows& asked) const {
  return finished(take(x, asked.rows), attended(x, sequences, asked), asked.sequences);
}

void TransformerLayer::parts(Parts& p) {
  p("attention", attention);
  if (attention_norm) p("attention_norm", *attention_norm);
  p("feed_forward", feed_forward);
  p("output_norm", output_norm);
}

Encoder::Encoder(const TransformerOptions& o) {
  check(o.global_every >= 1, "Encoder: every {}th layer global; it must be 1 or more",
        o.global_every);
  for (int64_t i = 0; i < o.layers; ++i) layer.emplace_back(o, i);
  if (o.pre_norm) final_norm = o.norm();
}

Tensor Encoder::through(Tensor h, const Ragged& sequences, size_t layers,
                        Tensors* hidden_states) const {
  if (hidden_states) hidden_states->push_back(h);
  for (size_t i = 0; i < layers; ++i) {
    const Scope scope("layer", static_cast<int64_t>(i));
    h = layer[i](h, sequences);
    if (hidden_states) hidden_states->push_back(h);
  }
  return h;
}

Tensor Encoder::operator()(const Tensor& x, const Ragged& sequences, Tensors* hidden_states) const {
  Tensor h = through(x, sequences, layer.size(), hidden_states);
  if (!final_norm) return h;
  h = (*final_norm)(h);
  if (hidden_states) hidden_states->back() = h;
  return h;
}

Tensor Encoder::operator()(const Tensor& x, const Ragged& sequences, const AskedRows& asked) const {
  if (layer.empty()) return take((*this)(x, sequences), asked.rows);
  const size_t last = layer.size() - 1;
  const auto at_asked = [&](const Tensor& h) {
    const Scope scope("layer", static_cast<int64_t>(last));
    return layer[last](h, sequences, asked);
  };
  const Tensor h = at_asked(through(x, sequences, last, nullptr));
  return final_norm ? (*final_norm)(h) : h;
}

void Encoder::parts(Parts& p) {
  p("layer", layer);
  if (final_norm) p("final_norm", *final_norm);
}

}  // namespace gradus
