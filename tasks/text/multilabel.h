// How well sets of labels are predicted. Rows are examples, columns classes; a label is predicted
// where its score is at least the threshold.
#pragma once

#include "gradus/tasks/text/classification.h"

namespace gradus {

using LabelRows = std::vector<std::vector<uint8_t>>;  // 0 or 1
// any increasing function of the probability; for the threshold, the probability
using ScoreRows = std::vector<std::vector<double>>;

// of each class
std::vector<ClassScore> multilabel_scores(const LabelRows& gold, const ScoreRows& scores,
                                          double threshold = 0.5);

// The share of pairs of an example with the label and one without that the scores order rightly
// (ties count half); NaN where one kind is missing.
double roc_auc(const std::vector<uint8_t>& gold, const std::vector<double>& scores);

// Label ranking average precision: for each label of an example, the share of its labels among
// those scored as high; 1 for examples with none or all.
double label_ranking_average_precision(const LabelRows& gold, const ScoreRows& scores);

// f1_micro, f1_macro (over all classes), subset_accuracy (the whole set right), roc_auc_macro (over
// classes of which there are both kinds), lrap.
Metrics multilabel_metrics(const LabelRows& gold, const ScoreRows& scores, double threshold = 0.5);

std::string multilabel_table(const LabelRows& gold, const ScoreRows& scores,
                             const std::vector<std::string>& names, double threshold = 0.5);

}  // namespace gradus
