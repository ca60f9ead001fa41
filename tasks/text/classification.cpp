#include "gradus/tasks/text/classification.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradus/base/error.h"
#include "gradus/tasks/labels.h"

namespace gradus {
namespace {

double ratio(double numerator, double denominator) {
  return denominator == 0 ? 0 : numerator / denominator;
}

// Of each class: what it is, and what it is taken for.
struct Sums {
  std::vector<int64_t> gold, predicted, right;
  explicit Sums(const Confusion& confusion)
      : gold(static_cast<size_t>(confusion.classes)), predicted(gold.size()), right(gold.size()) {
    for (const auto& [pair, count] : confusion.counts) {
      const auto g = static_cast<size_t>(pair.first), p = static_cast<size_t>(pair.second);
      gold[g] += count;
      predicted[p] += count;
      if (g == p) right[g] += count;
    }
  }
};

// How many columns a name takes: code points, which is right for all but wide and combining
// characters.
size_t columns(const std::string& name) {
  return static_cast<size_t>(
      std::count_if(name.begin(), name.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}
std::string padded(const std::string& name, size_t width) {
  return name + std::string(width - std::min(width, columns(name)), ' ');
}
size_t widest(const std::vector<std::string>& names, size_t least) {
  for (const auto& name : names) least = std::max(least, columns(name));
  return least;
}

}  // namespace

ClassScore class_score(int64_t right, int64_t predicted, int64_t gold) {
  const auto r = static_cast<double>(right), p = static_cast<double>(predicted),
             g = static_cast<double>(gold);
  return {ratio(r, p), ratio(r, g), ratio(2 * r, p + g), gold};
}

Confusion::Confusion(const std::vector<int32_t>& gold, const std::vector<int32_t>& predicted,
                     int32_t number)
    : classes(number) {
  check(classes >= 1, "metrics: {} classes", classes);
  check(gold.size() == predicted.size(), "metrics: {} gold labels and {} predictions", gold.size(),
        predicted.size());
  for (size_t i = 0; i < gold.size(); ++i) {
    for (const int32_t id : {gold[i], predicted[i]})
      check(id >= 0 && id < classes, "metrics: the label id {} of example {} is not one of 0..{}",
            id, i, classes - 1);
    ++counts[{gold[i], predicted[i]}];
  }
}

int64_t Confusion::count(int32_t gold, int32_t predicted) const {
  const auto found = counts.find({gold, predicted});
  return found == counts.end() ? 0 : found->second;
}

int64_t Confusion::total() const {
  int64_t sum = 0;
  for (const auto& [pair, count] : counts) sum += count;
  return sum;
}

double accuracy(const Confusion& confusion) {
  int64_t right = 0;
  for (const auto& [pair, count] : confusion.counts)
    if (pair.first == pair.second) right += count;
  return ratio(static_cast<double>(right), static_cast<double>(confusion.total()));
}

double matthews_correlation(const Confusion& confusion) {
  const Sums sums(confusion);
  const auto n = static_cast<double>(confusion.total());
  double right = 0, both = 0, gold2 = 0, predicted2 = 0;
  for (size_t i = 0; i < sums.gold.size(); ++i) {
    const auto g = static_cast<double>(sums.gold[i]), p = static_cast<double>(sums.predicted[i]);
    right += static_cast<double>(sums.right[i]);
    both += g * p;
    gold2 += g * g;
    predicted2 += p * p;
  }
  return ratio(right * n - both, std::sqrt((n * n - predicted2) * (n * n - gold2)));
}

std::vector<ClassScore> class_scores(const Confusion& confusion) {
  const Sums sums(confusion);
  std::vector<ClassScore> scores;
  for (size_t i = 0; i < sums.gold.size(); ++i)
    scores.push_back(class_score(sums.right[i], sums.predicted[i], sums.gold[i]));
  return scores;
}

std::vector<bool> occurring(const Confusion& confusion) {
  const Sums sums(confusion);
  std::vector<bool> occurs;
  for (size_t i = 0; i < sums.gold.size(); ++i)
    occurs.push_back(sums.gold[i] + sums.predicted[i] > 0);
  return occurs;
}

ClassScore macro_average(const std::vector<ClassScore>& scores, const std::vector<bool>& occurs) {
  ClassScore mean;
  double classes = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    if (!occurs[i]) continue;
    classes += 1;
    mean.precision += scores[i].precision;
    mean.recall += scores[i].recall;
    mean.f1 += scores[i].f1;
    mean.support += scores[i].support;
  }
  return {ratio(mean.precision, classes), ratio(mean.recall, classes), ratio(mean.f1, classes),
          mean.support};
}

ClassScore weighted_average(const std::vector<ClassScore>& scores) {
  ClassScore mean;
  for (const auto& score : scores) {
    const auto weight = static_cast<double>(score.support);
    mean.precision += weight * score.precision;
    mean.recall += weight * score.recall;
    mean.f1 += weight * score.f1;
    mean.support += score.support;
  }
  const auto all = static_cast<double>(mean.support);
  return {ratio(mean.precision, all), ratio(mean.recall, all), ratio(mean.f1, all), mean.support};
}

Metrics classification_metrics(const Confusion& confusion) {
  const auto scores = class_scores(confusion);
  const ClassScore macro = macro_average(scores, occurring(confusion));
  return {{"accuracy", accuracy(confusion)},
          {"f1_macro", macro.f1},
          {"f1_weighted", weighted_average(scores).f1},
          {"precision_macro", macro.precision},
          {"recall_macro", macro.recall},
          {"matthews_correlation", matthews_correlation(confusion)}};
}

std::string score_table(const std::vector<std::string>& names,
                        const std::vector<ClassScore>& scores,
                        const std::vector<std::pair<std::string, ClassScore>>& averages) {
  const size_t width = widest(names, 12);
  std::string text = padded("", width) + "  precision  recall      F1  support\n";
  const auto row = [&](const std::string& name, const ClassScore& score) {
    text += fmt::format("{}  {:9.4f}  {:6.4f}  {:6.4f}  {:7}\n", padded(name, width),
                        score.precision, score.recall, score.f1, score.support);
  };
  std::vector<int64_t> supports;
  for (const ClassScore& score : scores) supports.push_back(score.support);
  const std::vector<size_t> shown = most_frequent(supports);
  for (const size_t i : shown) row(names[i], scores[i]);
  if (names.size() > shown.size())
    text += fmt::format("and {} more\n", names.size() - shown.size());
  text += '\n';
  for (const auto& [name, score] : averages) row(name, score);
  return text;
}

std::string class_table(const Confusion& confusion, const std::vector<std::string>& names) {
  const auto scores = class_scores(confusion);
  return score_table(names, scores,
                     {{"macro", macro_average(scores, occurring(confusion))},
                      {"weighted", weighted_average(scores)}}) +
         fmt::format("accuracy {:.4f} of {}\n", accuracy(confusion), confusion.total());
}

namespace {

// Those of many classes that happened most.
std::string worst_confusions(const Confusion& confusion, const std::vector<std::string>& names) {
  std::vector<std::pair<int64_t, std::pair<int32_t, int32_t>>> pairs;
  for (const auto& [pair, count] : confusion.counts)
    if (pair.first != pair.second) pairs.emplace_back(-count, pair);
  std::sort(pairs.begin(), pairs.end());
  if (pairs.size() > 20) pairs.resize(20);
  std::string text = "the most frequent confusions\n";
  for (const auto& [minus, pair] : pairs)
    text += fmt::format("  {:7}  {} taken for {}\n", -minus, names[static_cast<size_t>(pair.first)],
                        names[static_cast<size_t>(pair.second)]);
  return text;
}

}  // namespace

std::string confusion_table(const Confusion& confusion, const std::vector<std::string>& names) {
  if (names.size() > 30) return worst_confusions(confusion, names);
  const size_t left = widest(names, 4), cell = widest(names, 6);
  std::string text = padded("gold", left) + "  predicted\n" + padded("", left);
  const auto right_aligned = [&](const std::string& value) {
    text += std::string(2 + cell - std::min(cell, columns(value)), ' ') + value;
  };
  for (const auto& name : names) right_aligned(name);
  text += '\n';
  for (int32_t gold = 0; gold < confusion.classes; ++gold) {
    text += padded(names[static_cast<size_t>(gold)], left);
    for (int32_t predicted = 0; predicted < confusion.classes; ++predicted)
      right_aligned(std::to_string(confusion.count(gold, predicted)));
    text += '\n';
  }
  return text;
}

}  // namespace gradus
