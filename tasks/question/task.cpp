// qa: the span of a context that answers a question. Units are windows over contexts; a question's
// answer is decoded over all its windows.
//
// A set is scored and decoded as SQuAD 2.0, where "no answer" is an answer, if it has unanswerable
// questions or --version_2_with_negative or a null threshold is given.
#include <algorithm>
#include <limits>
#include <set>

#include "gradus/base/file.h"
#include "gradus/base/json.h"
#include "gradus/data/table.h"
#include "gradus/tasks/kinds.h"
#include "gradus/tasks/question/decode.h"
#include "gradus/tasks/question/metrics.h"

namespace gradus {
namespace {

using Json = nlohmann::ordered_json;

// Rows with the columns question and context, and id where there is one (otherwise the number of
// the row, from 0), as questions to be answered.
struct QuestionReader {
  TableReader table;
  std::set<std::string> ids;

  QuestionReader(const std::filesystem::path& path, TableOptions options)
      : table(path, std::move(options)) {}

  QaSet next(size_t most) {
    const size_t question = table.column("question"), context = table.column("context");
    const bool named = table.has_column("id");
    const size_t id = named ? table.column("id") : 0;
    QaSet set{table.file(), "", {}, {}};
    for (TableReader::Row row; set.questions.size() < most && table.next(row);) {
      const std::string name = named ? row.cells[id] : std::to_string(ids.size());
      check(ids.insert(name).second,
            "{}:{}: another question has the id '{}' too; predictions are kept by id", table.file(),
            row.line, name);
      if (set.contexts.empty() || set.contexts.back() != row.cells[context])
        set.contexts.push_back(row.cells[context]);
      set.questions.push_back({name, row.cells[question], set.contexts.size() - 1, false, {}});
    }
    return set;
  }
};

struct QuestionTask : Task {
  TaskOptions options;
  Tokenizer tokenizer;
  // run_squad.py's ways: the stride is a step, spans count where most is seen around them, texts
  // are listed once
  bool google;

  QuestionTask(const TaskOptions& o, const Tokenizer& t)
      : options(o), tokenizer(t), google(o.stride_meaning == "step") {
    check(google || o.stride_meaning == "overlap",
          "options.stride_meaning {}: it is overlap (Hugging Face) or step (Google)",
          o.stride_meaning);
    check(
        o.label_smoothing == 0 && o.focal_gamma == 0 && o.class_weights.empty(),
        "options.label_smoothing, options.focal_gamma and options.class_weights are for classify");
    check(o.long_texts == "head" || o.long_texts == "windows",
          "options.long_texts {} is not for qa: all of a context is read, in windows",
          o.long_texts);
    check(o.n_best_size >= 1, "options.n_best_size {}: it must be at least 1", o.n_best_size);
    check(o.max_answer_length >= 1, "options.max_answer_length {}: it must be at least 1",
          o.max_answer_length);
  }

  BertHead head() const override { return BertHead::question_answering; }
  void configure(BertConfig& config) const override {
    config.id2label.clear(), config.problem_type.clear();
  }
  std::unique_ptr<TaskSet> read(const std::filesystem::path& path, TaskUse use) override;
  std::function<std::unique_ptr<TaskSet>()> stream(const std::filesystem::path& path) override;
  std::string describe(const TaskSet& training, const TaskSet* validation) const override;

  static bool is_squad(const std::filesystem::path& path) { return path.extension() == ".json"; }
  QaWindowOptions windows() const {
    return {options.max_seq_length, options.doc_stride, options.max_query_length,
            google ? StrideMeaning::step : StrideMeaning::overlap};
  }
};

struct QuestionTaskSet : TaskSet {
  const QuestionTask& task;
  TaskUse use;
  QaSet set;
  QaFeatures features;
  bool impossible;  // as SQuAD 2.0

