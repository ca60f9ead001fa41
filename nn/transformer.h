// The transformer encoder of Devlin et al. 2018 (post-norm), over ragged batches: x [tokens,
// hidden] is all tokens of all sequences, without padding. The same parts make a causal language
// model (examples/tiny_gpt.cpp). Names follow Hugging Face's BertLayer, so that its files load as
// they are.
#pragma once

#include "gradus/nn/layers.h"

namespace gradus {

struct TransformerOptions {
  int64_t hidden, layers, heads, intermediate;
  Gelu activation = Gelu::erf;
  double hidden_dropout = 0.1, attention_dropout = 0.1, layer_norm_eps = 1e-12;
  bool causal = false;
};

// Query, key and value are one product: rows of one leaf.
struct MultiHeadAttention {
  Linear qkv, output;
  AttentionOptions options;
  Dropout dropout;
  explicit MultiHeadAttention(const TransformerOptions& o);
  // [tokens, hidden] -> [tokens, hidden], before dropout and residual
  Tensor operator()(const Tensor& x, const Ragged& sequences) const;
  // Who looks at whom: [heads, n, n] (query, key) of each sequence.
  Tensors probabilities(const Tensor& x, const Ragged& sequences) const {
    return attention_probabilities(qkv(x), sequences, options);
  }
};

struct FeedForward {
  Linear expand, contract;
  Gelu activation;
  explicit FeedForward(const TransformerOptions& o)
      : expand(o.hidden, o.intermediate),
        contract(o.intermediate, o.hidden),
        activation(o.activation) {}
  Tensor operator()(const Tensor& x) const {
    return contract(bias_gelu(linear(x, expand.weight), expand.bias, activation));
  }
};

struct TransformerLayer {
  MultiHeadAttention attention;
  LayerNorm attention_norm;
  FeedForward feed_forward;
  LayerNorm output_norm;
  Dropout dropout;
  explicit TransformerLayer(const TransformerOptions& o);
  Tensor operator()(const Tensor& x, const Ragged& sequences) const;
  void parts(Parts& p);
};

struct Encoder {
  std::vector<TransformerLayer> layer;
  explicit Encoder(const TransformerOptions& o);
  Tensor operator()(const Tensor& x, const Ragged& sequences,
                    // hidden_states: x and each layer's output
                    Tensors* hidden_states = nullptr) const;
  void parts(Parts& p) { p("layer", layer); }
};

}  // namespace gradus
