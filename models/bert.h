// BERT (Devlin et al. 2018): the encoder, and the pretraining heads; and ModernBERT (Warner et al.
// 2024), which is made of the same parts by a configuration that says so (modern_bert_config.h): it
// has no token types, learned positions, pooler and next-sentence head. Parameter names are Hugging
// Face's, so that its files load and ours open there.
//
// A batch is ragged: the ids of all tokens one under the other, with the lengths of the sequences;
// nothing is padded. Heads that are not asked for a loss are not built, and only the predicted
// positions go through the masked-language-model head.
#pragma once

#include "gradus/models/bert_config.h"

namespace gradus {

// Sequences of ids, one behind the other: a batch needs no padding.
struct TokenBatch {
  std::vector<int32_t> ids, types;  // no types: all are 0
  std::vector<int64_t> lengths;     // of the sequences

  // no types: 0
  void add(std::span<const int32_t> sequence_ids, std::span<const int32_t> sequence_types = {});

  int64_t size() const { return static_cast<int64_t>(ids.size()); }  // tokens
};

// The tokens of a batch, checked against a model's sizes before anything runs.
struct BertInput {
  Tensor ids;               // i32 [tokens]; undefined where words are given
  Tensor types, positions;  // i32 [tokens]
  Ragged sequences;
  Tensor words;  // [tokens, hidden]: in place of the word embeddings of ids; else undefined

  // An id, type or length beyond the config is an Error that says which sequence. `first` is the
  // number of its first sequence: dropout draws by it.
  BertInput(const BertConfig& config, const TokenBatch& batch, int64_t first = 0);
  // Vectors where words would be (inputs_embeds in transformers): for attribution, perturbation,
  // soft prompts. Token types and positions are added as ever. Gradients reach `words`. No types:
  // all are 0. A shape that is not [tokens, hidden_size] is an Error.
  BertInput(const BertConfig& config, const Tensor& words, const Ragged& sequences,
            const std::vector<int32_t>& types = {});

 private:
  // The positions, and the types (none: 0) checked.
  void place(const BertConfig& config, const std::vector<int32_t>& token_types);
};

// word + token type + position -> LayerNorm -> dropout.             [tokens] -> [tokens, hidden]
struct BertEmbeddings {
  Embedding word_embeddings;
  std::optional<Embedding> position_embeddings, token_type_embeddings;
  LayerNorm norm;
  Dropout dropout;
  explicit BertEmbeddings(const BertConfig& config);
  Tensor operator()(const BertInput& input) const;
  void parts(Parts& p);
};

struct BertModel {
  BertConfig config;
  BertEmbeddings embeddings;
  Encoder encoder;
  explicit BertModel(const BertConfig& config);
  // [tokens, hidden]
  Tensor operator()(const BertInput& input, Tensors* hidden_states = nullptr) const;
  Tensor operator()(const BertInput& input, const AskedRows& asked) const;  // [asked, hidden]
  void parts(Parts& p);
};

// tanh(dense(first token of each sequence)).                [tokens, hidden] -> [sequences, hidden]
struct BertPooler {
  Linear dense;
  explicit BertPooler(const BertConfig& config) : dense(config.hidden_size, config.hidden_size) {}
  Tensor operator()(const Tensor& sequence_output, const Ragged& sequences) const;
  void parts(Parts& p) { p("dense", dense); }
};

// LayerNorm(GELU(dense(x))): before the decoder; of a ModernBERT before every head's last layer.
struct PredictionTransform {
  Linear dense;
  LayerNorm norm;
  Gelu activation;
  explicit PredictionTransform(const BertConfig& config);
  Tensor operator()(const Tensor& x) const;
  void parts(Parts& p, const BertConfig& config);
};

// The transform, then a decoder that is the word embeddings (tied) with a bias of its own.
struct MaskedLanguageModelHead {
  PredictionTransform transform;
  Tensor bias;
  explicit MaskedLanguageModelHead(const BertConfig& config);
  // At the predicted tokens only: `rows` of the encoder's output [tokens, hidden].
  DecoderLoss loss(const Tensor& output, const Tensor& word_embeddings,
                   const std::vector<int32_t>& rows, const std::vector<int32_t>& labels,
                   double denominator) const;
  // [rows, vocabulary]
  Tensor logits(const Tensor& output, const Tensor& word_embeddings,
                const std::vector<int32_t>& rows) const;
  void parts(Parts& p, const BertConfig& config, Tensor& word_embeddings);
};

// What is predicted in a batch, and by how much each loss is divided: the counts of the whole
// accumulated batch, so that micro-batches add up to it.
struct PretrainingTargets {
  // predicted tokens: their rows in the batch, their true ids
  std::vector<int32_t> rows, labels;
  // a sequence each: 0 is next, 1 random; empty: no next-sentence loss
  std::vector<int32_t> next_labels;
  double masked_denominator = 0, next_denominator = 0;  // 0: of this batch alone
};

struct PretrainingLoss {
  Tensor total;                 // masked + next
  double masked = 0, next = 0;  // each as divided
  int64_t masked_correct = 0, next_correct = 0;
};

// The masked-language-model head alone: Hugging Face's class of that name has no pooler.
struct BertForMaskedLM {
  BertModel bert;
  MaskedLanguageModelHead predictions;

  explicit BertForMaskedLM(const BertConfig& config);
  BertForMaskedLM(BertModel body, MaskedLanguageModelHead head)
      : bert(std::move(body)), predictions(std::move(head)) {}
  // [rows, vocabulary]
  Tensor masked_logits(const BertInput& input, const std::vector<int32_t>& rows) const;
  void parts(Parts& p);
};

struct BertForPreTraining {
  BertModel bert;
  std::optional<BertPooler> pooler;  // a ModernBERT has none, and tells no next sentences
  MaskedLanguageModelHead predictions;
  std::optional<Linear> seq_relationship;
  // loss() computes the last layer only where it is looked at: at the predicted tokens and, with
  // pairs, at [CLS]. The same but for rounding and for what dropout draws.
  bool last_layer_where_asked = false;

  explicit BertForPreTraining(const BertConfig& config);
  // hidden_states, if given, gets those of the encoder, whole, the last of which is its output.
  PretrainingLoss loss(const BertInput& input, const PretrainingTargets& targets,
                       Tensors* hidden_states = nullptr) const;
  BertForMaskedLM masked_lm() const { return {bert, predictions}; }  // the same parameters
  Tensor masked_logits(const BertInput& input, const std::vector<int32_t>& rows) const {
    return masked_lm().masked_logits(input, rows);
  }                                                  // [rows, vocabulary]
  Tensor next_logits(const BertInput& input) const;  // [sequences, 2]
  void parts(Parts& p);

 private:
  Tensor next_logits_of(const Tensor& output, const Ragged& sequences) const;
};

// Hugging Face: normal. Google: truncated normal (cut at 2 standard deviations). Both zero biases;
// Hugging Face also zeroes the [PAD] embedding. Mimetic: for small models that are to learn in
// minutes. Attention begins as a comparison of tokens and positions, as trained models have it; the
// rest is normal. What it brings is measured in docs/reference-runs.md.
enum class BertInitialization { hugging_face, google, mimetic };
void initialize_bert(const std::vector<Parameter>& list, const BertConfig& config,
                     BertInitialization how, uint64_t seed);

}  // namespace gradus
