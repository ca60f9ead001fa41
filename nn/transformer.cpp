#include "gradus/nn/transformer.h"

namespace gradus {

MultiHeadAttention::MultiHeadAttention(const TransformerOptions& o)
    : qkv(o.hidden, 3 * o.hidden),
      output(o.hidden, o.hidden),
      options{.heads = o.heads, .causal = o.causal},
      dropout{o.attention_dropout} {
  if (o.heads < 1 || o.hidden % o.heads != 0)
    fail("a hidden size of {} cannot be divided among {} attention heads", o.hidden, o.heads);
}

Tensor MultiHeadAttention::operator()(const Tensor& x, const Ragged& sequences) const {
  const Scope scope("attention");
  AttentionOptions now = options;
  now.dropout = dropout.rate();
  return output(gradus::attention(qkv(x), sequences, now));
}

TransformerLayer::TransformerLayer(const TransformerOptions& o)
    : attention(o),
      attention_norm(o.hidden, o.layer_norm_eps),
      feed_forward(o),
      output_norm(o.hidden, o.layer_norm_eps),
      dropout{o.hidden_dropout} {}

Tensor TransformerLayer::operator()(const Tensor& x, const Ragged& sequences) const {
  const Tensor h = add_norm(x, attention(x, sequences), attention_norm, dropout, sequences);
  return add_norm(h, feed_forward(h), output_norm, dropout, sequences);
}

void TransformerLayer::parts(Parts& p) {
  const int64_t hidden = attention.output.weight.shape()[0];
  int64_t row = 0;
  for (const char* name : {"attention.self.query", "attention.self.key", "attention.self.value"}) {
    p.rows(std::string(name) + ".weight", attention.qkv.weight, row, row + hidden);
    p.rows(std::string(name) + ".bias", attention.qkv.bias, row, row + hidden);
    row += hidden;
  }
  p("attention.output.dense", attention.output);
  p("attention.output.LayerNorm", attention_norm);
  p("intermediate.dense", feed_forward.expand);
  p("output.dense", feed_forward.contract);
  p("output.LayerNorm", output_norm);
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
