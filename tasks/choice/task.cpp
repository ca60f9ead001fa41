// choice: a context and several ways to go on. Each choice is a pair with the context and gets a
// score; softmax over a question's scores is the answer.
#include <algorithm>
#include <cmath>

#include "gradus/base/json.h"
#include "gradus/tasks/choice/choices.h"
#include "gradus/tasks/kinds.h"
#include "gradus/tasks/long_text.h"

namespace gradus {
namespace {

struct ChoiceTask : Task {
  TaskOptions options;
  Tokenizer tokenizer;
  ChoiceTask(const TaskOptions& o, const Tokenizer& t) : options(o), tokenizer(t) {
    check(
        o.label_smoothing == 0 && o.focal_gamma == 0 && o.class_weights.empty(),
        "options.label_smoothing, options.focal_gamma and options.class_weights are for classify");
    check(o.long_texts == "head",
          "options.long_texts {} is not for choice: a context and its ending are cut as pairs are",
          o.long_texts);
  }
  BertHead head() const override { return BertHead::multiple_choice; }
  std::unique_ptr<TaskSet> read(const std::filesystem::path& path, TaskUse use) override;
  void configure(BertConfig& config) const override {
    config.id2label.clear(), config.problem_type.clear();
  }
  std::string describe(const TaskSet& training, const TaskSet* validation) const override;
};

struct ChoiceTaskSet : TaskSet {
  const ChoiceTask& task;
  ChoiceSet set;
  std::vector<std::vector<Sequence>> pairs;  // of each question
  int64_t cut = 0;

  ChoiceTaskSet(const ChoiceTask& task, ChoiceSet read) : task(task), set(std::move(read)) {
    for (const ChoiceExample& example : set.examples) {
      const Encoding context = task.tokenizer.encode(example.context);
      auto& sequences = pairs.emplace_back();
      bool shortened = false;
      for (const std::string& choice : example.choices) {
        const Encoding ending = task.tokenizer.encode(choice);
        FittedText fitted =
            fit_text(task.tokenizer, context, &ending, task.options.max_seq_length, "head", 0);
        shortened |= fitted.cut;
        sequences.push_back(std::move(fitted.sequences[0]));
      }
      cut += shortened;
    }
  }

  int64_t size() const override { return static_cast<int64_t>(pairs.size()); }
  std::vector<Sequence> sequences(int64_t unit) const override {
    return pairs[static_cast<size_t>(unit)];
  }
  double weight(int64_t) const override { return 1; }

  // logits [sequences, 1]. Questions with fewer choices than the most have a logit whose
  // probability is exactly zero in the places that are left.
  Tensor loss(const Tensor& logits, const Ragged&, std::span<const int64_t> units,
              double denominator) const override {
    size_t most = 0;
    for (const int64_t unit : units) most = std::max(most, pairs[static_cast<size_t>(unit)].size());
    const auto total = static_cast<int32_t>(logits.shape()[0]);
    std::vector<int32_t> index, labels;
    int32_t row = 0;
    for (const int64_t unit : units) {
      const auto u = static_cast<size_t>(unit);
      for (size_t c = 0; c < most; ++c) index.push_back(c < pairs[u].size() ? row++ : total);
      labels.push_back(set.examples[u].label);
    }
    const Tensor all = concat({reshape(logits, {total}), full({1}, -1e30, logits.dtype())}, 0);
    return weighted_cross_entropy(take(all, from_vector(index, {static_cast<int64_t>(units.size()),
                                                                static_cast<int64_t>(most)})),
                                  labels, {}, denominator);
  }

  Evaluation evaluate(const std::vector<UnitLogits>& logits) const override {
    Evaluation result;
    double right = 0, loss = 0, chance = 0;
    std::vector<std::pair<double, size_t>> mistakes;
    for (size_t u = 0; u < logits.size(); ++u) {
      const ChoiceExample& example = set.examples[u];
      const std::vector<double> p = probabilities(logits[u]);
      const double own = p[static_cast<size_t>(example.label)];
      if (std::max_element(p.begin(), p.end()) - p.begin() == example.label) ++right;
      else mistakes.emplace_back(own, u);
      loss -= std::log(std::max(own, 1e-300));
      chance += 1.0 / static_cast<double>(p.size());
    }
    const auto count = static_cast<double>(std::max<size_t>(logits.size(), 1));
    result.metrics = {{"accuracy", right / count}, {"loss", loss / count}};
    result.constant = chance / count;
    std::sort(mistakes.begin(), mistakes.end());
    result.tables = "the worst mistakes\n";
    for (size_t i = 0; i < std::min<size_t>(5, mistakes.size()); ++i) {
      const ChoiceExample& example = set.examples[mistakes[i].second];
      const auto& row = logits[mistakes[i].second];
      const auto said = static_cast<size_t>(std::max_element(row.begin(), row.end()) - row.begin());
      result.tables +=
          fmt::format("  line {:<6} {}\n              says  {}\n              is    {}\n",
                      example.line, excerpt(example.context), excerpt(example.choices[said]),
                      excerpt(example.choices[static_cast<size_t>(example.label)]));
    }
    return result;
  }

  void write_predictions(const std::vector<UnitLogits>& logits, std::ostream& jsonl,
                         int64_t first) const override {
    for (size_t u = 0; u < logits.size(); ++u) {
      const std::vector<double> p = probabilities(logits[u]);
      const auto best = static_cast<size_t>(std::max_element(p.begin(), p.end()) - p.begin());
      jsonl << nlohmann::ordered_json{{"index", first + static_cast<int64_t>(u)},
                                      {"choice", best},
                                      {"text", set.examples[u].choices[best]},
                                      {"score", p[best]},
                                      {"probabilities", p}}
                   .dump()
            << "\n";
    }
  }

  std::string notes() const override {
    return cut ? fmt::format("{}: {} of {} questions are longer than {} tokens and are cut\n",
                             set.file, cut, size(), task.options.max_seq_length)
               : "";
  }
};

std::unique_ptr<TaskSet> ChoiceTask::read(const std::filesystem::path& path, TaskUse use) {
  return std::make_unique<ChoiceTaskSet>(*this, read_choices(path, use != TaskUse::prediction));
}

std::string ChoiceTask::describe(const TaskSet& training, const TaskSet*) const {
  std::vector<int64_t> counts;
  for (const ChoiceExample& example : dynamic_cast<const ChoiceTaskSet&>(training).set.examples) {
    counts.resize(std::max(counts.size(), static_cast<size_t>(example.label) + 1));
    ++counts[static_cast<size_t>(example.label)];
  }
  std::string text = "the right choice is";
  for (size_t c = 0; c < counts.size(); ++c)
    text += fmt::format("{} number {} in {}", c ? "," : "", c + 1, counts[c]);
  return text + "\n";
}

}  // namespace

std::unique_ptr<Task> make_choice_task(const TaskOptions& options, const Tokenizer& tokenizer) {
  return std::make_unique<ChoiceTask>(options, tokenizer);
}

}  // namespace gradus
