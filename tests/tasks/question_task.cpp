// qa on files of a few questions: windows, losses and metrics worked out by hand from given logits,
// null thresholds, predictions.
#include "tests/tasks/task_support.h"

using namespace gradus;
using namespace gradus::testing;
using doctest::Approx;

TEST_CASE("qa: SQuAD 1.1") {
  const Files files;
  const auto task = Task::make({.kind = "qa", .max_seq_length = 384}, tokenizer(), BertConfig());
  const auto path =
      files("q.json", squad({squad_question("x", "Ann", 2), squad_question("y", "Ben in", 10),
                             squad_question("z", "nowhere", 2)}));
  const auto training = task->read(path, TaskUse::training),
             set = task->read(path, TaskUse::validation);
  CHECK(training->size() == 2);
  CHECK_MENTIONS(training->notes(),
                 "the answers of 1 of 3 questions are not in their contexts, the first of 'z'; "
                 "these questions are left out");
  CHECK(set->size() == 3);
  CHECK(set->examples() == 3);
  CHECK(weight(*training, 0) == 1);
  // [CLS] who ? [SEP] é ann saw ben in rome [SEP]
  CHECK(training->sequences(0)[0].ids.size() == 11);
  const Tensor logits = some_logits(22, 2);
  const auto part = [&](int64_t window, int64_t column, int64_t token) {
    return surprise(
        reshape(slice(slice(logits, 0, 11 * window, 11 * window + 11), 1, column, column + 1),
                {1, 11}),
        0, token);
  };
  CHECK(checked_loss(*training, logits) ==
        Approx((part(0, 0, 5) + part(0, 1, 5) + part(1, 0, 7) + part(1, 1, 8)) / 4));

  // right, half, wrong
  const std::vector<UnitLogits> said{span(11, 5, 5), span(11, 7, 7), span(11, 9, 9)};
  const Evaluation evaluation = set->evaluate(said);
  CHECK(evaluation.metrics[0].first == "f1");
  CHECK(metric(evaluation, "f1") == Approx(100 * (1 + 2 / 3.0) / 3));
  CHECK(metric(evaluation, "exact_match") == Approx(100 / 3.0));
  CHECK_MENTIONS(evaluation.tables, "says  Rome");
  CHECK_MENTIONS(evaluation.tables, "is    nowhere");
  const auto lines = predictions(*set, said, 7);
  CHECK(lines[1]["index"] == 8);
  CHECK(lines[1]["id"] == "y");
  CHECK(lines[1]["question"] == "who?");
  CHECK(lines[1]["answer"] == "Ben");
  CHECK(lines[1]["begin"] == 10);  // code points: é is one
  CHECK(lines[1]["end"] == 13);
  CHECK(lines[1]["score"] == lines[1]["n_best"][0]["score"]);
  CHECK(lines[1]["n_best"][0]["text"] == "Ben");
  CHECK_FALSE(lines[1].contains("null_odds"));
  const Scratch out;
  set->write_files(said, out.path());
  CHECK(read_json(out / "predictions.json") == Json{{"x", "Ann"}, {"y", "Ben"}, {"z", "Rome"}});
  CHECK(read_json(out / "nbest_predictions.json")["x"][0]["text"] == "Ann");
  CHECK_FALSE(std::filesystem::exists(out / "null_odds.json"));
}

