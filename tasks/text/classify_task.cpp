// classify: one label for a text or a pair of texts. Softmax cross-entropy.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradus/base/json.h"
#include "gradus/base/range.h"
#include "gradus/tasks/text/classification.h"
#include "gradus/tasks/text/glue_metrics.h"
#include "gradus/tasks/text/task.h"

namespace gradus {
namespace {

class ClassifySet : public TextTaskSet {
 public:
  ClassifySet(const TextTask& task, TextSet texts, TaskUse use)
      : TextTaskSet(task, std::move(texts)), loss_(task.loss) {
    if (use != TaskUse::prediction) ids_ = label_ids(set_, table_);
  }

  Targets targets(std::span<const int64_t> units) const override {
    std::vector<int32_t> labels;
    std::vector<double> weights;
    for (const int64_t unit : units) {
      labels.push_back(ids_[static_cast<size_t>(unit)]);
      weights.push_back(total_weight({labels.back()}, loss_));
    }
    return targets_of(units, std::move(weights),
                      [labels, loss = loss_](const Tensor& logits, double denominator) {
                        return weighted_cross_entropy(logits, labels, loss, denominator);
                      });
  }

  Evaluation evaluate(const std::vector<UnitLogits>& logits) const override;
  std::vector<int64_t> label_counts() const override { return count_labels(ids_, table_.size()); }

 private:
  nlohmann::ordered_json answer(const UnitLogits& logits) const override {
    const std::vector<double> p = probabilities(logits);
    const auto best = std::max_element(p.begin(), p.end());
    return {{"label", table_.name(static_cast<int32_t>(best - p.begin()))},
            {"score", *best},
            {"probabilities", named(p, table_)}};
  }
  Metrics metrics(const std::vector<int32_t>& predicted) const;

  CrossEntropyOptions loss_;
  std::vector<int32_t> ids_;
};

// Those of the GLUE task first, where there is one.
Metrics ClassifySet::metrics(const std::vector<int32_t>& predicted) const {
  Metrics general = classification_metrics(Confusion(ids_, predicted, table_.size()));
  // GLUE's is the first of them
  if (!glue_ || glue_->metrics == GlueMetrics::accuracy) return general;
  // They count by the benchmark's ids; the model's table may be in another order.
  const LabelTable benchmark = glue_->table();
  const auto by_benchmark = [&](std::vector<int32_t> list) {
    for (int32_t& id : list) id = std::max(benchmark.find(table_.name(id)), 0);
    return list;
  };
  const bool known = std::all_of(table_.names().begin(), table_.names().end(),
                                 [&](const auto& name) { return benchmark.find(name) >= 0; });
  Metrics own = known ? glue_metrics(*glue_, by_benchmark(ids_), by_benchmark(predicted))
                      : glue_metrics(*glue_, ids_, predicted);
  for (const auto& further : general)
    if (std::none_of(own.begin(), own.end(),
                     [&](const auto& have) { return have.first == further.first; }))
      own.push_back(further);
  return own;
}

Evaluation ClassifySet::evaluate(const std::vector<UnitLogits>& logits) const {
  std::vector<int32_t> predicted;
  std::vector<double> losses, sure;
  for (size_t u = 0; u < logits.size(); ++u) {
    const std::vector<double> p = probabilities(mean(logits[u]));
    const auto largest = std::max_element(p.begin(), p.end());
    predicted.push_back(static_cast<int32_t>(largest - p.begin()));
    sure.push_back(*largest);
    losses.push_back(-std::log(std::max(p[static_cast<size_t>(ids_[u])], 1e-300)));
  }
  Evaluation result;
  result.metrics = metrics(predicted);
  result.metrics.emplace_back("loss", std::accumulate(losses.begin(), losses.end(), 0.0) /
                                          static_cast<double>(losses.size()));
  const auto counts = label_counts();
  if (result.metrics[0].first == "accuracy")
    result.constant = static_cast<double>(*std::max_element(counts.begin(), counts.end())) /
                      static_cast<double>(ids_.size());
  const Confusion confusion(ids_, predicted, table_.size());
  result.tables = class_table(confusion, table_.names()) + "\n" +
                  confusion_table(confusion, table_.names()) + "\n" + worst(losses, [&](size_t u) {
                    return fmt::format("is {}, {:.0f} % sure of {}", table_.name(ids_[u]),
                                       100 * sure[u], table_.name(predicted[u]));
                  });
  return result;
}

void learn(TextTask& task, const TextSet& training) {
  learn_labels(task, training);
  task.loss.class_weights =
      parse_class_weights(task.options.class_weights, task.table.names(),
                          count_labels(label_ids(training, task.table), task.table.size()));
}

std::unique_ptr<Task> make(const TaskOptions& o, const Tokenizer& tokenizer) {
  check_range("options.label_smoothing", o.text.label_smoothing, {.at_least = 0, .below = 1});
  check_range("options.focal_gamma", o.text.focal_gamma, {.at_least = 0});
  auto task = std::make_unique<TextTask>(
      o, tokenizer, TextTask::Form{LabelKind::one, learn, make_text_set<ClassifySet>});
  if (task->glue && task->glue->regression())
    fail("options.glue {} is a task for regress: its labels are numbers", o.text.glue);
  task->loss = {{}, o.text.label_smoothing, o.text.focal_gamma};
  if (!o.labels.empty()) task->table = LabelTable(o.labels);
  else if (task->glue) task->table = task->glue->table();
  return task;
}

}  // namespace

TaskKind classify_kind() {
  return {
      .name = "classify",
      .about = "one label for a text or a pair",
      .files = "TSV, CSV or JSONL",
      .example =
          "gradus finetune classify --task sst2 --model minilm --train train.tsv --validation "
          "dev.tsv --epochs 1 "
          "--out runs/sst2",
      .pipeline = "text-classification",
      .sentence = "It gives a text, or a pair of texts, one of its labels.",
      .head = BertHead::sequence_classification,
      .problem_type = "single_label_classification",
      .options =
          [](TaskOptions& o) {
            return TaskOptionLists{text_reading(o, glue_option(o)),
                                   {labels_option(o),
                                    class_weights_option(o),
                                    {"label_smoothing", &o.text.label_smoothing},
                                    {"focal_gamma", &o.text.focal_gamma}}};
          },
      .make = make,
  };
}

}  // namespace gradus