  QuestionTaskSet(const QuestionTask& task, QaSet read, TaskUse use)
      : task(task),
        use(use),
        set(std::move(read)),
        features(set, task.tokenizer, task.windows(),
                 use == TaskUse::training ? QaUse::training : QaUse::prediction),
        impossible(task.options.version_2_with_negative || task.options.null_score_diff_threshold ||
                   has_impossible()) {}

  int64_t size() const override { return static_cast<int64_t>(features.windows().size()); }
  int64_t examples() const override { return static_cast<int64_t>(set.questions.size()); }
  std::vector<Sequence> sequences(int64_t unit) const override {
    return {features.sequence(window(unit))};
  }
  double weight(int64_t) const override { return 1; }

  Tensor loss(const Tensor& logits, const Ragged& sequences, std::span<const int64_t> units,
              double denominator) const override {
    std::vector<int32_t> starts, ends;
    for (const int64_t unit : units) {
      starts.push_back(window(unit).start);
      ends.push_back(window(unit).stop);
    }
    return span_loss(logits, sequences, starts, ends, denominator);
  }

  Evaluation evaluate(const std::vector<UnitLogits>& logits) const override;
  void write_predictions(const std::vector<UnitLogits>& logits, std::ostream& jsonl,
                         int64_t first) const override;
  void write_files(const std::vector<UnitLogits>& logits,
                   const std::filesystem::path& folder) const override;
  std::string notes() const override;

 private:
  const QaWindow& window(int64_t unit) const {
    return features.windows()[static_cast<size_t>(unit)];
  }

  // Where labels are not read, a file whose lists of answers are all empty is one without labels,
  // not one without answers.
  bool has_impossible() const {
    return set.has_impossible() &&
           (use != TaskUse::prediction ||
            std::any_of(set.questions.begin(), set.questions.end(),
                        [](const QaQuestion& question) { return !question.answers.empty(); }));
  }

