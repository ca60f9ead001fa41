// Logits to answers: the n best spans of a question over all its windows, their text cut from the
// context by offsets, and in SQuAD 2.0 the choice between the best of them and no answer. After
// run_squad.py (Devlin et al.) and Hugging Face's utils_qa.py, which differ in the two options that
// are off by default.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>

#include "gradus/tasks/question/features.h"

namespace gradus {

struct QaDecodeOptions {
  int64_t n_best_size = 20;        // starts and ends looked at in each window, and answers kept
  int64_t max_answer_length = 30;  // tokens
  // SQuAD 2.0 (version_2_with_negative): [CLS] to [CLS] is "no answer"
  bool may_be_unanswerable = false;
  // Google: a span counts only in the window that sees most around its start
  bool max_context = false;
  bool distinct_texts = false;  // Google: of spans with the same text only the best is kept
};

struct QaLogits {  // of one window: a number for each token of its sequence
  std::vector<float> start, end;
};

struct QaCandidate {
  std::string text;  // "" for no answer
  // code points of the context; 0, 0 for no answer
  int64_t begin = 0, end = 0;
  double start_logit = 0, end_logit = 0, probability = 0;  // softmax over the candidates' sums
};

struct QaPrediction {
  std::string id;
  // best first, at least one; without any span it is "empty" with logits 0, as in the references
  std::vector<QaCandidate> n_best;
  // the score of no answer less that of the best span; 0 unless may_be_unanswerable
  double null_odds = 0;
  size_t best_span = 0;  // the best of n_best that has text
  // What is answered: "no answer" where null_odds is above the threshold.
  // null: no answer
  const QaCandidate* answer(bool may_be_unanswerable, double null_threshold = 0) const;
};

// `logits` are those of the question's windows, in their order.
QaPrediction decode_answer(const QaFeatures& features, const QaSet& set, size_t question,
                           std::span<const QaLogits> logits, const QaDecodeOptions& options);

// The three files of the references: {id: text}, {id: [{text, probability, start_logit,
// end_logit}]}, {id: null odds}.
nlohmann::ordered_json predictions_json(const std::vector<QaPrediction>& predictions,
                                        bool may_be_unanswerable, double null_threshold = 0);
nlohmann::ordered_json nbest_json(const std::vector<QaPrediction>& predictions);
nlohmann::ordered_json null_odds_json(const std::vector<QaPrediction>& predictions);

}  // namespace gradus
