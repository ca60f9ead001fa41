#include "gradus/tasks/tagging/metrics.h"

#include <algorithm>

#include "gradus/base/error.h"

namespace gradus {
namespace {

struct Counts {
  int64_t right = 0, predicted = 0, gold = 0;
};

}  // namespace

EntityScores score_entities(const std::vector<Tags>& gold, const std::vector<Tags>& predicted,
                            std::optional<TagScheme> strict) {
  check(gold.size() == predicted.size(), "metrics: {} gold sentences and {} predicted ones",
        gold.size(), predicted.size());
  const auto find = [&](const Tags& tags) {
    return strict ? strict_entities(tags, *strict) : entities(tags);
  };
  std::map<std::string, Counts> counts;
  Counts all;
  int64_t words = 0, right_tags = 0;
  for (size_t i = 0; i < gold.size(); ++i) {
    check(gold[i].size() == predicted[i].size(),
          "metrics: sentence {} has {} words and predictions for {}", i, gold[i].size(),
          predicted[i].size());
    const auto wanted = find(gold[i]), found = find(predicted[i]);
    for (const Entity& entity : wanted) ++counts[entity.type].gold;
    for (const Entity& entity : found) {
      Counts& own = counts[entity.type];
      ++own.predicted;
      own.right += std::find(wanted.begin(), wanted.end(), entity) != wanted.end();
    }
    words += static_cast<int64_t>(gold[i].size());
    for (size_t k = 0; k < gold[i].size(); ++k) right_tags += gold[i][k] == predicted[i][k];
  }
  EntityScores scores;
  std::vector<ClassScore> list;
  for (const auto& [type, own] : counts) {
    list.push_back(scores.types[type] = class_score(own.right, own.predicted, own.gold));
    all = {all.right + own.right, all.predicted + own.predicted, all.gold + own.gold};
  }
  scores.micro = class_score(all.right, all.predicted, all.gold);
  scores.macro = macro_average(list, std::vector<bool>(list.size(), true));
  scores.weighted = weighted_average(list);
  scores.accuracy = words ? static_cast<double>(right_tags) / static_cast<double>(words) : 0;
  return scores;
}

Metrics entity_metrics(const EntityScores& scores) {
  return {{"precision", scores.micro.precision},
          {"recall", scores.micro.recall},
          {"f1", scores.micro.f1},
          {"f1_macro", scores.macro.f1},
          {"accuracy", scores.accuracy}};
}

std::string entity_table(const EntityScores& scores) {
  std::vector<std::string> names;
  std::vector<ClassScore> rows;
  for (const auto& [type, score] : scores.types) {
    names.push_back(type);
    rows.push_back(score);
  }
  return score_table(
             names, rows,
             {{"micro", scores.micro}, {"macro", scores.macro}, {"weighted", scores.weighted}}) +
         fmt::format("accuracy of the tags {:.4f}\n", scores.accuracy);
}

}  // namespace gradus
