#include "gradus/models/heads.h"

namespace gradus {
namespace {

struct HeadKind {
  BertHead head;
  const char *architecture, *parameter;
  bool pooled, drops_out;
  int64_t logits;  // 0: as many as there are labels
};

constexpr HeadKind kinds[] = {
    {BertHead::sequence_classification, "BertForSequenceClassification", "classifier", true, true,
     0},
    {BertHead::multiple_choice, "BertForMultipleChoice", "classifier", true, true, 1},
    {BertHead::next_sentence, "BertForNextSentencePrediction", "cls.seq_relationship", true, false,
     2},
    {BertHead::token_classification, "BertForTokenClassification", "classifier", false, true, 0},
    {BertHead::question_answering, "BertForQuestionAnswering", "qa_outputs", false, false, 2},
};

const HeadKind& kind_of(BertHead head) { return kinds[static_cast<size_t>(head)]; }

int64_t count_logits(BertHead head, const BertConfig& config) {
  return kind_of(head).logits ? kind_of(head).logits : config.num_labels();
}

double rate_before(BertHead head, const BertConfig& config) {
  if (!kind_of(head).drops_out) return 0;
  return config.classifier_dropout < 0 ? config.hidden_dropout_prob : config.classifier_dropout;
}

}  // namespace

const char* architecture(BertHead head) { return kind_of(head).architecture; }

std::optional<BertHead> head_named(const std::string& architecture) {
  for (const HeadKind& kind : kinds)
    if (architecture == kind.architecture) return kind.head;
  return {};
}

BertForTask::BertForTask(BertHead head, const BertConfig& config)
    : head(head),
      bert(config),
      dropout{rate_before(head, config)},
      classifier(config.hidden_size, count_logits(head, config)) {
  if (kind_of(head).pooled) pooler.emplace(config);
  bert.config.architectures = {architecture(head)};
}

Tensor BertForTask::logits(const Tensor& output, const Ragged& sequences) const {
  const Tensor x = pooler ? (*pooler)(output, sequences) : output;
  const Scope scope("classifier");
  return classifier(dropout(x, pooler ? sequences.one_row_each() : sequences));
}

void BertForTask::parts(Parts& p) {
  p("bert", bert);
  if (pooler) p("bert.pooler", *pooler);
  p(kind_of(head).parameter, classifier);
}

}  // namespace gradus
