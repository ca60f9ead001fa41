#include "gradus/tasks/text/multilabel.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradus/base/error.h"
#include "gradus/tasks/text/regression.h"

namespace gradus {
namespace {

void check_rows(const LabelRows& gold, const ScoreRows& scores) {
  check(gold.size() == scores.size() && !gold.empty(), "metrics: {} examples and scores of {}",
        gold.size(), scores.size());
  for (size_t i = 0; i < gold.size(); ++i)
    check(gold[i].size() == gold[0].size() && scores[i].size() == gold[0].size(),
          "metrics: example {} has {} labels and {} scores; {} classes are expected", i,
          gold[i].size(), scores[i].size(), gold[0].size());
}

struct Counts {
  int64_t right = 0, predicted = 0, gold = 0;
};

std::vector<Counts> count(const LabelRows& gold, const ScoreRows& scores, double threshold) {
  check_rows(gold, scores);
  std::vector<Counts> counts(gold[0].size());
  for (size_t i = 0; i < gold.size(); ++i)
    for (size_t c = 0; c < counts.size(); ++c) {
      const bool predicted = scores[i][c] >= threshold;
      counts[c].gold += gold[i][c];
      counts[c].predicted += predicted;
      counts[c].right += predicted && gold[i][c];
    }
  return counts;
}

ClassScore micro_average(const std::vector<Counts>& counts) {
  Counts sum;
  for (const auto& one : counts)
    sum = {sum.right + one.right, sum.predicted + one.predicted, sum.gold + one.gold};
  return class_score(sum.right, sum.predicted, sum.gold);
}

}  // namespace

std::vector<ClassScore> multilabel_scores(const LabelRows& gold, const ScoreRows& scores,
                                          double threshold) {
  std::vector<ClassScore> of_classes;
  for (const auto& one : count(gold, scores, threshold))
    of_classes.push_back(class_score(one.right, one.predicted, one.gold));
  return of_classes;
}

double roc_auc(const std::vector<uint8_t>& gold, const std::vector<double>& scores) {
  // Mann and Whitney's U from the sum of ranks
  const std::vector<double> ranks = average_ranks(scores);
  double with = 0, sum = 0;
  for (size_t i = 0; i < gold.size(); ++i) {
    with += gold[i];
    sum += gold[i] ? ranks[i] : 0;
  }
  const double without = static_cast<double>(gold.size()) - with;
  return with > 0 && without > 0 ? (sum - with * (with + 1) / 2) / (with * without)
                                 : std::numeric_limits<double>::quiet_NaN();
}

double label_ranking_average_precision(const LabelRows& gold, const ScoreRows& scores) {
  check_rows(gold, scores);
  double sum = 0;
  for (size_t i = 0; i < gold.size(); ++i) {
    const auto labels = std::count(gold[i].begin(), gold[i].end(), 1);
    if (labels == 0 || static_cast<size_t>(labels) == gold[i].size()) {
      sum += 1;
      continue;
    }
    double precision = 0;
    for (size_t c = 0; c < gold[i].size(); ++c) {
      if (!gold[i][c]) continue;
      double above = 0, right = 0;
      for (size_t k = 0; k < gold[i].size(); ++k)
        if (scores[i][k] >= scores[i][c]) {
          above += 1;
          right += gold[i][k];
        }
      precision += right / above;
    }
    sum += precision / static_cast<double>(labels);
  }
  return sum / static_cast<double>(gold.size());
}

Metrics multilabel_metrics(const LabelRows& gold, const ScoreRows& scores, double threshold) {
  const auto counts = count(gold, scores, threshold);
  const auto of_classes = multilabel_scores(gold, scores, threshold);
  int64_t whole = 0;
  for (size_t i = 0; i < gold.size(); ++i)
    whole += std::equal(gold[i].begin(), gold[i].end(), scores[i].begin(),
                        [&](uint8_t label, double score) { return label == (score >= threshold); });
  double auc = 0, classes = 0;
  for (size_t c = 0; c < counts.size(); ++c) {
    std::vector<uint8_t> labels;
    std::vector<double> values;
    for (size_t i = 0; i < gold.size(); ++i) {
      labels.push_back(gold[i][c]);
      values.push_back(scores[i][c]);
    }
    if (const double area = roc_auc(labels, values); !std::isnan(area)) {
      auc += area;
      classes += 1;
    }
  }
  return {{"f1_micro", micro_average(counts).f1},
          {"f1_macro", macro_average(of_classes, std::vector<bool>(of_classes.size(), true)).f1},
          {"subset_accuracy", static_cast<double>(whole) / static_cast<double>(gold.size())},
          {"roc_auc_macro", classes > 0 ? auc / classes : std::numeric_limits<double>::quiet_NaN()},
          {"lrap", label_ranking_average_precision(gold, scores)}};
}

std::string multilabel_table(const LabelRows& gold, const ScoreRows& scores,
                             const std::vector<std::string>& names, double threshold) {
  const auto of_classes = multilabel_scores(gold, scores, threshold);
  return score_table(names, of_classes,
                     {{"micro", micro_average(count(gold, scores, threshold))},
                      {"macro", macro_average(of_classes, std::vector<bool>(names.size(), true))}});
}

}  // namespace gradus
