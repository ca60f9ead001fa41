// Attention, the feed-forward network, and the transformer encoder of Devlin et al. 2018 (post-norm)
// made of them. Each stands alone: a decoder, a pre-norm block or a layer of one's own takes
// MultiHeadAttention and FeedForward as they are (examples/tiny_gpt.cpp).
//
// Batches are ragged: x [tokens, hidden] is all tokens of all sequences one under the other, without
// padding, and `sequences` says where each begins.
#pragma once

#include "gradus/nn/layers.h"

namespace gradus {

struct MultiHeadAttentionOptions {
  int64_t hidden, heads;
  int64_t head_size = 0;  // columns of a head; 0: hidden / heads
  double dropout = 0;     // of the probabilities, while training
  bool causal = false;    // a token sees itself and what came before it
  bool bias = true;
};

// Vaswani et al. 2017, section 3.2.2.      x [tokens, hidden] -> [tokens, hidden]
//   output(concat over heads of softmax(Q K^T / sqrt(head_size)) V),   Q, K, V = x W_q, x W_k, x W_v
// Parts: query, key, value, each with weight [heads head_size, hidden] and bias, and output. The
// first three are rows of one leaf, so that one product makes them.
struct MultiHeadAttention {
  MultiHeadAttentionOptions options;
  Linear qkv, output;
  explicit MultiHeadAttention(const MultiHeadAttentionOptions& options);
  Tensor operator()(const Tensor& x, const Ragged& sequences) const;
  // Who looks at whom: [heads, n, n] (query, key) of each sequence, before dropout.
  Tensors probabilities(const Tensor& x, const Ragged& sequences) const;
  void parts(Parts& p);

 private:
  AttentionOptions now() const;  // as the op wants them, with the dropout of this moment
};

struct FeedForwardOptions {
  int64_t hidden, intermediate;
  Gelu activation = Gelu::erf;
  bool bias = true;
};

// down(gelu(up(x))).      x [.., hidden] -> [.., hidden]      up.weight [intermediate, hidden]
struct FeedForward {
  Gelu activation;
  Linear up, down;
  explicit FeedForward(const FeedForwardOptions& options);
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p);
};

struct TransformerOptions {
  int64_t hidden, layers, heads, intermediate;
  Gelu activation = Gelu::erf;
  double hidden_dropout = 0.1, attention_dropout = 0.1, layer_norm_eps = 1e-12;
  bool causal = false;
};

struct TransformerLayer {
  MultiHeadAttention attention;
  LayerNorm attention_norm;
  FeedForward feed_forward;
  LayerNorm output_norm;
  Dropout dropout;
  explicit TransformerLayer(const TransformerOptions& options);
  Tensor operator()(const Tensor& x, const Ragged& sequences) const;
  void parts(Parts& p);
};

struct Encoder {
  std::vector<TransformerLayer> layer;
  explicit Encoder(const TransformerOptions& options);
  // hidden_states, if given, gets x and each layer's output: layers + 1 of [tokens, hidden].
  Tensor operator()(const Tensor& x, const Ragged& sequences,
                    Tensors* hidden_states = nullptr) const;
  void parts(Parts& p) { p("layer", layer); }
};

}  // namespace gradus
