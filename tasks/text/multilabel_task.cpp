// multilabel: those of several labels that hold of a text. A yes/no question a label, binary
// cross-entropy.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradus/base/json.h"
#include "gradus/tasks/text/multilabel.h"
#include "gradus/tasks/text/task.h"

namespace gradus {
namespace {

std::vector<double> sigmoids(const UnitLogits& logits) {
  std::vector<double> p;
  for (const float x : logits) p.push_back(1 / (1 + std::exp(-static_cast<double>(x))));
  return p;
}

class MultilabelSet : public TextTaskSet {
 public:
  MultilabelSet(const TextTask& task, TextSet texts, TaskUse use)
      : TextTaskSet(task, std::move(texts)) {
    if (use != TaskUse::prediction) rows_ = label_rows(set_, table_);
  }

  Targets targets(std::span<const int64_t> units) const override {
    std::vector<double> wanted;
    for (const int64_t unit : units) {
      const auto& row = rows_[static_cast<size_t>(unit)];
      wanted.insert(wanted.end(), row.begin(), row.end());
    }
    return targets_of(units, std::vector<double>(units.size(), table_.size()),
                      [wanted](const Tensor& logits, double denominator) {
                        return binary_cross_entropy(
                            logits, cast(from_vector(wanted, logits.shape()), logits.dtype()),
                            denominator);
                      });
  }

  Evaluation evaluate(const std::vector<UnitLogits>& logits) const override {
    ScoreRows scores;
    std::vector<double> losses;
    for (size_t u = 0; u < logits.size(); ++u) {
      scores.push_back(sigmoids(mean(logits[u])));
      double loss = 0;
      for (size_t c = 0; c < scores[u].size(); ++c)
        loss -= std::log(std::max(rows_[u][c] ? scores[u][c] : 1 - scores[u][c], 1e-300));
      losses.push_back(loss / static_cast<double>(scores[u].size()));
    }
    Evaluation result;
    result.metrics = multilabel_metrics(rows_, scores);
    result.metrics.emplace_back("loss", std::accumulate(losses.begin(), losses.end(), 0.0) /
                                            static_cast<double>(losses.size()));
    result.tables =
        multilabel_table(rows_, scores, table_.names()) + "\n" + worst(losses, [&](size_t u) {
          return fmt::format("has {}; says {}", list(rows_[u], [](uint8_t x) { return x != 0; }),
                             list(scores[u], [](double x) { return x >= 0.5; }));
        });
    return result;
  }

  std::vector<int64_t> label_counts() const override { return count_labels(rows_); }

 private:
  nlohmann::ordered_json answer(const UnitLogits& logits) const override {
    const std::vector<double> p = sigmoids(logits);
    auto labels = nlohmann::ordered_json::array();
    for (size_t c = 0; c < p.size(); ++c)
      if (p[c] >= 0.5) labels.push_back(table_.name(static_cast<int32_t>(c)));
    return {{"labels", labels}, {"probabilities", named(p, table_)}};
  }

  // The names of the labels that `has` says yes to.
  template <class Row, class Has>
  std::string list(const Row& row, Has has) const {
    std::string names;
    for (size_t c = 0; c < row.size(); ++c)
      if (has(row[c])) names += (names.empty() ? "" : ", ") + table_.name(static_cast<int32_t>(c));
    return names.empty() ? "nothing" : names;
  }

  LabelRows rows_;
};

std::unique_ptr<Task> make(const TaskOptions& o, const Tokenizer& tokenizer) {
  refuse_glue(o);
  refuse_smoothing(o);
  refuse_class_weights(o);
  auto task = std::make_unique<TextTask>(
      o, tokenizer, TextTask::Form{LabelKind::many, learn_labels, make_text_set<MultilabelSet>});
  if (!o.labels.empty()) task->table = LabelTable(o.labels);
  return task;
}

}  // namespace

TaskKind multilabel_kind() {
  return {
      .name = "multilabel",
      .about = "any of several labels for a text",
      .files = "TSV, CSV or JSONL",
      .example =
          "gradus finetune multilabel --model minilm --train train.jsonl --validation dev.jsonl "
          "--out runs/topics",
      .pipeline = "text-classification",
      .sentence = "It gives a text those of its labels that hold.",
      .head = BertHead::sequence_classification,
      .problem_type = "multi_label_classification",
      .options =
          [](TaskOptions& o) {
            return TaskOptionLists{text_reading(o, {"label_separator", &o.text.label_separator,
                                                    "of many labels in a cell"}),
                                   {labels_option(o)}};
          },
      .make = make,
  };
}

}  // namespace gradus
