// choice: a context and several ways to go on. Each choice is a pair with the context and gets a
// score; softmax over a question's scores is the answer.
#include <algorithm>
#include <cmath>

#include "gradus/base/json.h"
#include "gradus/tasks/choice/choices.h"
#include "gradus/tasks/common.h"
#include "gradus/tasks/long_text.h"

namespace gradus {
namespace {

struct ChoiceTaskSet : TaskSet {
  ChoiceSet set;
  TaskUse use;
  int64_t max_seq_length;
  std::vector<std::vector<Sequence>> pairs;  // of each question
  int64_t cut = 0;

  ChoiceTaskSet(ChoiceSet read, TaskUse use, const Tokenizer& tokenizer, int64_t max_seq_length)
      : set(std::move(read)), use(use), max_seq_length(max_seq_length) {
    for (const ChoiceExample& example : set.examples) {
      const Encoding context = tokenizer.encode(example.context);
      auto& sequences = pairs.emplace_back();
      bool shortened = false;
      for (const std::string& choice : example.choices) {
        const Encoding ending = tokenizer.encode(choice);
        FittedText fitted =
            fit_text(tokenizer, context, &ending, max_seq_length, LongTexts::head, 0);
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
  // logits [sequences, 1]. Questions with fewer choices than the most have a logit whose
  // probability is exactly zero in the places that are left.
  Targets targets(std::span<const int64_t> units) const override {
    std::vector<size_t> choices;  // of each question
    std::vector<int32_t> labels;
    for (const int64_t unit : units) {
      choices.push_back(pairs[static_cast<size_t>(unit)].size());
      labels.push_back(set.examples[static_cast<size_t>(unit)].label);
    }
    const auto loss = [choices, labels](const Tensor& logits, const Ragged&, double denominator) {
      const size_t most = *std::max_element(choices.begin(), choices.end());
      const auto total = static_cast<int32_t>(logits.shape()[0]);
      std::vector<int32_t> index;
      int32_t row = 0;
      for (const size_t count : choices)
        for (size_t c = 0; c < most; ++c) index.push_back(c < count ? row++ : total);
      const Tensor all = concat({reshape(logits, {total}), full({1}, -1e30, logits.dtype())}, 0);
      const Shape shape{static_cast<int64_t>(choices.size()), static_cast<int64_t>(most)};
      return weighted_cross_entropy(take(all, from_vector(index, shape)), labels, {}, denominator);
    };
    return {std::vector<double>(units.size(), 1), loss};
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

  std::string describe() const override {
    if (use != TaskUse::training) return "";
    std::vector<int64_t> counts;
    for (const ChoiceExample& example : set.examples) {
      counts.resize(std::max(counts.size(), static_cast<size_t>(example.label) + 1));
      ++counts[static_cast<size_t>(example.label)];
    }
    std::string text = "the right choice is";
    for (size_t c = 0; c < counts.size(); ++c)
      text += fmt::format("{} number {} in {}", c ? "," : "", c + 1, counts[c]);
    return text + "\n";
  }

  std::string notes() const override {
    return cut ? fmt::format("{}: {} of {} questions are longer than {} tokens and are cut\n",
                             set.file, cut, size(), max_seq_length)
               : "";
  }
};

struct ChoiceTask : Task {
  TaskOptions options;
  Tokenizer tokenizer;

  ChoiceTask(const TaskOptions& o, const Tokenizer& t) : Task(o), options(o), tokenizer(t) {
    refuse_glue(o);
    refuse_class_losses(o);
    check(o.text.long_texts == LongTexts::head,
          "options.long_texts {} is not for choice: a context and its ending are cut as pairs are",
          word_of(o.text.long_texts));
  }

  std::unique_ptr<TaskSet> read(const std::filesystem::path& path, TaskUse use) override {
    return std::make_unique<ChoiceTaskSet>(read_choices(path, use != TaskUse::prediction), use,
                                           tokenizer, options.max_seq_length);
  }
};

}  // namespace

TaskKind choice_kind() {
  return {
      .name = "choice",
      .about = "one of several ways to go on",
      .files = "SWAG CSV, CODAH TSV or JSONL",
      .example =
          "gradus finetune choice --model minilm --train train.csv --validation val.csv --out "
          "runs/swag",
      .pipeline = "multiple-choice",
      .sentence = "It chooses between ways to go on from a text.",
      .head = BertHead::multiple_choice,
      .options = [](TaskOptions&) { return TaskOptionLists{}; },
      .make = [](const TaskOptions& options, const Tokenizer& tokenizer) -> std::unique_ptr<Task> {
        return std::make_unique<ChoiceTask>(options, tokenizer);
      },
  };
}

}  // namespace gradus
