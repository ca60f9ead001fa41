// Attention, the feed-forward network, and encoders made of them: post-norm as Devlin et al. 2018,
// or pre-norm with what came since. Each stands alone: a decoder or a layer of one's own takes
// MultiHeadAttention and FeedForward as they are (examples/tiny_gpt.cpp).
//
// Batches are ragged: x [tokens, hidden] is all tokens of all sequences one under the other,
// without padding, and `sequences` says where each begins. Positions count from 0 in each.
#pragma once

#include "gradus/nn/layers.h"

namespace gradus {

// Some rows of a batch, in its order, at least one of each sequence; and whose they are. Another
// order, a row outside, or a sequence without any is an Error.
struct AskedRows {
  Tensor rows;       // i32 [asked]
  Ragged sequences;  // asked rows of each
  AskedRows(const std::vector<int32_t>& rows, const Ragged& batch);
};

struct MultiHeadAttentionOptions {
  int64_t hidden, heads;
  // Grouped queries (Ainslie et al. 2023): keys and values have fewer heads, each for heads /
  // kv_heads of the queries'. 0: as many
  int64_t kv_heads = 0;
  int64_t head_size = 0;  // columns of a head; 0: hidden / heads
  double dropout = 0;     // of the probabilities, while training
  bool causal = false;    // a token sees itself and what came before it
  // A token sees those at most this many positions away: Mistral's sliding window of W is causal
  // with W - 1.
  std::optional<int64_t> window = {};
  bool alibi = false;  // scores fall with distance, by alibi_slopes(heads) (Press et al. 2022)
  // Turns queries and keys by their positions (Su et al. 2021, where it is 10000).
  std::optional<double> rotary_base = {};
  bool bias = true;
};

// Vaswani et al. 2017, section 3.2.2.
//   Q, K, V = x W_q, x W_k, x W_v;   y = (softmax(Q K^T / sqrt(head_size)) V of all heads) W_o
//   x [tokens, hidden] -> y [tokens, hidden]
// Parts: query, key, value, each a linear layer of [heads head_size, hidden] (key and value:
// kv_heads), and output. The first three are rows of one leaf, so that one product makes them.
// Errors: heads that do not divide hidden, kv_heads that do not divide heads, an odd head_size with
// rotary_base, x of another width.
struct MultiHeadAttention {
  MultiHeadAttentionOptions options;
  Linear qkv, output;
  explicit MultiHeadAttention(MultiHeadAttentionOptions options);
  // Self-attention. score_bias, if given, is added to the scores: [heads, n, n], n at least the
  // longest sequence.
  Tensor operator()(const Tensor& x, const Ragged& sequences, const Tensor& score_bias = {}) const;
  // Cross-attention: queries from x, keys and values from `memory` [its tokens, hidden], of as many
  // sequences.
  Tensor operator()(const Tensor& x, const Ragged& sequences, const Tensor& memory,
                    const Ragged& memory_sequences, const Tensor& score_bias = {}) const;
  // Self-attention of which only some rows are asked for, [asked, hidden]: those rows of the above.
  // Queries are made for these alone; with rotary positions for all; and where a token sees by its
  // position (causal, window, alibi) the whole is computed.
  Tensor operator()(const Tensor& x, const Ragged& sequences, const AskedRows& asked) const;
  // Who looks at whom: [heads, n, n] (query, key) of each sequence, before dropout.
  Tensors probabilities(const Tensor& x, const Ragged& sequences,
                        const Tensor& score_bias = {}) const;
  void parts(Parts& p);

