// classify, regress, multilabel: a single text or a pair, and what is said of it.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "gradus/base/json.h"
#include "gradus/tasks/kinds.h"
#include "gradus/tasks/long_text.h"
#include "gradus/tasks/text/glue.h"
#include "gradus/tasks/text/glue_metrics.h"
#include "gradus/tasks/text/multilabel.h"

namespace gradus {
namespace {

using Json = nlohmann::ordered_json;

struct TextTask : Task {
  enum class Kind { classify, regress, multilabel };
  static Kind kind_named(const std::string& name) {
    if (name == "classify") return Kind::classify;
    return name == "regress" ? Kind::regress : Kind::multilabel;
  }
  TaskOptions options;
  Tokenizer tokenizer;
  Kind kind;
  const GlueTask* glue;
  LabelTable table;
  CrossEntropyOptions loss;

  TextTask(const TaskOptions& o, const Tokenizer& t)
      : options(o),
        tokenizer(t),
        kind(kind_named(o.kind)),
        glue(o.glue.empty() ? nullptr : &glue_task(o.glue)),
        loss{{}, o.label_smoothing, o.focal_gamma} {
    if (glue && glue->regression() != (kind == Kind::regress))
      fail("options.glue {} is a task for {}", o.glue,
           glue->regression() ? "regress: its labels are numbers" : "classify");
    check(kind == Kind::classify || loss.plain(),
          "options.label_smoothing and options.focal_gamma are for classify");
    check(kind == Kind::classify || o.class_weights.empty(),
          "options.class_weights is for classify and ner");
    if (kind != Kind::regress && !o.labels.empty()) table = LabelTable(o.labels);
    else if (glue && !glue->regression()) table = glue->table();
    check_long_texts(o.long_texts, false);
  }

  BertHead head() const override { return BertHead::sequence_classification; }
  std::unique_ptr<TaskSet> read(const std::filesystem::path& path, TaskUse use) override;
  std::function<std::unique_ptr<TaskSet>()> stream(const std::filesystem::path& path) override;

  void configure(BertConfig& config) const override {
    // transformers' words, in the order of Kind
    constexpr std::array problems{"single_label_classification", "regression",
                                  "multi_label_classification"};
    config.problem_type = problems[static_cast<size_t>(kind)];
    config.id2label.clear();
    // transformers' way to say one output
    if (kind == Kind::regress) config.id2label[0] = "LABEL_0";
    for (int32_t id = 0; id < table.size(); ++id) config.id2label[id] = table.name(id);
  }

  std::string describe(const TaskSet& training, const TaskSet* validation) const override;

  TextOptions reading(bool labelled) const {
    TextOptions reading;
    if (glue) reading = glue_options(*glue, !labelled);
    reading.table.columns = options.columns.empty() ? reading.table.columns : options.columns;
    if (!options.text_column.empty())
      reading.columns = {options.text_column, options.pair_column, reading.columns.label};
    if (!options.label_column.empty()) reading.columns.label = options.label_column;
    reading.labels = kind == Kind::multilabel ? LabelKind::many : LabelKind::one;
    if (!labelled) reading.labels = LabelKind::none;
    reading.separator = options.label_separator;
    return reading;
  }
};

struct TextTaskSet : TaskSet {
  const TextTask& task;
  TextSet set;
  std::vector<FittedText> texts;
  std::vector<int32_t> ids;                // classify
  std::vector<double> values;              // regress
  std::vector<std::vector<uint8_t>> rows;  // multilabel
  int64_t cut = 0, empty = 0, empty_line = 0;

  TextTaskSet(const TextTask& task, TextSet read, bool labelled)
      : task(task), set(std::move(read)) {
    check_long_texts(task.options.long_texts, set.pairs());
    texts.reserve(set.examples.size());
    for (const TextExample& example : set.examples) {
      const Encoding first = task.tokenizer.encode(example.first),
                     second = set.pairs() ? task.tokenizer.encode(example.second) : Encoding{};
      texts.push_back(fit_text(task.tokenizer, first, set.pairs() ? &second : nullptr,
                               task.options.max_seq_length, task.options.long_texts,
                               task.options.doc_stride));
      cut += texts.back().cut;
      if (first.ids.size() + second.ids.size() == 0 && empty++ == 0) empty_line = example.line;
    }
    if (!labelled) return;
    if (task.kind == TextTask::Kind::classify) ids = label_ids(set, task.table);
    else if (task.kind == TextTask::Kind::regress) values = label_values(set);
    else rows = label_rows(set, task.table);
  }