TEST_CASE("qa: SQuAD 2.0 finds the null threshold, or takes the one given") {
  const Files files;
  const auto path =
      files("q.json", squad({squad_question("x", "Ann", 2), squad_question("y", "", 0)}));
  // No answer scores 12 against 10 for the one that has an answer, 16 against 10 for the one that
  // has none.
  const std::vector<UnitLogits> said{span(11, 5, 5, 6), span(11, 5, 5, 8)};
  const auto task = Task::make({.kind = "qa", .max_seq_length = 384}, tokenizer(), BertConfig());
  const auto found = task->read(path, TaskUse::validation);
  const Evaluation evaluation = found->evaluate(said);
  CHECK(evaluation.metrics[0] == std::pair<std::string, double>("f1", 100));
  CHECK(metric(evaluation, "best_f1_thresh") == 2);
  CHECK(metric(evaluation, "null_threshold") == 2);
  CHECK(evaluation.constant == 50);
  CHECK_MENTIONS(evaluation.tables, "the threshold with the best F1 on this file");
  const auto lines = predictions(*found, said);
  CHECK(lines[0]["answer"] == "Ann");
  CHECK(lines[0]["null_odds"] == 2);
  CHECK(lines[1]["answer"] == "");
  CHECK(lines[1]["begin"] == lines[1]["end"]);
  CHECK(lines[1]["score"] == lines[1]["n_best"][0]["score"]);  // no answer is the best candidate
  const Scratch out;
  found->write_files(said, out.path());
  CHECK(read_json(out / "predictions.json") == Json{{"x", "Ann"}, {"y", ""}});
  CHECK(read_json(out / "null_odds.json") == Json{{"x", 2.0}, {"y", 6.0}});

  const auto strict = Task::make(
      {.kind = "qa", .max_seq_length = 384, .question = {.null_score_diff_threshold = 0.0}},
      tokenizer(), BertConfig());
  const auto given = strict->read(path, TaskUse::validation);
  CHECK(metric(given->evaluate(said), "f1") == 50);
  CHECK(metric(given->evaluate(said), "best_f1") == 100);
  // To predict, empty lists of answers say nothing.
  const auto unlabelled = files("u.json", squad(Json::array({squad_question("x", "", 0)})));
  const auto set = task->read(unlabelled, TaskUse::prediction);
  CHECK(predictions(*set, {span(11, 5, 5, 8)})[0]["answer"] == "Ann");
}

TEST_CASE("qa: a question's answer is the best of all its windows") {
  const Files files;
  TaskOptions options{.kind = "qa", .max_seq_length = 9, .doc_stride = 1};
  const auto path = files("q.jsonl", R"({"question": "who?", "context": "é Ann saw Ben in Rome"}
{"question": "who?", "context": "é Ann saw Ben in Rome"}
)");
  const auto task = Task::make(options, tokenizer(), BertConfig());
  const auto overlap = task->stream(path)();
  CHECK(overlap->examples() == 2);
  CHECK(overlap->size() == 4);  // [é ann saw ben] and [ben in rome]
  UnitLogits surer = span(8, 5, 6);
  for (float& x : surer) x *= 2;
  const auto lines = predictions(*overlap, {span(9, 4, 4), surer, span(9, 4, 4), UnitLogits(16)});
  CHECK(lines[0]["id"] == "0");
  CHECK(lines[0]["answer"] == "in Rome");
  CHECK(lines[0]["begin"] == 14);
  CHECK(lines[1]["id"] == "1");
  CHECK(lines[1]["answer"] == "é");
  options.question.stride_meaning = StrideMeaning::step;
  const auto step = Task::make(options, tokenizer(), BertConfig());
  CHECK(step->read(path, TaskUse::prediction)->size() == 6);
}

TEST_CASE("qa: an empty question and an empty context have an answer that is no span") {
  const Files files;
  const auto task = Task::make({.kind = "qa"}, tokenizer(), BertConfig());
  const auto set =
      task->read(files("e.jsonl", "{\"id\": \"a\", \"question\": \"\", \"context\": \"\"}\n"),
                 TaskUse::prediction);
  CHECK(set->sequences(0)[0].ids == std::vector<int32_t>{2, 3, 3});
  const auto lines = predictions(*set, {UnitLogits(6)});
  CHECK(lines[0]["answer"] == "");
  CHECK(lines[0]["begin"] == lines[0]["end"]);
  CHECK_MENTIONS(set->notes(), "1 contexts have no token");
}
