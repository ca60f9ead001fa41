#include "gradus/models/bert.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "gradus/autograd/random.h"
#include "gradus/base/file.h"
#include "gradus/models/bert_names.h"

namespace gradus {
namespace {
Tensor from_ids(const std::vector<int32_t>& ids) {
  return from_vector(ids, {static_cast<int64_t>(ids.size())});
}
}  // namespace

void TokenBatch::add(std::span<const int32_t> sequence_ids,
                     std::span<const int32_t> sequence_types) {
  types.resize(ids.size());
  ids.insert(ids.end(), sequence_ids.begin(), sequence_ids.end());
  types.insert(types.end(), sequence_types.begin(), sequence_types.end());
  if (sequence_types.empty()) types.resize(ids.size());
  lengths.push_back(static_cast<int64_t>(sequence_ids.size()));
}

BertInput::BertInput(const BertConfig& config, const TokenBatch& batch, int64_t first)
    : sequences(batch.lengths, first) {
  const auto tokens = static_cast<size_t>(sequences.tokens());
  if (batch.ids.size() != tokens) fail("a batch of {} tokens has {} ids", tokens, batch.ids.size());
  place(config, batch.types);
  for (int64_t s = 0; s < sequences.sequences(); ++s)
    for (int64_t t = sequences.begin(s); t < sequences.end(s); ++t) {
      const int32_t id = batch.ids[static_cast<size_t>(t)];
      if (id < 0 || id >= config.vocab_size)
        fail(
            "the id {} at token {} of sequence {} is outside the model's vocabulary of {}; was the "
            "text encoded with another vocabulary?",
            id, t - sequences.begin(s), s, config.vocab_size);
    }
  ids = from_ids(batch.ids);
}

BertInput::BertInput(const BertConfig& config, const Tensor& vectors, const Ragged& ragged,
                     const std::vector<int32_t>& token_types)
    : sequences(ragged), words(vectors) {
  if (words.shape() != Shape{sequences.tokens(), config.hidden_size})
    fail("vectors in place of words have shape {}; {} tokens of this model want [{}, {}]",
         words.shape(), sequences.tokens(), sequences.tokens(), config.hidden_size);
  place(config, token_types);
}

void BertInput::place(const BertConfig& config, const std::vector<int32_t>& token_types) {
  const auto tokens = static_cast<size_t>(sequences.tokens());
  if (!token_types.empty() && token_types.size() != tokens)
    fail("a batch of {} tokens has {} token types", tokens, token_types.size());
  std::vector<int32_t> position(tokens), type = token_types;
  type.resize(tokens);
  for (int64_t s = 0; s < sequences.sequences(); ++s) {
    if (sequences.length(s) > config.max_position_embeddings)
      fail(
          "sequence {} of the batch has {} tokens, the model {} positions; cut the text, or take a "
          "model with more positions",
          s, sequences.length(s), config.max_position_embeddings);
    for (int64_t t = sequences.begin(s); t < sequences.end(s); ++t) {
      const auto i = static_cast<size_t>(t);
      if (type[i] < 0 || type[i] >= config.type_vocab_size)
        fail("the token type {} at token {} of sequence {} is outside the model's {}", type[i],
             t - sequences.begin(s), s, config.type_vocab_size);
      position[i] = static_cast<int32_t>(t - sequences.begin(s));
    }
  }
  types = from_ids(type);
  positions = from_ids(position);
}

BertEmbeddings::BertEmbeddings(const BertConfig& config)
    : word_embeddings(config.vocab_size, config.hidden_size),
      position_embeddings(config.max_position_embeddings, config.hidden_size),
      token_type_embeddings(config.type_vocab_size, config.hidden_size),
      norm(config.hidden_size, config.layer_norm_eps),
      dropout{config.hidden_dropout_prob} {}

Tensor BertEmbeddings::operator()(const BertInput& input) const {
  const Scope scope("embeddings");
  const Tensor words = input.words.defined() ? input.words : word_embeddings(input.ids);
  return dropout(
      norm(words + token_type_embeddings(input.types) + position_embeddings(input.positions)),
      input.sequences);
}

void BertEmbeddings::parts(Parts& p) {
  p("word_embeddings", word_embeddings);
  p("position_embeddings", position_embeddings);
  p("token_type_embeddings", token_type_embeddings);
  p("LayerNorm", norm);
}

BertModel::BertModel(const BertConfig& c)
    : config((c.validate("the model's configuration"), c)),
      embeddings(c),
      encoder(c.transformer()) {}

Tensor BertModel::operator()(const BertInput& input, Tensors* hidden_states) const {
  const Tensor x = embeddings(input);
  const Scope scope("encoder");
  return encoder(x, input.sequences, hidden_states);
}

void BertModel::parts(Parts& p) {
  p("embeddings", embeddings);
  p("encoder", encoder, hugging_face_name);
}

Tensor BertPooler::operator()(const Tensor& sequence_output, const Ragged& sequences) const {
  const Scope scope("pooler");
  return tanh(dense(take(sequence_output, from_ids(sequences.first_rows()))));
}

MaskedLanguageModelHead::MaskedLanguageModelHead(const BertConfig& config)
    : transform(config.hidden_size, config.hidden_size),
      norm(config.hidden_size, config.layer_norm_eps),
      bias(zeros({config.vocab_size}).set_requires_grad()),
      activation(config.activation()) {}

Tensor MaskedLanguageModelHead::transformed(const Tensor& output,
                                            const std::vector<int32_t>& rows) const {
  return norm(bias_gelu(linear(take(output, from_ids(rows)), transform.weight), transform.bias,
                        activation));
}

DecoderLoss MaskedLanguageModelHead::loss(const Tensor& output, const Tensor& word_embeddings,
                                          const std::vector<int32_t>& rows,
                                          const std::vector<int32_t>& labels,
                                          double denominator) const {
  const Scope scope("predictions");
  return decoder_loss(transformed(output, rows), word_embeddings, bias, from_ids(labels),
                      denominator);
}

Tensor MaskedLanguageModelHead::logits(const Tensor& output, const Tensor& word_embeddings,
                                       const std::vector<int32_t>& rows) const {
  const Scope scope("predictions");
  return linear(transformed(output, rows), word_embeddings, bias);
}

void MaskedLanguageModelHead::parts(Parts& p, Tensor& word_embeddings) {
  p("cls.predictions.bias", bias, Init::zeros);
  p("cls.predictions.transform.dense", transform);
  p("cls.predictions.transform.LayerNorm", norm);
  p.tied("cls.predictions.decoder.weight", word_embeddings);
  p.tied("cls.predictions.decoder.bias", bias);
}

BertForMaskedLM::BertForMaskedLM(const BertConfig& config) : bert(config), predictions(config) {
  bert.config.architectures = {"BertForMaskedLM"};
}

Tensor BertForMaskedLM::masked_logits(const BertInput& input,
                                      const std::vector<int32_t>& rows) const {
  return predictions.logits(bert(input), bert.embeddings.word_embeddings.weight, rows);
}

void BertForMaskedLM::parts(Parts& p) {
  p("bert", bert);
  predictions.parts(p, bert.embeddings.word_embeddings.weight);
}

BertForPreTraining::BertForPreTraining(const BertConfig& config)
    : bert(config), pooler(config), predictions(config), seq_relationship(config.hidden_size, 2) {
  bert.config.architectures = {"BertForPreTraining"};
}

PretrainingLoss BertForPreTraining::loss(const BertInput& input,
                                         const PretrainingTargets& targets) const {
  PretrainingLoss result;
  const Tensor output = bert(input);
  const auto denominator = [](double given, size_t count) {
    return given > 0 ? given : static_cast<double>(std::max<size_t>(count, 1));
  };
  if (!targets.rows.empty()) {
    const DecoderLoss masked = predictions.loss(
        output, bert.embeddings.word_embeddings.weight, targets.rows, targets.labels,
        denominator(targets.masked_denominator, targets.rows.size()));
    result.masked = masked.loss.item();
    result.masked_correct = masked.correct;
    result.total = masked.loss;
  }
  if (!targets.next_labels.empty()) {
    const Tensor logits = seq_relationship(pooler(output, input.sequences));
    const Scope scope("next_sentence");
    const Tensor next =
        cross_entropy(logits, from_ids(targets.next_labels),
                      denominator(targets.next_denominator, targets.next_labels.size()));
    const auto best = argmax(logits, -1).to_vector<int32_t>();
    for (size_t i = 0; i < best.size(); ++i)
      result.next_correct += best[i] == targets.next_labels[i];
    result.next = next.item();
    result.total = result.total.defined() ? result.total + next : next;
  }
  return result;
}

Tensor BertForPreTraining::next_logits(const BertInput& input) const {
  return seq_relationship(pooler(bert(input), input.sequences));
}

void BertForPreTraining::parts(Parts& p) {
  p("bert", bert);
  p("bert.pooler", pooler);
  predictions.parts(p, bert.embeddings.word_embeddings.weight);
  p("cls.seq_relationship", seq_relationship);
}

namespace {

// Positions as sines and cosines (Vaswani et al. 2017, section 3.5), with the root mean square of
// the other embeddings: a head that looks a fixed number of tokens back is then one linear map, not
// something to be learned place by place.
void fill_sinusoidal(Tensor table, double rms) {
  const int64_t positions = table.shape()[0], n = table.shape()[1];
  float* to = table.write<float>();
  for (int64_t t = 0; t < positions; ++t)
    for (int64_t i = 0; i < n; ++i) {
      const double angle =
          static_cast<double>(t) /
          std::pow(10000.0, static_cast<double>(i - i % 2) / static_cast<double>(n));
      to[t * n + i] = static_cast<float>(rms * std::numbers::sqrt2 *
                                         (i % 2 ? std::cos(angle) : std::sin(angle)));
    }
}

// Attention that begins as a comparison of tokens, as in trained models (Trockman and Kolter 2023,
// arXiv 2305.09828): the key's weights are the query's, of a size at which equal tokens find each
// other.
void fill_mimetic(const std::vector<Parameter>& list, const BertConfig& config, uint64_t seed) {
  initialize(list, Normal{config.initializer_range}, seed);
  const NoGrad scope;
  for (const Parameter& p : list) {
    if (p.tied) continue;
    if (p.name.ends_with("position_embeddings.weight"))
      fill_sinusoidal(p.view(), config.initializer_range);
    for (const char* which : {"self.query.weight", "self.key.weight"})
      if (p.name.ends_with(which)) {
        const std::string layer = p.name.substr(0, p.name.rfind("self."));
        Tensor view = p.view();
        copy_into(random_normal(view.shape(), seed, hash_bytes(layer), DType::f32) *
                      (1 / std::sqrt(static_cast<double>(config.hidden_size))),
                  view, false);
      }
  }
}

}  // namespace

void initialize_bert(const std::vector<Parameter>& list, const BertConfig& config,
                     BertInitialization how, uint64_t seed) {
  if (how == BertInitialization::mimetic) return fill_mimetic(list, config, seed);
  if (how == BertInitialization::google)
    return initialize(list, TruncatedNormal{config.initializer_range}, seed);
  initialize(list, Normal{config.initializer_range}, seed);
  const NoGrad scope;
  for (const Parameter& p : list)
    if (!p.tied && p.name.ends_with("word_embeddings.weight") && config.pad_token_id >= 0 &&
        config.pad_token_id < config.vocab_size) {
      Tensor pad = slice(p.view(), 0, config.pad_token_id, config.pad_token_id + 1);
      std::fill_n(pad.write<float>(), pad.numel(), 0.0f);
    }
}

}  // namespace gradus