  int64_t size() const override { return static_cast<int64_t>(texts.size()); }
  std::vector<Sequence> sequences(int64_t unit) const override {
    return texts[static_cast<size_t>(unit)].sequences;
  }

  double weight(int64_t unit) const override {
    if (task.kind == TextTask::Kind::multilabel) return task.table.size();
    return task.kind == TextTask::Kind::regress
               ? 1
               : total_weight({ids[static_cast<size_t>(unit)]}, task.loss);
  }

  Tensor loss(const Tensor& all, const Ragged&, std::span<const int64_t> units,
              double denominator) const override {
    const Tensor logits = averaged(all, units);
    const auto count = static_cast<int64_t>(units.size());
    if (task.kind == TextTask::Kind::classify) {
      std::vector<int32_t> labels;
      for (const int64_t unit : units) labels.push_back(ids[static_cast<size_t>(unit)]);
      return weighted_cross_entropy(logits, labels, task.loss, denominator);
    }
    std::vector<double> targets;
    for (const int64_t unit : units) {
      const auto u = static_cast<size_t>(unit);
      if (task.kind == TextTask::Kind::regress) targets.push_back(values[u]);
      else targets.insert(targets.end(), rows[u].begin(), rows[u].end());
    }
    const Tensor wanted = cast(from_vector(targets, {count, logits.size(1)}), logits.dtype());
    return task.kind == TextTask::Kind::regress ? mean_squared_error(logits, wanted, denominator)
                                                : binary_cross_entropy(logits, wanted, denominator);
  }

  Evaluation evaluate(const std::vector<UnitLogits>& logits) const override;
  void write_predictions(const std::vector<UnitLogits>& logits, std::ostream& jsonl,
                         int64_t first) const override;

  std::string notes() const override {
    std::string text;
    if (cut)
      text += fmt::format(
          "{}: {} of {} texts are longer than {} tokens; of them the {} is read\n", set.file, cut,
          size(), task.options.max_seq_length,
          task.options.long_texts == "windows" ? "whole, in windows," : task.options.long_texts);
    if (set.skipped)
      text += fmt::format("{}: {} broken rows are left out\n", set.file, set.skipped);
    if (empty)
      text += fmt::format("{}: {} texts have no token of their own, the first in line {}\n",
                          set.file, empty, empty_line);
    return text;
  }

 private:
  // Of texts in several windows the mean of their logits; the matrix has 1 / windows where a window
  // belongs to the text.
  Tensor averaged(const Tensor& logits, std::span<const int64_t> units) const {
    if (logits.shape()[0] == static_cast<int64_t>(units.size())) return logits;
    std::vector<double> shares(units.size() * static_cast<size_t>(logits.shape()[0]));
    size_t column = 0;
    for (size_t u = 0; u < units.size(); ++u) {
      const size_t windows = texts[static_cast<size_t>(units[u])].sequences.size();
      for (size_t w = 0; w < windows; ++w)
        shares[u * static_cast<size_t>(logits.shape()[0]) + column++] =
            1.0 / static_cast<double>(windows);
    }
    return matmul(cast(from_vector(shares, {static_cast<int64_t>(units.size()), logits.shape()[0]}),
                       logits.dtype()),
                  logits);
  }

  UnitLogits mean(const UnitLogits& logits) const {
    const size_t columns = static_cast<size_t>(std::max(task.table.size(), 1)),
                 windows = logits.size() / columns;
    UnitLogits result(columns);
    for (size_t i = 0; i < logits.size(); ++i)
      result[i % columns] += logits[i] / static_cast<float>(windows);
    return result;
  }

  static std::vector<double> sigmoids(const UnitLogits& logits) {
    std::vector<double> p;
    for (const float x : logits) p.push_back(1 / (1 + std::exp(-static_cast<double>(x))));
    return p;
  }

