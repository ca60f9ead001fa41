#include "gradus/nn/transformer.h"

namespace gradus {
namespace {

// Columns of all heads together.
int64_t width(const MultiHeadAttentionOptions& o) {
  if (o.hidden < 1 || o.heads < 1 || o.head_size < 0)
    fail("MultiHeadAttention: a hidden size of {}, {} heads and a head size of {}", o.hidden,
         o.heads, o.head_size);
  if (o.head_size == 0 && o.hidden % o.heads != 0)
    fail("MultiHeadAttention: a hidden size of {} cannot be divided among {} attention heads",
         o.hidden, o.heads);
  return o.head_size ? o.heads * o.head_size : o.hidden;
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(const MultiHeadAttentionOptions& o)
    : options(o),
      qkv(o.hidden, 3 * width(o), {.bias = o.bias}),
      output(width(o), o.hidden, {.bias = o.bias}) {}

AttentionOptions MultiHeadAttention::now() const {
  return {.heads = options.heads,
          .dropout = training() ? options.dropout : 0,
          .causal = options.causal};
}

Tensor MultiHeadAttention::operator()(const Tensor& x, const Ragged& sequences) const {
  return output(gradus::attention(qkv(x), sequences, now()));
}

Tensors MultiHeadAttention::probabilities(const Tensor& x, const Ragged& sequences) const {
  return attention_probabilities(qkv(x), sequences, now());
}

void MultiHeadAttention::parts(Parts& p) {
  const int64_t rows = width(options);
  int64_t row = 0;
  for (const char* name : {"query", "key", "value"}) {
    p.rows(std::string(name) + ".weight", qkv.weight, row, row + rows);
    if (qkv.bias.defined()) p.rows(std::string(name) + ".bias", qkv.bias, row, row + rows);
    row += rows;
  }
  p("output", output);
}

FeedForward::FeedForward(const FeedForwardOptions& o)
    : activation(o.activation),
      up(o.hidden, o.intermediate, {.bias = o.bias}),
      down(o.intermediate, o.hidden, {.bias = o.bias}) {}

Tensor FeedForward::operator()(const Tensor& x) const {
  const Tensor h = linear(x, up.weight);
  return down(up.bias.defined() ? bias_gelu(h, up.bias, activation) : gelu(h, activation));
}

void FeedForward::parts(Parts& p) {
  p("up", up);
  p("down", down);
}

TransformerLayer::TransformerLayer(const TransformerOptions& o)
    : attention({.hidden = o.hidden,
                 .heads = o.heads,
                 .dropout = o.attention_dropout,
                 .causal = o.causal}),
      attention_norm(o.hidden, o.layer_norm_eps),
      feed_forward(
          {.hidden = o.hidden, .intermediate = o.intermediate, .activation = o.activation}),
      output_norm(o.hidden, o.layer_norm_eps),
      dropout{o.hidden_dropout} {}

Tensor TransformerLayer::operator()(const Tensor& x, const Ragged& sequences) const {
  const auto attended = [&] {
    const Scope scope("attention");
    return attention(x, sequences);
  };
  const Tensor h = add_norm(x, attended(), attention_norm, dropout, sequences);
  return add_norm(h, feed_forward(h), output_norm, dropout, sequences);
}

void TransformerLayer::parts(Parts& p) {
  p("attention", attention);
  p("attention_norm", attention_norm);
  p("feed_forward", feed_forward);
  p("output_norm", output_norm);
}

Encoder::Encoder(const TransformerOptions& o) {
  for (int64_t i = 0; i < o.layers; ++i) layer.emplace_back(o);
}

Tensor Encoder::operator()(const Tensor& x, const Ragged& sequences, Tensors* hidden_states) const {
  Tensor h = x;
  if (hidden_states) hidden_states->push_back(h);
  for (size_t i = 0; i < layer.size(); ++i) {
    const Scope scope("layer", static_cast<int64_t>(i));
    h = layer[i](h, sequences);
    if (hidden_states) hidden_states->push_back(h);
  }
  return h;
}

}  // namespace gradus
