// How good classes are: confusion matrix, accuracy, precision, recall, F1, Matthews correlation.
// Values equal scikit-learn's on recorded cases (tests/fixtures/make_metric_cases.py). A ratio
// whose denominator is 0 is 0, as there (zero_division=0).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gradus/base/metrics.h"

namespace gradus {

struct ClassScore {
  double precision = 0, recall = 0, f1 = 0;
  int64_t support = 0;  // how many there are in the gold labels
};

// From the counts of right predictions, of all predictions and of all gold labels of a class.
ClassScore class_score(int64_t right, int64_t predicted, int64_t gold);

// How often a class was taken for another. What never happened takes no memory: there may be many
// thousand classes.
struct Confusion {
  int32_t classes = 0;
  std::map<std::pair<int32_t, int32_t>, int64_t> counts;  // by (gold, predicted)
  int64_t count(int32_t gold, int32_t predicted) const;
  // Pairs of ids below `classes`; a gold or predicted id outside, or lists of different lengths,
  // are an Error.
  Confusion(const std::vector<int32_t>& gold, const std::vector<int32_t>& predicted,
            int32_t classes);
  int64_t total() const;
};

double accuracy(const Confusion& confusion);
// of any number of classes (Gorodkin 2004)
double matthews_correlation(const Confusion& confusion);
std::vector<ClassScore> class_scores(const Confusion& confusion);

// Averages over the classes that occur, in the gold labels or the predictions: plain, and weighted
// by support. Support is the sum.
ClassScore macro_average(const std::vector<ClassScore>& scores, const std::vector<bool>& occurs);
ClassScore weighted_average(const std::vector<ClassScore>& scores);
std::vector<bool> occurring(const Confusion& confusion);

// accuracy, f1_macro, f1_weighted, precision_macro, recall_macro, matthews_correlation. (F1 over
// all decisions, "micro", is the accuracy here.)
Metrics classification_metrics(const Confusion& confusion);

// For people: precision, recall, F1 and support of each class and the averages; and the matrix,
// gold labels down, predictions across. Of very many classes those with the most support, and the
// confusions that happened most.
std::string class_table(const Confusion& confusion, const std::vector<std::string>& names);
std::string confusion_table(const Confusion& confusion, const std::vector<std::string>& names);

// The rows of such a table for any scores: the names, then the averages.
std::string score_table(const std::vector<std::string>& names,
                        const std::vector<ClassScore>& scores,
                        const std::vector<std::pair<std::string, ClassScore>>& averages);

}  // namespace gradus
