#include "gradus/tasks/text/glue_metrics.h"

#include <fmt/ranges.h>

#include "gradus/base/error.h"

namespace gradus {
namespace {

Metrics combined(Metrics metrics) {
  double sum = 0;
  for (const auto& [name, value] : metrics) sum += value;
  if (metrics.size() > 1)
    metrics.emplace_back("combined_score", sum / static_cast<double>(metrics.size()));
  return metrics;
}

}  // namespace

Metrics glue_metrics(const GlueTask& task, const std::vector<int32_t>& gold,
                     const std::vector<int32_t>& predicted) {
  check(!task.regression(), "{} is a regression: its labels are numbers", task.name);
  const Confusion confusion(gold, predicted, task.table().size());
  if (task.metrics == GlueMetrics::matthews)
    return {{"matthews_correlation", matthews_correlation(confusion)}};
  if (task.metrics == GlueMetrics::accuracy) return {{"accuracy", accuracy(confusion)}};
  return combined({{"accuracy", accuracy(confusion)}, {"f1", class_scores(confusion)[1].f1}});
}

Metrics glue_metrics(const GlueTask& task, const std::vector<double>& gold,
                     const std::vector<double>& predicted) {
  check(task.regression(), "{} is a classification: its labels are {}", task.name,
        fmt::join(task.labels, ", "));
  return combined(
      {{"pearson", pearson(gold, predicted)}, {"spearmanr", spearman(gold, predicted)}});
}

}  // namespace gradus
