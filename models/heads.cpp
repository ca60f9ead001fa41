#include "gradus/models/heads.h"

namespace gradus {
namespace {

struct HeadKind {
  BertHead head;
  const char *ending, *parameter;  // of the class's name; what the last layer is called
  bool pooled, drops_out;
  int64_t logits;  // 0: as many as there are labels
};

constexpr HeadKind kinds[] = {
    {BertHead::sequence_classification, "ForSequenceClassification", "classifier", true, true, 0},
    {BertHead::multiple_choice, "ForMultipleChoice", "classifier", true, true, 1},
    {BertHead::next_sentence, "ForNextSentencePrediction", "cls.seq_relationship", true, false, 2},
    {BertHead::token_classification, "ForTokenClassification", "classifier", false, true, 0},
    {BertHead::question_answering, "ForQuestionAnswering", "qa_outputs", false, false, 2},
};

const HeadKind& kind_of(BertHead head) { return kinds[static_cast<size_t>(head)]; }

int64_t count_logits(BertHead head, const BertConfig& config) {
  return kind_of(head).logits ? kind_of(head).logits : config.num_labels();
}

double rate_before(BertHead head, const BertConfig& config) {
  if (!kind_of(head).drops_out && !config.modern) return 0;
  return config.classifier_dropout < 0 ? config.hidden_dropout_prob : config.classifier_dropout;
}

}  // namespace

std::string architecture(BertHead head, const BertConfig& config) {
  return config.class_named(kind_of(head).ending);
}

std::optional<BertHead> head_named(const std::string& architecture) {
  for (const HeadKind& kind : kinds)
    for (const char* family : {"Bert", "ModernBert"})
      if (architecture == std::string(family) + kind.ending) return kind.head;
  return {};
}

BertForTask::BertForTask(BertHead head, const BertConfig& config)
    : head(head),
      bert(config),
      dropout{rate_before(head, config)},
      classifier(config.hidden_size, count_logits(head, config)) {
  check(!config.modern || head != BertHead::next_sentence,
        "a ModernBERT has no head for next sentences");
  if (config.modern) transform.emplace(config);
  else if (kind_of(head).pooled) pooler.emplace(config);
  bert.config.architectures = {architecture(head, config)};
}

Tensor BertForTask::logits(const Tensor& output, const Ragged& sequences) const {
  Tensor x = output;
  if (pooler) x = (*pooler)(output, sequences);
  else if (!by_token()) x = pool(output, sequences, pooling());
  const Scope scope("classifier");
  if (transform) x = (*transform)(x);
  return classifier(dropout(x, by_token() ? sequences : sequences.one_row_each()));
}

bool BertForTask::by_token() const { return !kind_of(head).pooled; }

Pooling BertForTask::pooling() const {
  return bert.config.modern->mean_pooling ? Pooling::mean : Pooling::cls;
}

void BertForTask::parts(Parts& p) {
  const BertConfig& config = bert.config;
  p(config.modern ? "model" : "bert", bert);
  if (pooler) p("bert.pooler", *pooler);
  if (transform) transform->parts(p, config);
  p(config.modern ? "classifier" : kind_of(head).parameter, classifier);
}

}  // namespace gradus
