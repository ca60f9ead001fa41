// regress: a number for a text or a pair of texts. Mean squared error.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradus/base/json.h"
#include "gradus/tasks/text/glue_metrics.h"
#include "gradus/tasks/text/regression.h"
#include "gradus/tasks/text/task.h"

namespace gradus {
namespace {

class RegressSet : public TextTaskSet {
 public:
  RegressSet(const TextTask& task, TextSet texts, TaskUse use)
      : TextTaskSet(task, std::move(texts)), use_(use) {
    if (use != TaskUse::prediction) values_ = label_values(set_);
  }

  Targets targets(std::span<const int64_t> units) const override {
    std::vector<double> wanted;
    for (const int64_t unit : units) wanted.push_back(values_[static_cast<size_t>(unit)]);
    return targets_of(units, std::vector<double>(units.size(), 1),
                      [wanted](const Tensor& logits, double denominator) {
                        return mean_squared_error(
                            logits, cast(from_vector(wanted, logits.shape()), logits.dtype()),
                            denominator);
                      });
  }

  Evaluation evaluate(const std::vector<UnitLogits>& logits) const override {
    std::vector<double> predicted, losses;
    for (size_t u = 0; u < logits.size(); ++u) {
      predicted.push_back(mean(logits[u])[0]);
      losses.push_back(std::pow(predicted[u] - values_[u], 2));
    }
    Evaluation result;
    result.metrics =
        glue_ ? glue_metrics(*glue_, values_, predicted) : regression_metrics(values_, predicted);
    if (glue_) result.metrics.emplace_back("mse", mean_squared_error(values_, predicted));
    // a constant answer has no correlation
    if (!std::isfinite(result.metrics[0].second)) result.metrics[0].second = 0;
    result.tables = worst(losses, [&](size_t u) {
      return fmt::format("is {:.3g}, says {:.3g}", values_[u], predicted[u]);
    });
    return result;
  }

  std::string describe() const override {
    if (use_ != TaskUse::training) return "";
    const auto [low, high] = std::minmax_element(values_.begin(), values_.end());
    return fmt::format(
        "labels from {:.4g} to {:.4g}, mean {:.4g}\n", *low, *high,
        std::accumulate(values_.begin(), values_.end(), 0.0) / static_cast<double>(values_.size()));
  }

 private:
  nlohmann::ordered_json answer(const UnitLogits& logits) const override {
    return {{"score", logits[0]}};
  }

  TaskUse use_;
  std::vector<double> values_;
};

struct RegressTask : TextTask {
  using TextTask::TextTask;
  // transformers' way to say one output
  std::vector<std::string> labels() const override { return {"LABEL_0"}; }
};

std::unique_ptr<Task> make(const TaskOptions& o, const Tokenizer& tokenizer) {
  auto task = std::make_unique<RegressTask>(
      o, tokenizer,
      TextTask::Form{LabelKind::one, [](TextTask&, const TextSet&) {}, make_text_set<RegressSet>});
  if (task->glue && !task->glue->regression())
    fail("options.glue {} is a task for classify", o.text.glue);
  refuse_smoothing(o);
  refuse_class_weights(o);
  return task;
}

}  // namespace

TaskKind regress_kind() {
  return {
      .name = "regress",
      .about = "a number for a text or a pair",
      .files = "TSV, CSV or JSONL",
      .example =
          "gradus finetune regress --task stsb --model minilm --train train.tsv --validation "
          "dev.tsv --out runs/stsb",
      .pipeline = "text-classification",
      .sentence = "It gives a text, or a pair of texts, a number.",
      .head = BertHead::sequence_classification,
      .problem_type = "regression",
      .options = [](TaskOptions& o) { return TaskOptionLists{text_reading(o, glue_option(o))}; },
      .make = make,
  };
}

}  // namespace gradus