  Evaluation judge_classes(const std::vector<UnitLogits>& logits) const;
  // The examples with the largest losses.
  std::string worst(const std::vector<double>& losses,
                    const std::function<std::string(size_t)>& answer) const {
    std::vector<size_t> order(losses.size());
    std::iota(order.begin(), order.end(), size_t{0});
    const auto count = std::min<size_t>(5, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count),
                      order.end(), [&](size_t a, size_t b) { return losses[a] > losses[b]; });
    std::string text = "the worst mistakes\n";
    for (size_t i = 0; i < count; ++i) {
      const TextExample& example = set.examples[order[i]];
      text +=
          fmt::format("  line {:<6} {:<48} {}{}{}\n", example.line, answer(order[i]),
                      excerpt(example.first), set.pairs() ? " | " : "", excerpt(example.second));
    }
    return text;
  }
};

Evaluation TextTaskSet::judge_classes(const std::vector<UnitLogits>& logits) const {
  std::vector<int32_t> predicted;
  std::vector<double> losses;
  std::vector<std::vector<double>> p;
  for (size_t u = 0; u < logits.size(); ++u) {
    p.push_back(probabilities(mean(logits[u])));
    predicted.push_back(
        static_cast<int32_t>(std::max_element(p[u].begin(), p[u].end()) - p[u].begin()));
    losses.push_back(-std::log(std::max(p[u][static_cast<size_t>(ids[u])], 1e-300)));
  }
  const Confusion confusion(ids, predicted, task.table.size());
  Evaluation result;
  if (task.glue) {
    // The metrics count by the benchmark's ids; the model's table may be in another order.
    const LabelTable benchmark = task.glue->table();
    const auto by_benchmark = [&](std::vector<int32_t> list) {
      for (int32_t& id : list) id = std::max(benchmark.find(task.table.name(id)), 0);
      return list;
    };
    const bool known =
        std::all_of(task.table.names().begin(), task.table.names().end(),
                    [&](const std::string& name) { return benchmark.find(name) >= 0; });
    result.metrics = known ? glue_metrics(*task.glue, by_benchmark(ids), by_benchmark(predicted))
                           : glue_metrics(*task.glue, ids, predicted);
  }
  if (!task.glue || task.glue->metrics == GlueMetrics::accuracy)
    result.metrics = classification_metrics(confusion);
  else
    for (const auto& further : classification_metrics(confusion))
      if (std::none_of(result.metrics.begin(), result.metrics.end(),
                       [&](const auto& have) { return have.first == further.first; }))
        result.metrics.push_back(further);
  result.metrics.emplace_back("loss", std::accumulate(losses.begin(), losses.end(), 0.0) /
                                          static_cast<double>(losses.size()));
  const auto counts = count_labels(ids, task.table.size());
  if (result.metrics[0].first == "accuracy")
    result.constant = static_cast<double>(*std::max_element(counts.begin(), counts.end())) /
                      static_cast<double>(ids.size());
  result.tables = class_table(confusion, task.table.names()) + "\n" +
                  confusion_table(confusion, task.table.names()) + "\n" +
                  worst(losses, [&](size_t u) {
                    return fmt::format("is {}, {:.0f} % sure of {}", task.table.name(ids[u]),
                                       100 * p[u][static_cast<size_t>(predicted[u])],
                                       task.table.name(predicted[u]));
                  });
  return result;
}

Evaluation TextTaskSet::evaluate(const std::vector<UnitLogits>& logits) const {
  if (task.kind == TextTask::Kind::classify) return judge_classes(logits);
  Evaluation result;
  if (task.kind == TextTask::Kind::multilabel) {
    ScoreRows scores;
    std::vector<double> losses;
    for (size_t u = 0; u < logits.size(); ++u) {
      scores.push_back(sigmoids(mean(logits[u])));
      double loss = 0;
      for (size_t c = 0; c < scores[u].size(); ++c)
        loss -= std::log(std::max(rows[u][c] ? scores[u][c] : 1 - scores[u][c], 1e-300));
      losses.push_back(loss / static_cast<double>(scores[u].size()));
    }
    result.metrics = multilabel_metrics(rows, scores);
    result.metrics.emplace_back("loss", std::accumulate(losses.begin(), losses.end(), 0.0) /
                                            static_cast<double>(losses.size()));
    const auto list = [&](const auto& row, auto&& has) {
      std::string names;
      for (size_t c = 0; c < row.size(); ++c)
        if (has(row[c]))
          names += (names.empty() ? "" : ", ") + task.table.name(static_cast<int32_t>(c));
      return names.empty() ? std::string("nothing") : names;
    };
    result.tables =
        multilabel_table(rows, scores, task.table.names()) + "\n" + worst(losses, [&](size_t u) {
          return fmt::format("has {}; says {}", list(rows[u], [](uint8_t x) { return x != 0; }),
                             list(scores[u], [](double x) { return x >= 0.5; }));
        });
    return result;
  }
  std::vector<double> predicted, losses;
  for (size_t u = 0; u < logits.size(); ++u) {
    predicted.push_back(mean(logits[u])[0]);
    losses.push_back(std::pow(predicted[u] - values[u], 2));
  }
  result.metrics = task.glue ? glue_metrics(*task.glue, values, predicted)
                             : regression_metrics(values, predicted);
  if (task.glue) result.metrics.emplace_back("mse", mean_squared_error(values, predicted));
  // a constant answer has no correlation
  if (!std::isfinite(result.metrics[0].second)) result.metrics[0].second = 0;
  result.tables = worst(losses, [&](size_t u) {
    return fmt::format("is {:.3g}, says {:.3g}", values[u], predicted[u]);
  });
  return result;
}

void TextTaskSet::write_predictions(const std::vector<UnitLogits>& logits, std::ostream& jsonl,
                                    int64_t first) const {
  for (size_t u = 0; u < logits.size(); ++u) {
    const UnitLogits row = mean(logits[u]);
    Json line = Json::object();
    line["index"] = first + static_cast<int64_t>(u);
    if (task.kind == TextTask::Kind::regress) {
      line["score"] = row[0];
    } else {
      const std::vector<double> p =
          task.kind == TextTask::Kind::classify ? probabilities(row) : sigmoids(row);
      Json by_name = Json::object(), labels = Json::array();
      for (size_t c = 0; c < p.size(); ++c) {
        by_name[task.table.name(static_cast<int32_t>(c))] = p[c];
        if (p[c] >= 0.5) labels.push_back(task.table.name(static_cast<int32_t>(c)));
      }
      const auto best = static_cast<size_t>(std::max_element(p.begin(), p.end()) - p.begin());
      if (task.kind == TextTask::Kind::classify)
        line["label"] = task.table.name(static_cast<int32_t>(best)), line["score"] = p[best];
      else line["labels"] = labels;
      line["probabilities"] = by_name;
    }
    jsonl << line.dump() << "\n";
  }
}

std::unique_ptr<TaskSet> TextTask::read(const std::filesystem::path& path, TaskUse use) {
  TextSet set = read_texts(path, reading(use != TaskUse::prediction));
  if (use == TaskUse::training && kind != Kind::regress && table.size() == 0)
    table = collect_labels(set);
  auto result = std::make_unique<TextTaskSet>(*this, std::move(set), use != TaskUse::prediction);
  if (use == TaskUse::training && kind == Kind::classify)
    loss.class_weights = parse_class_weights(options.class_weights, table.names(),
                                             count_labels(result->ids, table.size()));
  return result;
}

std::function<std::unique_ptr<TaskSet>()> TextTask::stream(const std::filesystem::path& path) {
  TextOptions how = reading(false);
  if (path == "-" && how.table.format == TableFormat::by_name)
    how.table = {TableFormat::tsv,
                 options.columns.empty() ? std::vector<std::string>{"text"} : options.columns,
                 false};
  auto reader = std::make_shared<TextReader>(path, how);
  return [this, reader]() -> std::unique_ptr<TaskSet> {
    constexpr size_t kAtOnce = 512;
    TextSet part{reader->table().file(), reader->columns(), {}, 0};
    for (TextExample example; part.examples.size() < kAtOnce && reader->next(example);)
      part.examples.push_back(std::move(example));
    if (part.examples.empty()) return nullptr;
    return std::make_unique<TextTaskSet>(*this, std::move(part), false);
  };
}

std::string TextTask::describe(const TaskSet& training, const TaskSet* validation) const {
  const auto& train = dynamic_cast<const TextTaskSet&>(training);
  const auto* held_out = dynamic_cast<const TextTaskSet*>(validation);
  if (kind == Kind::regress) {
    const auto [low, high] = std::minmax_element(train.values.begin(), train.values.end());
    return fmt::format("labels from {:.4g} to {:.4g}, mean {:.4g}\n", *low, *high,
                       std::accumulate(train.values.begin(), train.values.end(), 0.0) /
                           static_cast<double>(train.values.size()));
  }
  const auto counts = [&](const TextTaskSet& set) {
    return kind == Kind::classify ? count_labels(set.ids, table.size()) : count_labels(set.rows);
  };
  return label_distribution(table, counts(train),
                            held_out ? counts(*held_out) : std::vector<int64_t>{});
}

}  // namespace

std::unique_ptr<Task> make_text_task(const TaskOptions& options, const Tokenizer& tokenizer) {
  return std::make_unique<TextTask>(options, tokenizer);
}

}  // namespace gradus