 private:
  AttentionOptions now(const Tensor& score_bias) const;  // as the op wants them, at this moment
  Tensors projected(const Tensor& x, const Ragged& sequences) const;  // Q, K, V, turned
  Tensor turned(const Tensor& x, const Ragged& sequences, int64_t heads) const;
};

// Shazeer 2020: what stands between the two products, f(up(x)); and with a gate f(gate(x)) up(x),
// where f is relu, gelu, its tanh form or silu.
enum class FeedForwardKind { relu, gelu, gelu_tanh, silu, reglu, geglu, geglu_tanh, swiglu };

struct FeedForwardOptions {
  int64_t hidden, intermediate;
  FeedForwardKind kind = FeedForwardKind::gelu;
  bool bias = true;
};

// x [.., hidden] -> down(f(up(x))) or down(f(gate(x)) up(x)), [.., hidden]
// Parts: gate (if there is one), up, both [intermediate, hidden], and down. gate and up are rows of
// one leaf.
struct FeedForward {
  FeedForwardOptions options;
  Linear up, down;
  explicit FeedForward(FeedForwardOptions options);
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p);
};

struct TransformerOptions {
  int64_t hidden, layers, heads, intermediate;
  FeedForwardKind feed_forward = FeedForwardKind::gelu;
  double hidden_dropout = 0.1, attention_dropout = 0.1, layer_norm_eps = 1e-12;
  bool causal = false;
  bool pre_norm = false;  // norms stand before what they feed (Xiong et al. 2020), not after it
  bool attention_bias = true, feed_forward_bias = true, norm_bias = true;
  std::optional<double> rotary_base = {};
  // Of local layers, all but every global_every-th from the first on: what they see, and their own
  // rotary base (Gemma 2024; Warner et al. 2024). 1: none is local.
  int64_t global_every = 1;
  std::optional<int64_t> local_window = {};
  std::optional<double> local_rotary_base = {};
  bool is_local(int64_t layer) const { return layer % global_every != 0; }
  std::optional<double> rotary_base_of(int64_t layer) const {
    return is_local(layer) && local_rotary_base ? local_rotary_base : rotary_base;
  }
  LayerNorm norm() const { return LayerNorm(hidden, layer_norm_eps, {.bias = norm_bias}); }
};

// Post-norm (Devlin et al. 2018), LayerNorm(h + Dropout(FeedForward(h))) with
// h = LayerNorm(x + Dropout(Attention(x))); or pre-norm, h + Dropout(FeedForward(LayerNorm(h)))
// with h = x + Dropout(Attention(LayerNorm(x))). The first pre-norm layer of an encoder has no
// attention_norm: what reaches it comes out of the embeddings' norm.
struct TransformerLayer {
  MultiHeadAttention attention;
  std::optional<LayerNorm> attention_norm;
  FeedForward feed_forward;
  LayerNorm output_norm;
  Dropout dropout;
  bool pre_norm;
  explicit TransformerLayer(const TransformerOptions& options, int64_t place = 0);
  Tensor operator()(const Tensor& x, const Ragged& sequences) const;
  // Its output at some rows alone, [asked, hidden]: what follows attention is computed there only.
  Tensor operator()(const Tensor& x, const Ragged& sequences, const AskedRows& asked) const;
  void parts(Parts& p);

 private:
  template <class... Where>
  Tensor attended(const Tensor& x, const Where&... where) const;
  Tensor finished(const Tensor& x, const Tensor& attended, const Ragged& sequences) const;
};

struct Encoder {
  std::vector<TransformerLayer> layer;
  std::optional<LayerNorm> final_norm;  // of a pre-norm encoder
  explicit Encoder(const TransformerOptions& options);
  // hidden_states, if given, gets x and each layer's output: layers + 1 of [tokens, hidden], the
  // last one as it is returned.
  Tensor operator()(const Tensor& x, const Ragged& sequences,
                    Tensors* hidden_states = nullptr) const;
  // At some rows alone, [asked, hidden]: the same numbers but for rounding and for what dropout
  // draws. The last layer computes only what these rows need (TransformerLayer).
  Tensor operator()(const Tensor& x, const Ragged& sequences, const AskedRows& asked) const;
  void parts(Parts& p);

 private:
  Tensor through(Tensor h, const Ragged& sequences, size_t layers, Tensors* hidden_states) const;
};

}  // namespace gradus
