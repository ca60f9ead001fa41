// BERT with a head for a task. Those of Hugging Face's classes that are one linear layer on the
// body are one struct here, BertForTask: what they differ in is a row of this table.
//
//   class of transformers           reads           parameter            dropout before it   logits
//   BertForSequenceClassification   pooled        classifier        yes         [sequences, labels]
//   BertForMultipleChoice    pooled    classifier    yes    [sequences, 1]: a score for each choice
//   BertForNextSentencePrediction   pooled         cls.seq_relationship   no         [sequences, 2]
//   BertForTokenClassification      every token     classifier         yes         [tokens, labels]
//   BertForQuestionAnswering     every token     qa_outputs      no      [tokens, 2]: start and end
//
// Models that read every token have no pooler, as there. A ModernBERT (ModernBertFor…) has no
// pooler at all: it takes the first token, or the mean of all, where the table says pooled, has its
// prediction head's transform and dropout before every last layer, calls each of them classifier,
// and has none for next sentences. The losses that belong to them are in nn/losses.h.
#pragma once

#include <optional>

#include "gradus/models/embedding.h"

namespace gradus {

enum class BertHead {
  sequence_classification,
  multiple_choice,
  next_sentence,
  token_classification,
  question_answering
};

// The name in config.json's "architectures", and back; nullopt where that names none of these.
std::string architecture(BertHead head, const BertConfig& config);
std::optional<BertHead> head_named(const std::string& architecture);

struct BertForTask {
  BertHead head;
  BertModel bert;
  std::optional<BertPooler> pooler;
  std::optional<PredictionTransform> transform;  // of a ModernBERT
  Dropout dropout;
  Linear classifier;

  // As many logits as the head fixes, or as config.id2label has labels; where that is empty two, as
  // in transformers.
  BertForTask(BertHead head, const BertConfig& config);
  Tensor operator()(const BertInput& input) const { return logits(bert(input), input.sequences); }
  // from the encoder's output [tokens, hidden]
  Tensor logits(const Tensor& output, const Ragged& sequences) const;
  void parts(Parts& p);
  bool by_token() const;  // a row of logits for each token, not for each sequence

 private:
  Pooling pooling() const;
};

}  // namespace gradus
