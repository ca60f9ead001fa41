// Exact match and F1 of answers, as the official evaluate-v1.1.py and evaluate-v2.0.py of SQuAD
// compute them, in percent.
#pragma once

#include <map>
#include <optional>

#include "gradus/tasks/question/squad.h"
#include "gradus/tasks/text/classification.h"

namespace gradus {

// Lower case, then ASCII punctuation removed, then the articles a, an, the, then white space to
// single spaces. Words are Python's (Unicode letters and numbers); a capital sigma becomes σ
// everywhere, where Python's lower() gives a final one.
std::string normalize_answer(const std::string& text);

// Of one prediction against one reference. f1 is over the multiset of words; where one of the two
// has none it is 1 if both have, else 0.
double exact_match(const std::string& prediction, const std::string& reference);
double answer_f1(const std::string& prediction, const std::string& reference);

using Answers = std::map<std::string, std::string>;  // by the id of the question; "" is "no answer"
// by id: the larger, the likelier there is no answer
using NullOdds = std::map<std::string, double>;

// SQuAD 1.1: exact_match and f1, over all questions; one without a prediction counts 0.
Metrics squad_metrics(const QaSet& set, const Answers& answers);

// SQuAD 2.0: exact, f1, total, and the same of the questions with and without an answer (HasAns_,
// NoAns_; only where there are any). As in the official program, questions without a prediction are
// left out: give "". With odds also best_exact, best_exact_thresh, best_f1 and best_f1_thresh. (The
// official program, given odds, also takes answers with odds above 1 for "no answer" in exact and
// f1; here they count as given.)
Metrics squad2_metrics(const QaSet& set, const Answers& answers,
                       const std::optional<NullOdds>& odds = {});

// The threshold above which "no answer" is said, that gives the best F1 (best_f1_thresh above);
// `spans` are the best answers that are spans.
double find_null_threshold(const QaSet& set, const Answers& spans, const NullOdds& odds);

}  // namespace gradus