  std::vector<QaPrediction> decode(const std::vector<UnitLogits>& logits) const;
  double null_threshold(const std::vector<QaPrediction>& predictions) const;
  std::string worst(const Answers& answers) const;
};

// Of every question that has windows.
std::vector<QaPrediction> QuestionTaskSet::decode(const std::vector<UnitLogits>& logits) const {
  const QaDecodeOptions options{task.options.n_best_size, task.options.max_answer_length,
                                impossible, task.google, task.google};
  std::vector<QaPrediction> predictions;
  for (size_t q = 0; q < set.questions.size(); ++q) {
    const auto [begin, end] = features.windows_of(q);
    std::vector<QaLogits> own(end - begin);
    for (size_t w = begin; w < end; ++w)
      for (size_t i = 0; i < logits[w].size(); ++i)
        (i % 2 ? own[w - begin].end : own[w - begin].start).push_back(logits[w][i]);
    if (!own.empty()) predictions.push_back(decode_answer(features, set, q, own, options));
  }
  return predictions;
}

NullOdds odds_of(const std::vector<QaPrediction>& predictions) {
  NullOdds odds;
  for (const QaPrediction& prediction : predictions) odds[prediction.id] = prediction.null_odds;
  return odds;
}

Answers answers_of(const std::vector<QaPrediction>& predictions, bool may_be_unanswerable,
                   double threshold) {
  Answers answers;
  for (const QaPrediction& prediction : predictions) {
    const QaCandidate* answer = prediction.answer(may_be_unanswerable, threshold);
    answers[prediction.id] = answer ? answer->text : "";
  }
  return answers;
}

// That of the options, or the best for this file where it has labels, or 0 as in the references.
double QuestionTaskSet::null_threshold(const std::vector<QaPrediction>& predictions) const {
  if (task.options.null_score_diff_threshold) return *task.options.null_score_diff_threshold;
  if (!impossible || use == TaskUse::prediction) return 0;
  return find_null_threshold(set, answers_of(predictions, false, 0), odds_of(predictions));
}

Evaluation QuestionTaskSet::evaluate(const std::vector<UnitLogits>& logits) const {
  const std::vector<QaPrediction> predictions = decode(logits);
  const double threshold = null_threshold(predictions);
  const Answers answers = answers_of(predictions, impossible, threshold);
  Evaluation result;
  if (impossible) {
    result.metrics = squad2_metrics(set, answers);
    // The best that other thresholds would give is counted from spans alone.
    for (const auto& metric :
         squad2_metrics(set, answers_of(predictions, false, 0), odds_of(predictions)))
      if (metric.first.rfind("best_", 0) == 0) result.metrics.push_back(metric);
    result.metrics.emplace_back("null_threshold", threshold);
    result.tables = fmt::format(
        "no answer is said where it scores more than {:.4g} above the best span ({})\n\n",
        threshold,
        task.options.null_score_diff_threshold ? "as given"
                                               : "the threshold with the best F1 on this file");
    const auto without = std::count_if(set.questions.begin(), set.questions.end(),
                                       [](const QaQuestion& q) { return q.answers.empty(); });
    result.constant =
        100 * static_cast<double>(without) / static_cast<double>(set.questions.size());
  } else {
    result.metrics = squad_metrics(set, answers);
  }
  put_first(result.metrics, "f1");
  result.tables += worst(answers);
  return result;
}

// The answers with the least F1; of equal ones the first.
std::string QuestionTaskSet::worst(const Answers& answers) const {
  std::vector<std::pair<double, const QaQuestion*>> mistakes;
  for (const QaQuestion& question : set.questions) {
    const auto said = answers.find(question.id);
    if (said == answers.end()) continue;
    double best = question.answers.empty() ? answer_f1(said->second, "") : 0;
    for (const QaAnswer& answer : question.answers)
      best = std::max(best, answer_f1(said->second, answer.text));
    if (best < 1) mistakes.emplace_back(best, &question);
  }
  std::stable_sort(mistakes.begin(), mistakes.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  const auto shown = [](const std::string& answer) {
    return answer.empty() ? std::string("(no answer)") : excerpt(answer);
  };
  std::string text = mistakes.empty() ? "" : "the worst mistakes\n";
  for (size_t i = 0; i < std::min<size_t>(5, mistakes.size()); ++i) {
    const QaQuestion& question = *mistakes[i].second;
    text += fmt::format("  {}\n              says  {}\n              is    {}\n",
                        excerpt(question.question), shown(answers.at(question.id)),
                        shown(question.answers.empty() ? "" : question.answers[0].text));
  }
  return text;
}

void QuestionTaskSet::write_predictions(const std::vector<UnitLogits>& logits, std::ostream& jsonl,
                                        int64_t first) const {
  const std::vector<QaPrediction> predictions = decode(logits);
  const double threshold = null_threshold(predictions);
  size_t next = 0;
  for (size_t q = 0; q < set.questions.size(); ++q) {
    const auto [begin, end] = features.windows_of(q);
    if (begin == end) continue;
    const QaPrediction& prediction = predictions[next++];
    // A candidate of no code points is no answer, or the text "empty" that the references give
    // where there is no span at all.
    Json n_best = Json::array(), none{{"text", ""}, {"begin", 0}, {"end", 0}, {"score", 0.0}};
    for (const QaCandidate& candidate : prediction.n_best) {
      const bool span = candidate.begin < candidate.end;
      n_best.push_back({{"text", span ? candidate.text : ""},
                        {"begin", candidate.begin},
                        {"end", candidate.end},
                        {"score", candidate.probability}});
      if (!span && candidate.text.empty()) none = n_best.back();
    }
    const Json& answer =
        prediction.answer(impossible, threshold) ? n_best[prediction.best_span] : none;
    Json line{{"index", first + static_cast<int64_t>(q)},
              {"id", prediction.id},
              {"question", set.questions[q].question},
              {"answer", answer["text"]},
              {"begin", answer["begin"]},
              {"end", answer["end"]},
              {"score", answer["score"]},
              {"n_best", n_best}};
    if (impossible) line["null_odds"] = prediction.null_odds;
    jsonl << line.dump() << "\n";
  }
}

// What the official evaluation reads, and the two further files of the references.
void QuestionTaskSet::write_files(const std::vector<UnitLogits>& logits,
                                  const std::filesystem::path& folder) const {
  const std::vector<QaPrediction> predictions = decode(logits);
  const auto write = [&](const char* name, const Json& json) {
    write_file(folder / name, json.dump(2) + "\n");
  };
  write("predictions.json", predictions_json(predictions, impossible, null_threshold(predictions)));
  write("nbest_predictions.json", nbest_json(predictions));
  if (impossible) write("null_odds.json", null_odds_json(predictions));
}

std::string QuestionTaskSet::notes() const {
  const auto& counts = features.counts();
  std::string text;
  if (counts.unfound && use != TaskUse::prediction)
    text += fmt::format(
        "{}: the answers of {} of {} questions are not in their contexts, the first of '{}'{}\n",
        set.file, counts.unfound, examples(), counts.first_unfound,
        use == TaskUse::training ? "; these questions are left out" : "");
  if (counts.moved && use != TaskUse::prediction)
    text += fmt::format("{}: {} answers stand near their offsets, not at them\n", set.file,
                        counts.moved);
  if (counts.cut_questions)
    text += fmt::format("{}: {} questions are longer than {} tokens and are cut\n", set.file,
                        counts.cut_questions, task.options.max_query_length);
  if (counts.empty_contexts)
    text += fmt::format("{}: {} contexts have no token\n", set.file, counts.empty_contexts);
  return text;
}

std::unique_ptr<TaskSet> QuestionTask::read(const std::filesystem::path& path, TaskUse use) {
  QaSet set;
  if (use == TaskUse::prediction && !is_squad(path)) {
    set =
        QuestionReader(path, {.columns = options.columns}).next(std::numeric_limits<size_t>::max());
    check(!set.questions.empty(), "{}: it holds no questions", set.file);
  } else {
    set = read_squad(path);
  }
  if (use != TaskUse::prediction)
    for (const QaQuestion& question : set.questions)
      check(question.impossible || !question.answers.empty(),
            "{}: question '{}' has no \"answers\"; to learn and to judge they are needed", set.file,
            question.id);
  return std::make_unique<QuestionTaskSet>(*this, std::move(set), use);
}

// Tables are read in parts, SQuAD's JSON whole. Standard input is JSON lines.
std::function<std::unique_ptr<TaskSet>()> QuestionTask::stream(const std::filesystem::path& path) {
  if (is_squad(path)) return Task::stream(path);
  auto reader = std::make_shared<QuestionReader>(
      path, TableOptions{path == "-" ? TableFormat::jsonl : TableFormat::by_name, options.columns});
  return [this, reader]() -> std::unique_ptr<TaskSet> {
    QaSet part = reader->next(256);
    if (part.questions.empty()) return nullptr;
    return std::make_unique<QuestionTaskSet>(*this, std::move(part), TaskUse::prediction);
  };
}

std::string QuestionTask::describe(const TaskSet& training, const TaskSet* validation) const {
  std::string text;
  for (const TaskSet* part : {&training, validation}) {
    if (!part) continue;
    const auto& own = dynamic_cast<const QuestionTaskSet&>(*part);
    const auto& windows = own.features.windows();
    const auto without = std::count_if(windows.begin(), windows.end(),
                                       [](const QaWindow& window) { return window.start == 0; });
    const auto unanswerable = std::count_if(own.set.questions.begin(), own.set.questions.end(),
                                            [](const QaQuestion& q) { return q.impossible; });
    text += fmt::format(
        "{}: {} questions, {} of them without an answer, on {} contexts; {} windows, {} of them "
        "without the answer\n",
        own.set.file, own.examples(), unanswerable, own.set.contexts.size(), windows.size(),
        without);
  }
  return text;
}

}  // namespace

std::unique_ptr<Task> make_question_task(const TaskOptions& options, const Tokenizer& tokenizer) {
  return std::make_unique<QuestionTask>(options, tokenizer);
}

}  // namespace gradus
