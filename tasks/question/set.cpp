#include "gradus/tasks/question/set.h"

#include <algorithm>

#include "gradus/base/file.h"
#include "gradus/base/json.h"

namespace gradus {

using Json = nlohmann::ordered_json;

QuestionTaskSet::QuestionTaskSet(const TaskOptions& o, const Tokenizer& tokenizer, QaSet read,
                                 TaskUse use)
    : options_(o.question),
      use_(use),
      set_(std::move(read)),
      features_(
          set_, tokenizer,
          {o.max_seq_length, o.doc_stride, options_.max_query_length, options_.stride_meaning},
          use == TaskUse::training ? QaUse::training : QaUse::prediction),
      impossible_(options_.version_2_with_negative || options_.null_score_diff_threshold ||
                  has_impossible()) {}

// Where labels are not read, a file whose lists of answers are all empty is one without labels,
// not one without answers.
bool QuestionTaskSet::has_impossible() const {
  return set_.has_impossible() &&
         (use_ != TaskUse::prediction ||
          std::any_of(set_.questions.begin(), set_.questions.end(),
                      [](const QaQuestion& question) { return !question.answers.empty(); }));
}

Targets QuestionTaskSet::targets(std::span<const int64_t> units) const {
  std::vector<int32_t> starts, ends;
  for (const int64_t unit : units) {
    starts.push_back(window(unit).start);
    ends.push_back(window(unit).stop);
  }
  return {std::vector<double>(units.size(), 1),
          [starts, ends](const Tensor& logits, const Ragged& sequences, double denominator) {
            return span_loss(logits, sequences, starts, ends, denominator);
          }};
}

// Of every question that has windows.
std::vector<QaPrediction> QuestionTaskSet::decode(const std::vector<UnitLogits>& logits) const {
  // run_squad.py's ways: spans count where most is seen around them, texts are listed once
  const bool google = options_.stride_meaning == StrideMeaning::step;
  const QaDecodeOptions options{options_.n_best_size, options_.max_answer_length, impossible_,
                                google, google};
  std::vector<QaPrediction> predictions;
  for (size_t q = 0; q < set_.questions.size(); ++q) {
    const auto [begin, end] = features_.windows_of(q);
    std::vector<QaLogits> own(end - begin);
    for (size_t w = begin; w < end; ++w)
      for (size_t i = 0; i < logits[w].size(); ++i)
        (i % 2 ? own[w - begin].end : own[w - begin].start).push_back(logits[w][i]);
    if (!own.empty()) predictions.push_back(decode_answer(features_, set_, q, own, options));
  }
  return predictions;
}

namespace {

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

}  // namespace

// That of the options, or the best for this file where it has labels, or 0 as in the references.
double QuestionTaskSet::null_threshold(const std::vector<QaPrediction>& predictions) const {
  if (options_.null_score_diff_threshold) return *options_.null_score_diff_threshold;
  if (!impossible_ || use_ == TaskUse::prediction) return 0;
  return find_null_threshold(set_, answers_of(predictions, false, 0), odds_of(predictions));
}

Evaluation QuestionTaskSet::evaluate(const std::vector<UnitLogits>& logits) const {
  const std::vector<QaPrediction> predictions = decode(logits);
  const double threshold = null_threshold(predictions);
  const Answers answers = answers_of(predictions, impossible_, threshold);
  Evaluation result;
  if (impossible_) {
    result.metrics = squad2_metrics(set_, answers);
    // The best that other thresholds would give is counted from spans alone.
    for (const auto& metric :
         squad2_metrics(set_, answers_of(predictions, false, 0), odds_of(predictions)))
      if (metric.first.rfind("best_", 0) == 0) result.metrics.push_back(metric);
    result.metrics.emplace_back("null_threshold", threshold);
    result.tables = fmt::format(
        "no answer is said where it scores more than {:.4g} above the best span ({})\n\n",
        threshold,
        options_.null_score_diff_threshold ? "as given"
                                           : "the threshold with the best F1 on this file");
    const auto without = std::count_if(set_.questions.begin(), set_.questions.end(),
                                       [](const QaQuestion& q) { return q.answers.empty(); });
    result.constant =
        100 * static_cast<double>(without) / static_cast<double>(set_.questions.size());
  } else {
    result.metrics = squad_metrics(set_, answers);
  }
  put_first(result.metrics, "f1");
  result.tables += worst(answers);
  return result;
}

// The answers with the least F1; of equal ones the first.
std::string QuestionTaskSet::worst(const Answers& answers) const {
  std::vector<std::pair<double, const QaQuestion*>> mistakes;
  for (const QaQuestion& question : set_.questions) {
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
  for (size_t q = 0; q < set_.questions.size(); ++q) {
    const auto [begin, end] = features_.windows_of(q);
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
        prediction.answer(impossible_, threshold) ? n_best[prediction.best_span] : none;
    Json line{{"index", first + static_cast<int64_t>(q)},
              {"id", prediction.id},
              {"question", set_.questions[q].question},
              {"answer", answer["text"]},
              {"begin", answer["begin"]},
              {"end", answer["end"]},
              {"score", answer["score"]},
              {"n_best", n_best}};
    if (impossible_) line["null_odds"] = prediction.null_odds;
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
  write("predictions.json",
        predictions_json(predictions, impossible_, null_threshold(predictions)));
  write("nbest_predictions.json", nbest_json(predictions));
  if (impossible_) write("null_odds.json", null_odds_json(predictions));
}

std::string QuestionTaskSet::notes() const {
  const auto& counts = features_.counts();
  std::string text;
  if (counts.unfound && use_ != TaskUse::prediction)
    text += fmt::format(
        "{}: the answers of {} of {} questions are not in their contexts, the first of '{}'{}\n",
        set_.file, counts.unfound, examples(), counts.first_unfound,
        use_ == TaskUse::training ? "; these questions are left out" : "");
  if (counts.moved && use_ != TaskUse::prediction)
    text += fmt::format("{}: {} answers stand near their offsets, not at them\n", set_.file,
                        counts.moved);
  if (counts.cut_questions)
    text += fmt::format("{}: {} questions are longer than {} tokens and are cut\n", set_.file,
                        counts.cut_questions, options_.max_query_length);
  if (counts.empty_contexts)
    text += fmt::format("{}: {} contexts have no token\n", set_.file, counts.empty_contexts);
  return text;
}

std::string QuestionTaskSet::describe() const {
  const auto& windows = features_.windows();
  const auto without = std::count_if(windows.begin(), windows.end(),
                                     [](const QaWindow& window) { return window.start == 0; });
  const auto unanswerable = std::count_if(set_.questions.begin(), set_.questions.end(),
                                          [](const QaQuestion& q) { return q.impossible; });
  return fmt::format(
      "{}: {} questions, {} of them without an answer, on {} contexts; {} windows, {} of them "
      "without the answer\n",
      set_.file, examples(), unanswerable, set_.contexts.size(), windows.size(), without);
}

}  // namespace gradus
