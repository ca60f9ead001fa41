#include "gradus/models/bert.h"

#include <algorithm>
#include <cmath>

#include "gradus/autograd/random.h"
#include "gradus/base/file.h"
#include "gradus/models/bert_names.h"
#include "gradus/models/sinusoidal.h"

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
      if (config.modern) type[i] = 0;  // it has no token types: those of a pair say nothing
      else if (type[i] < 0 || type[i] >= config.type_vocab_size)
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
      norm(config.transformer().norm()),
      dropout{config.hidden_dropout_prob} {
  if (config.modern) return;
  position_embeddings.emplace(config.max_position_embeddings, config.hidden_size);
  token_type_embeddings.emplace(config.type_vocab_size, config.hidden_size);
}

Tensor BertEmbeddings::operator()(const BertInput& input) const {
  const Scope scope("embeddings");
  Tensor x = input.words.defined() ? input.words : word_embeddings(input.ids);
  if (token_type_embeddings) x = x + (*token_type_embeddings)(input.types);
  if (position_embeddings) x = x + (*position_embeddings)(input.positions);
  return dropout(norm(x), input.sequences);
}

void BertEmbeddings::parts(Parts& p) {
  const bool modern = !position_embeddings;
  p(modern ? "tok_embeddings" : "word_embeddings", word_embeddings);
  if (position_embeddings) p("position_embeddings", *position_embeddings);
  if (token_type_embeddings) p("token_type_embeddings", *token_type_embeddings);
  p(modern ? "norm" : "LayerNorm", norm);
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

Tensor BertModel::operator()(const BertInput& input, const AskedRows& asked) const {
  const Tensor x = embeddings(input);
  const Scope scope("encoder");
  return encoder(x, input.sequences, asked);
}

void BertModel::parts(Parts& p) {
  p("embeddings", embeddings);
  if (config.modern) p("layers", encoder.layer, modern_bert_name);
  else p("encoder.layer", encoder.layer, bert_name);
  if (encoder.final_norm) p("final_norm", *encoder.final_norm);
}

Tensor BertPooler::operator()(const Tensor& sequence_output, const Ragged& sequences) const {
  const Scope scope("pooler");
  return tanh(dense(take(sequence_output, from_ids(sequences.first_rows()))));
}

PredictionTransform::PredictionTransform(const BertConfig& config)
    : dense(config.hidden_size, config.hidden_size,
            {.bias = !config.modern || config.modern->classifier_bias}),
      norm(config.transformer().norm()),
      activation(config.activation()) {}

Tensor PredictionTransform::operator()(const Tensor& x) const {
  if (!dense.bias.defined()) return norm(gelu(dense(x), activation));
  return norm(bias_gelu(linear(x, dense.weight), dense.bias, activation));
}

void PredictionTransform::parts(Parts& p, const BertConfig& config) {
  p(config.modern ? "head.dense" : "cls.predictions.transform.dense", dense);
  p(config.modern ? "head.norm" : "cls.predictions.transform.LayerNorm", norm);
}

MaskedLanguageModelHead::MaskedLanguageModelHead(const BertConfig& config)
    : transform(config), bias(zeros({config.vocab_size}).set_requires_grad()) {}

DecoderLoss MaskedLanguageModelHead::loss(const Tensor& output, const Tensor& word_embeddings,
                                          const std::vector<int32_t>& rows,
                                          const std::vector<int32_t>& labels,
                                          double denominator) const {
  const Scope scope("predictions");
  return decoder_loss(transform(take(output, from_ids(rows))), word_embeddings, bias,
                      from_ids(labels), denominator);
}

Tensor MaskedLanguageModelHead::logits(const Tensor& output, const Tensor& word_embeddings,
                                       const std::vector<int32_t>& rows) const {
  const Scope scope("predictions");
  return linear(transform(take(output, from_ids(rows))), word_embeddings, bias);
}

void MaskedLanguageModelHead::parts(Parts& p, const BertConfig& config, Tensor& word_embeddings) {
  p(config.modern ? "decoder.bias" : "cls.predictions.bias", bias, Init::zeros);
  transform.parts(p, config);
  p.tied(config.modern ? "decoder.weight" : "cls.predictions.decoder.weight", word_embeddings);
  if (!config.modern) p.tied("cls.predictions.decoder.bias", bias);
}

BertForMaskedLM::BertForMaskedLM(const BertConfig& config) : bert(config), predictions(config) {
  bert.config.architectures = {bert.config.class_named("ForMaskedLM")};
}

Tensor BertForMaskedLM::masked_logits(const BertInput& input,
                                      const std::vector<int32_t>& rows) const {
  return predictions.logits(bert(input), bert.embeddings.word_embeddings.weight, rows);
}

void BertForMaskedLM::parts(Parts& p) {
  p(bert.config.modern ? "model" : "bert", bert);
  predictions.parts(p, bert.config, bert.embeddings.word_embeddings.weight);
}

BertForPreTraining::BertForPreTraining(const BertConfig& config)
    : bert(config), predictions(config) {
  bert.config.architectures = {
      bert.config.class_named(config.modern ? "ForMaskedLM" : "ForPreTraining")};
  if (config.modern) return;
  pooler.emplace(config);
  seq_relationship.emplace(config.hidden_size, 2);
}

namespace {

// What the heads look at: the encoder's output, whole or at the rows that are asked for, how its
// rows belong to the sequences, and which of them are predicted.
struct LookedAt {
  Tensor output;
  Ragged sequences;
  std::vector<int32_t> predicted;
};

// The predicted rows, and the first one of each sequence where there are pairs, or none predicted.
LookedAt where_asked(const BertModel& bert, const BertInput& input,
                     const PretrainingTargets& targets) {
  std::vector<int32_t> rows, predicted;
  auto row = targets.rows.begin();
  for (int64_t s = 0; s < input.sequences.sequences(); ++s) {
    const auto begin = static_cast<int32_t>(input.sequences.begin(s)),
               end = static_cast<int32_t>(input.sequences.end(s));
    const bool has_row = row != targets.rows.end() && *row < end;
    if ((!targets.next_labels.empty() || !has_row) && !(has_row && *row == begin))
      rows.push_back(begin);
    for (; row != targets.rows.end() && *row < end; ++row) {
      predicted.push_back(static_cast<int32_t>(rows.size()));
      rows.push_back(*row);
    }
  }
  rows.insert(rows.end(), row, targets.rows.end());  // none; else AskedRows says what is wrong
  const AskedRows asked(rows, input.sequences);
  return {bert(input, asked), asked.sequences, predicted};
}

}  // namespace

PretrainingLoss BertForPreTraining::loss(const BertInput& input, const PretrainingTargets& targets,
                                         Tensors* hidden_states) const {
  PretrainingLoss result;
  const auto [output, sequences, predicted] =
      last_layer_where_asked && !hidden_states
          ? where_asked(bert, input, targets)
          : LookedAt{bert(input, hidden_states), input.sequences, targets.rows};
  const auto denominator = [](double given, size_t count) {
    return given > 0 ? given : static_cast<double>(std::max<size_t>(count, 1));
  };
  if (!targets.rows.empty()) {
    const DecoderLoss masked =
        predictions.loss(output, bert.embeddings.word_embeddings.weight, predicted, targets.labels,
                         denominator(targets.masked_denominator, targets.rows.size()));
    result.masked = masked.loss.item();
    result.masked_correct = masked.correct;
    result.total = masked.loss;
  }
  if (!targets.next_labels.empty()) {
    const Tensor logits = next_logits_of(output, sequences);
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

Tensor BertForPreTraining::next_logits_of(const Tensor& output, const Ragged& sequences) const {
  check(pooler.has_value(), "a ModernBERT has no head for next sentences");
  return (*seq_relationship)((*pooler)(output, sequences));
}

Tensor BertForPreTraining::next_logits(const BertInput& input) const {
  return next_logits_of(bert(input), input.sequences);
}

void BertForPreTraining::parts(Parts& p) {
  p(bert.config.modern ? "model" : "bert", bert);
  if (pooler) p("bert.pooler", *pooler);
  predictions.parts(p, bert.config, bert.embeddings.word_embeddings.weight);
  if (seq_relationship) p("cls.seq_relationship", *seq_relationship);
}

namespace {

// Attention that begins as a comparison of tokens, as in trained models (Trockman and Kolter 2023,
// arXiv 2305.09828): the key's weights are the query's, of a size at which equal tokens find each
// other.
void fill_mimetic(const std::vector<Parameter>& list, const BertConfig& config, uint64_t seed) {
  initialize(list, Normal{config.initializer_range}, seed);
  const NoGrad scope;
  for (const Parameter& p : list) {
    if (p.tied) continue;
    // with the root mean square of the other embeddings: a head that looks a fixed number of tokens
    // back is then one linear map, not something to be learned place by place
    if (p.name.ends_with("position_embeddings.weight"))
      fill_sinusoidal(p.view(), vaswani_periods(config.hidden_size), config.initializer_range);
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
  check(how != BertInitialization::mimetic || !config.modern,
        "mimetic initial values are a BERT's; a ModernBERT takes hugging_face, google or counts");
  if (how == BertInitialization::mimetic) return fill_mimetic(list, config, seed);
  if (how == BertInitialization::google)
    return initialize(list, TruncatedNormal{config.initializer_range}, seed);
  initialize(list, Normal{config.initializer_range}, seed);
  const NoGrad scope;
  for (const Parameter& p : list)
    if (!p.tied && p.name.ends_with(word_embeddings_name(config)) && config.pad_token_id >= 0 &&
        config.pad_token_id < config.vocab_size) {
      Tensor pad = slice(p.view(), 0, config.pad_token_id, config.pad_token_id + 1);
      std::fill_n(pad.write<float>(), pad.numel(), 0.0f);
    }
}

}  // namespace gradus
