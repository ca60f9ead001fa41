// Every kind of task on files of a few lines: units and their weights, losses and metrics worked out by hand from given logits,
// predictions, and input that is refused.
#include "train/task.h"

#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "autograd/gradcheck.h"
#include "base/file.h"
#include "base/json_file.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;
using Json = nlohmann::json;
using doctest::Approx;

namespace {

const Tokenizer& tokenizer() {
  static const Tokenizer instance(
      Vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ann", "##a", "saw", "ben", "in", "rome", ".", "who", "?", "é", "##s"}));
  return instance;
}

struct Files {
  Scratch scratch;
  std::filesystem::path operator()(const std::string& name, const std::string& text) const {
    write_file(scratch / name, text);
    return scratch / name;
  }
};

double metric(const Evaluation& evaluation, const std::string& name) {
  for (const auto& [key, value] : evaluation.metrics)
    if (key == name) return value;
  FAIL_CHECK("no metric ", name);
  return 0;
}

std::vector<Json> predictions(const TaskSet& set, const std::vector<UnitLogits>& logits, int64_t first = 0) {
  std::ostringstream jsonl;
  set.write_predictions(logits, jsonl, first);
  std::vector<Json> lines;
  std::istringstream read(jsonl.str());
  for (std::string line; std::getline(read, line);) lines.push_back(Json::parse(line));
  return lines;
}

// The units of a set as a batch.
struct Batch {
  std::vector<int64_t> units, lengths;
  double weight = 0;
  explicit Batch(const TaskSet& set) {
    for (int64_t unit = 0; unit < set.size(); ++unit) {
      units.push_back(unit);
      weight += set.weight(unit);
      for (const Sequence& sequence : set.sequences(unit)) lengths.push_back(static_cast<int64_t>(sequence.ids.size()));
    }
  }
  Ragged ragged() const { return Ragged(lengths); }
};

// The loss of all units from f64 logits of any numbers, checked against differences; its value.
double checked_loss(const TaskSet& set, const Tensor& logits) {
  const Batch batch(set);
  const auto f = [&](Inputs in) { return Tensors{set.loss(in[0], batch.ragged(), batch.units, batch.weight)}; };
  const GradcheckResult result = gradcheck(f, {logits});
  CHECK_MESSAGE(result.ok, result.log);
  return f({logits})[0].item();
}

Tensor some_logits(int64_t rows, int64_t columns) {
  std::vector<double> values;
  for (int64_t i = 0; i < rows * columns; ++i) values.push_back(std::sin(1.7 * static_cast<double>(i)) * 1.5);
  return from_vector(values, {rows, columns});
}

// -log softmax(row)[label] of row `row` of the logits.
double surprise(const Tensor& logits, int64_t row, int64_t label) {
  const std::vector<double> values = logits.to_vector<double>();
  const int64_t columns = logits.size(1);
  double total = 0;
  for (int64_t c = 0; c < columns; ++c) total += std::exp(values[static_cast<size_t>(row * columns + c)]);
  return std::log(total) - values[static_cast<size_t>(row * columns + label)];
}

// Logits by token that are sure of these labels.
UnitLogits sure(const std::vector<size_t>& labels, size_t columns) {
  UnitLogits logits(labels.size() * columns);
  for (size_t i = 0; i < labels.size(); ++i) logits[i * columns + labels[i]] = 9;
  return logits;
}

const char* const conll = "Anna B-PER\nsaw O\nBen B-PER\n\nin O\nRome B-LOC\n";

}  // namespace

TEST_CASE("classify: weights, loss, metrics, predictions") {
  const Files files;
  const auto task = Task::make({.kind = "classify", .class_weights = "bad=2", .label_smoothing = 0.1}, tokenizer(), BertConfig());
  const auto set = task->read(files("t.tsv", "text\tlabel\nann saw ben\tgood\nben\tbad\n\tgood\n"), TaskUse::training);
  CHECK(set->size() == 3);
  CHECK(set->weight(0) == 1);
  CHECK(set->weight(1) == 2);  // labels are sorted: bad, good
  CHECK(set->sequences(0)[0].ids == std::vector<int32_t>{2, 5, 7, 8, 3});
  CHECK_MENTIONS(set->notes(), "1 texts have no token of their own, the first in line 4");
  BertConfig config = BertConfig::named("tiny", 16);
  task->configure(config);
  CHECK(config.id2label == std::map<int64_t, std::string>{{0, "bad"}, {1, "good"}});

  const Tensor logits = some_logits(3, 2);
  double wanted = 0;
  const std::vector<double> weights{2, 1};
  const std::vector<int64_t> labels{1, 0, 1};
  for (int64_t row = 0; row < 3; ++row) {
    wanted +=
        0.9 * weights[static_cast<size_t>(labels[static_cast<size_t>(row)])] * surprise(logits, row, labels[static_cast<size_t>(row)]);
    for (int64_t c = 0; c < 2; ++c) wanted += 0.05 * weights[static_cast<size_t>(c)] * surprise(logits, row, c);
  }
  CHECK(checked_loss(*set, logits) == Approx(wanted / 4));

  const std::vector<UnitLogits> sure_of{{0, 2}, {1, 0}, {3, 0}};  // the last is wrong
  const Evaluation evaluation = set->evaluate(sure_of);
  CHECK(evaluation.metrics[0] == std::pair<std::string, double>("accuracy", 2.0 / 3));
  CHECK(evaluation.constant == Approx(2.0 / 3));
  CHECK_MENTIONS(evaluation.tables, "is good, 95 % sure of bad");
  const auto lines = predictions(*set, sure_of, 10);
  CHECK(lines[0]["index"] == 10);
  CHECK(lines[0]["label"] == "good");
  CHECK(lines[0]["score"] == Approx(1 / (1 + std::exp(-2.0))));
  CHECK(lines[2]["probabilities"]["bad"] == Approx(1 / (1 + std::exp(-3.0))));
}

TEST_CASE("classify: long texts in windows have the mean of their logits") {
  const Files files;
  const auto task =
      Task::make({.kind = "classify", .max_seq_length = 4, .long_texts = "windows", .doc_stride = 0}, tokenizer(), BertConfig());
  const auto set = task->read(files("t.tsv", "text\tlabel\nann saw ben in\tx\nben\ty\n"), TaskUse::training);
  CHECK(set->sequences(0).size() == 2);
  const Tensor logits = some_logits(3, 2);
  const Tensor means = concat({mean(slice(logits, 0, 0, 2), 0), slice(logits, 0, 2, 3)}, 0);
  CHECK(checked_loss(*set, logits) == Approx((surprise(means, 0, 0) + surprise(means, 1, 1)) / 2));
  CHECK(predictions(*set, {{1, 0, 0, 3}, {1, 0}})[0]["score"] == Approx(1 / (1 + std::exp(-1.0))));
}

TEST_CASE("regress and multilabel") {
  const Files files;
  const auto regress = Task::make({.kind = "regress"}, tokenizer(), BertConfig());
  const auto numbers = regress->read(files("n.tsv", "text\tlabel\nann\t1\nben\t2\nrome\t4\n"), TaskUse::training);
  const Tensor scores = some_logits(3, 1);
  const auto s = scores.to_vector<double>();
  CHECK(checked_loss(*numbers, scores) == Approx((std::pow(s[0] - 1, 2) + std::pow(s[1] - 2, 2) + std::pow(s[2] - 4, 2)) / 3));
  const Evaluation perfect = numbers->evaluate({{2}, {4}, {8}});
  CHECK(perfect.metrics[0].first == "pearson");
  CHECK(metric(perfect, "pearson") == Approx(1));
  CHECK(metric(perfect, "mse") == Approx((1 + 4 + 16) / 3.0));
  CHECK(predictions(*numbers, {{2}, {4}, {8}})[2]["score"] == 8);

  const auto many = Task::make({.kind = "multilabel", .label_separator = ","}, tokenizer(), BertConfig());
  const auto rows = many->read(files("m.tsv", "text\tlabel\nann\ta,b\nben\tb\nrome\t\n"), TaskUse::training);
  CHECK(rows->weight(0) == 2);
  const Tensor logits = some_logits(3, 2);
  const auto x = logits.to_vector<double>();
  const std::vector<double> gold{1, 1, 0, 1, 0, 0};
  double wanted = 0;
  for (size_t i = 0; i < 6; ++i) wanted += std::log1p(std::exp(gold[i] > 0 ? -x[i] : x[i])) / 6;
  CHECK(checked_loss(*rows, logits) == Approx(wanted));
  const std::vector<UnitLogits> said{{1, 1}, {1, 1}, {-1, -1}};  // three right, one false alarm
  CHECK(metric(rows->evaluate(said), "f1_micro") == Approx(2 * 0.75 * 1 / 1.75));
  CHECK(predictions(*rows, said)[1]["labels"] == Json{"a", "b"});
  CHECK(predictions(*rows, said)[2]["labels"] == Json::array());
}

TEST_CASE("choice: a softmax over each question's choices, however many") {
  const Files files;
  const auto task = Task::make({.kind = "choice"}, tokenizer(), BertConfig());
  const auto set = task->read(files("c.jsonl", R"({"context": "ann saw", "choices": ["ben", "rome", "in"], "label": 1}
{"context": "in", "choices": ["rome", "saw"], "label": 0}
)"),
                              TaskUse::training);
  CHECK(set->size() == 2);
  CHECK(set->sequences(0).size() == 3);
  const Tensor logits = some_logits(5, 1);
  const Tensor first = reshape(slice(logits, 0, 0, 3), {1, 3}), second = reshape(slice(logits, 0, 3, 5), {1, 2});
  CHECK(checked_loss(*set, logits) == Approx((surprise(first, 0, 1) + surprise(second, 0, 0)) / 2));
  const Evaluation evaluation = set->evaluate({{0, 1, 0}, {0, 1}});
  CHECK(metric(evaluation, "accuracy") == 0.5);
  CHECK(evaluation.constant == Approx((1 / 3.0 + 1 / 2.0) / 2));
  const auto lines = predictions(*set, {{0, 1, 0}, {0, 1}});
  CHECK(lines[1]["choice"] == 1);
  CHECK(lines[1]["text"] == "saw");
  CHECK(lines[0]["probabilities"].size() == 3);
}

TEST_CASE("ner: words, not pieces, are learned and judged") {
  const Files files;
  const auto task = Task::make({.kind = "ner", .class_weights = "O=3"}, tokenizer(), BertConfig());
  const auto set = task->read(files("t.conll", conll), TaskUse::training);
  CHECK(set->size() == 2);
  CHECK(set->examples() == 2);
  CHECK(set->sequences(0)[0].ids == std::vector<int32_t>{2, 5, 6, 7, 8, 3});
  CHECK(set->weight(0) == 5);  // B-PER, O, B-PER: two pieces of Anna, and the first counts
  CHECK(set->weight(1) == 4);
  BertConfig config = BertConfig::named("tiny", 16);
  task->configure(config);
  CHECK(config.id2label == std::map<int64_t, std::string>{{0, "B-LOC"}, {1, "B-PER"}, {2, "O"}});
  CHECK_MENTIONS(task->describe(*set, nullptr), "2 sentences, tagged in IOB2");

  const Tensor logits = some_logits(10, 3);
  const double wanted =
      surprise(logits, 1, 1) + 3 * surprise(logits, 3, 2) + surprise(logits, 4, 1) + 3 * surprise(logits, 7, 2) + surprise(logits, 8, 0);
  CHECK(checked_loss(*set, logits) == Approx(wanted / 9));

  // Ben is missed and Rome found; what is said of [CLS], ##a and [SEP] does not matter.
  const std::vector<UnitLogits> said{sure({0, 1, 0, 2, 2, 0}, 3), sure({1, 2, 0, 1}, 3)};
  const Evaluation evaluation = set->evaluate(said);
  CHECK(evaluation.metrics[0] == std::pair<std::string, double>("f1", 2 * 1 * (2 / 3.0) / (1 + 2 / 3.0)));
  CHECK(metric(evaluation, "precision") == 1);
  CHECK(metric(evaluation, "recall") == Approx(2 / 3.0));
  CHECK(metric(evaluation, "accuracy") == Approx(4 / 5.0));
  CHECK(metric(evaluation, "loss") == Approx((4 * std::log1p(2 * std::exp(-9.0)) + 9 + std::log1p(2 * std::exp(-9.0))) / 5).epsilon(1e-6));
  CHECK_MENTIONS(evaluation.tables, "missed PER 'Ben'");
  const auto lines = predictions(*set, said, 4);
  CHECK(lines[0]["index"] == 4);
  CHECK(lines[0]["words"] == Json{"Anna", "saw", "Ben"});
  CHECK(lines[0]["tags"] == Json{"B-PER", "O", "O"});
  CHECK(lines[1]["entities"].size() == 1);
  const Json& rome = lines[1]["entities"][0];
  CHECK(rome["type"] == "LOC");
  CHECK(rome["text"] == "Rome");
  CHECK(rome["begin"] == 1);
  CHECK(rome["end"] == 2);
  CHECK(rome["start_char"] == 3);
  CHECK(rome["end_char"] == 7);
  CHECK(rome["score"] == Approx(1 / (1 + 2 * std::exp(-9.0))));
}

TEST_CASE("ner: long sentences lose no word, words without a token are O") {
  const Files files;
  const auto task = Task::make({.kind = "ner", .max_seq_length = 6}, tokenizer(), BertConfig());
  const auto set = task->read(files("t.conll", "ben B-PER\nsaw O\nann B-PER\nin O\nrome B-LOC\n\u200B O\n. O\n"), TaskUse::training);
  CHECK(set->size() == 2);
  CHECK(set->examples() == 1);
  CHECK(set->weight(0) + set->weight(1) == 6);
  CHECK_MENTIONS(set->notes(), "1 of 1 sentences are longer than 6 tokens");
  CHECK_MENTIONS(set->notes(), "1 words have no token");
  std::vector<UnitLogits> said;
  for (int64_t unit = 0; unit < 2; ++unit) {
    std::vector<size_t> labels;
    const Sequence sequence = set->sequences(unit)[0];
    for (const int32_t id : sequence.ids) labels.push_back(id == 5 || id == 8 ? 1 : id == 10 ? 0 : 2);
    said.push_back(sure(labels, 3));
  }
  CHECK(metric(set->evaluate(said), "f1") == 1);
  CHECK(predictions(*set, said)[0]["tags"] == Json{"B-PER", "O", "B-PER", "O", "B-LOC", "O", "O"});
  // A window of nothing but lost words has weight 0 and a loss of 0.
  const auto lost = task->read(files("l.conll", "\u200B O\n"), TaskUse::validation);
  CHECK(lost->weight(0) == 0);
  CHECK(lost->loss(some_logits(2, 3), Ragged({2}), std::vector<int64_t>{0}, 1).item() == 0);
}

TEST_CASE("ner: strict entities follow the scheme") {
  const Files files;
  const auto path = files("t.conll", "ann B-PER\nben I-PER\nrome I-LOC\n");
  const std::vector<UnitLogits> right{sure({3, 0, 2, 1, 3}, 4)};
  for (const bool strict : {false, true}) {
    const auto task =
        Task::make({.kind = "ner", .labels = {"B-PER", "I-LOC", "I-PER", "O"}, .strict_entities = strict}, tokenizer(), BertConfig());
    const auto set = task->read(path, TaskUse::validation);
    CHECK_MENTIONS(task->describe(*set, nullptr), "1 tags stand where IOB2 forbids them, the first in line 3");
    CHECK(predictions(*set, right)[0]["entities"].size() == (strict ? 1 : 2));
    const std::string tables = set->evaluate(right).tables;
    CHECK_MENTIONS(tables, std::string(strict ? "seqeval's strict mode reads them in IOB2" : "conlleval.pl reads them"));
    CHECK(tables.find("mistakes") == std::string::npos);
  }
}

TEST_CASE("ner: plain text is split into words, and answers point into it") {
  const Files files;
  const auto task = Task::make({.kind = "ner", .labels = {"O", "B-PER", "I-PER", "B-LOC"}}, tokenizer(), BertConfig());
  const auto path = files("t.txt", "é  Anna Ben.\r\n\nin Rome");
  const auto stream = task->stream(path);
  const auto set = stream();
  REQUIRE(set);
  CHECK_FALSE(stream());
  CHECK(set->examples() == 3);
  CHECK(task->read(path, TaskUse::prediction)->examples() == 3);
  // [CLS] é ann ##a ben . [SEP]
  const auto lines = predictions(*set, {sure({0, 0, 1, 0, 2, 0, 0}, 4), sure({0, 0}, 4), sure({0, 0, 3, 0}, 4)});
  CHECK(lines[0]["words"] == Json{"é", "Anna", "Ben", "."});
  const Json& person = lines[0]["entities"][0];
  CHECK(person["text"] == "Anna Ben");
  CHECK(person["begin"] == 1);
  CHECK(person["end"] == 3);
  CHECK(person["start_char"] == 3);
  CHECK(person["end_char"] == 11);
  CHECK(lines[1]["words"] == Json::array());  // an empty line is an example too
  CHECK(lines[1]["entities"] == Json::array());
  CHECK(lines[2]["entities"][0]["start_char"] == 3);

  std::string many;
  for (int i = 0; i < 300; ++i) many += "ann\n";
  const auto parts = task->stream(files("many.txt", many));
  CHECK(parts()->examples() == 256);
  CHECK(parts()->examples() == 44);
  CHECK_FALSE(parts());
  // Columns without tags.
  CHECK(predictions(*task->read(files("p.conll", "Ann\nsaw\n"), TaskUse::prediction), {sure({0, 1, 0, 0}, 4)})[0]["tags"] ==
        Json{"B-PER", "O"});
}

namespace {

Json squad_question(const std::string& id, const std::string& text, int64_t start) {
  Json answers = Json::array();
  if (!text.empty()) answers.push_back({{"text", text}, {"answer_start", start}});
  return {{"id", id}, {"question", "who?"}, {"answers", answers}};
}

std::string squad(const Json& questions, const char* context = "é Ann saw Ben in Rome") {
  return Json{{"version", "1.1"}, {"data", {{{"paragraphs", {{{"context", context}, {"qas", questions}}}}}}}}.dump();
}

// Start and end logits of a window of `length` tokens that is sure of the span [start, stop], and as sure of none as `none`.
UnitLogits span(size_t length, size_t start, size_t stop, float none = 0) {
  UnitLogits logits(2 * length);
  logits[0] = logits[1] = none;
  logits[2 * start] = logits[2 * stop + 1] = 5;
  return logits;
}

}  // namespace

TEST_CASE("qa: SQuAD 1.1") {
  const Files files;
  const auto task = Task::make({.kind = "qa", .max_seq_length = 384}, tokenizer(), BertConfig());
  const auto path =
      files("q.json", squad({squad_question("x", "Ann", 2), squad_question("y", "Ben in", 10), squad_question("z", "nowhere", 2)}));
  const auto training = task->read(path, TaskUse::training), set = task->read(path, TaskUse::validation);
  CHECK(training->size() == 2);
  CHECK_MENTIONS(training->notes(),
                 "the answers of 1 of 3 questions are not in their contexts, the first of 'z'; these questions are left out");
  CHECK(set->size() == 3);
  CHECK(set->examples() == 3);
  CHECK(training->weight(0) == 1);
  // [CLS] who ? [SEP] é ann saw ben in rome [SEP]
  CHECK(training->sequences(0)[0].ids.size() == 11);
  const Tensor logits = some_logits(22, 2);
  const auto part = [&](int64_t window, int64_t column, int64_t token) {
    return surprise(reshape(slice(slice(logits, 0, 11 * window, 11 * window + 11), 1, column, column + 1), {1, 11}), 0, token);
  };
  CHECK(checked_loss(*training, logits) == Approx((part(0, 0, 5) + part(0, 1, 5) + part(1, 0, 7) + part(1, 1, 8)) / 4));

  const std::vector<UnitLogits> said{span(11, 5, 5), span(11, 7, 7), span(11, 9, 9)};  // right, half, wrong
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
  const auto path = files("q.json", squad({squad_question("x", "Ann", 2), squad_question("y", "", 0)}));
  // No answer scores 12 against 10 for the one that has an answer, 16 against 10 for the one that has none.
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

  const auto strict = Task::make({.kind = "qa", .max_seq_length = 384, .null_score_diff_threshold = 0.0}, tokenizer(), BertConfig());
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
  options.stride_meaning = "step";
  const auto step = Task::make(options, tokenizer(), BertConfig());
  CHECK(step->read(path, TaskUse::prediction)->size() == 6);
}

namespace {

// Standard input holds `text` as long as this lives.
struct StandardInput {
  std::istringstream text;
  std::streambuf* before;
  explicit StandardInput(const std::string& t) : text(t), before(std::cin.rdbuf(text.rdbuf())) { std::cin.clear(); }
  ~StandardInput() { std::cin.rdbuf(before); }
};

}  // namespace

TEST_CASE("standard input is lines of text for ner, JSON lines for qa") {
  {
    const StandardInput input("ann saw\n\nben");
    const auto task = Task::make({.kind = "ner", .labels = {"O", "B-PER"}}, tokenizer(), BertConfig());
    const auto stream = task->stream("-");
    CHECK(stream()->examples() == 3);
    CHECK_FALSE(stream());
  }
  std::string rows;
  for (int i = 0; i < 257; ++i)
    rows += R"({"question": "who?", "context": "ann"})"
            "\n";
  const StandardInput input(rows);
  const auto task = Task::make({.kind = "qa"}, tokenizer(), BertConfig());
  const auto stream = task->stream("-");
  CHECK(stream()->examples() == 256);
  const auto last = stream();
  CHECK(predictions(*last, {span(6, 4, 4)}, 256)[0]["id"] == "256");  // [CLS] who ? [SEP] ann [SEP]
  CHECK_FALSE(stream());
}

TEST_CASE("tasks refuse what cannot be right") {
  const Files files;
  const auto made = [&](const TaskOptions& options) { return error_of([&] { Task::make(options, tokenizer(), BertConfig()); }); };
  CHECK_MENTIONS(made({.kind = "ner", .label_smoothing = 0.1}), "--label-smoothing and --focal-gamma are for classify");
  CHECK_MENTIONS(made({.kind = "ner", .labels = {"B-PER", "I-PER"}}), "lack O");
  CHECK_MENTIONS(made({.kind = "ner", .labels = {"O", "PER"}}), "'PER' is not a tag");
  CHECK_MENTIONS(made({.kind = "ner", .text_column = "words"}), "ner reads columns without names");
  CHECK_MENTIONS(made({.kind = "ner", .long_texts = "tail"}), "--long tail is not for ner");
  CHECK_MENTIONS(made({.kind = "qa", .class_weights = "balanced"}), "--class-weights are for classify");
  CHECK_MENTIONS(made({.kind = "qa", .stride_meaning = "hop"}), "--stride-meaning hop: it is overlap");
  CHECK_MENTIONS(made({.kind = "qa", .n_best_size = 0}), "--n-best-size 0");
  CHECK_MENTIONS(made({.kind = "qa", .max_answer_length = 0}), "--max-answer-length 0");
  CHECK_MENTIONS(made({.kind = "regress", .class_weights = "a=2"}), "--class-weights is for classify and ner");
  CHECK_MENTIONS(made({.kind = "parse"}), "no task is called 'parse'");

  const auto read = [&](const TaskOptions& options, const std::filesystem::path& path, TaskUse use) {
    return error_of([&] { Task::make(options, tokenizer(), BertConfig())->read(path, use); });
  };
  const auto tags = files("t.conll", conll);
  const auto texts = files("t.tsv", "text\tlabel\nann\tgood\n");
  CHECK_MENTIONS(read({.kind = "ner", .class_weights = "B-ORG=2"}, tags, TaskUse::training), "there is no class 'B-ORG'");
  CHECK_MENTIONS(read({.kind = "classify", .class_weights = "fair=2"}, texts, TaskUse::training), "there is no class 'fair'");
  CHECK_MENTIONS(read({.kind = "ner", .labels = {"O", "B-LOC"}}, tags, TaskUse::validation), "t.conll:1");
  CHECK_MENTIONS(read({.kind = "classify", .labels = {"bad", "fair"}}, texts, TaskUse::validation), "t.tsv:2");
  CHECK_MENTIONS(read({.kind = "ner"}, tags, TaskUse::prediction), "the tags are not known");
  CHECK_MENTIONS(read({.kind = "ner", .labels = {"O", "B-LOC"}}, files("empty.txt", ""), TaskUse::prediction), "it holds no lines");
  CHECK_MENTIONS(read({.kind = "ner"}, files("empty.conll", ""), TaskUse::training), "it holds no words");
  CHECK_MENTIONS(read({.kind = "ner", .labels = {"O", "B-LOC"}}, files("bad.txt", "ann\n\xFF\n"), TaskUse::prediction), "bad.txt:2");

  const auto questions = files("q.json", squad(Json::array({squad_question("x", "Ann", 2)})));
  CHECK_MENTIONS(read({.kind = "qa", .max_seq_length = 9, .doc_stride = 4}, questions, TaskUse::training),
                 "windows of 4 tokens cannot overlap by 4");
  CHECK_MENTIONS(read({.kind = "qa", .doc_stride = 0, .stride_meaning = "step"}, questions, TaskUse::training), "--doc-stride 0");
  Json bare = squad_question("x", "Ann", 2);
  bare.erase("answers");
  CHECK_MENTIONS(read({.kind = "qa"}, files("bare.json", squad(Json::array({bare}))), TaskUse::validation),
                 "question 'x' has no \"answers\"");
  CHECK_MENTIONS(read({.kind = "qa"}, files("c.jsonl", R"({"question": "who?", "text": "ann"})"), TaskUse::prediction),
                 "no column 'context'");
  CHECK_MENTIONS(
      read(
          {.kind = "qa"},
          files("d.jsonl",
                "{\"id\": \"a\", \"question\": \"who?\", \"context\": \"ann\"}\n{\"id\": \"a\", \"question\": \"?\", \"context\": \"\"}\n"),
          TaskUse::prediction),
      "d.jsonl:2: another question has the id 'a' too");
}

TEST_CASE("qa: an empty question and an empty context have an answer that is no span") {
  const Files files;
  const auto task = Task::make({.kind = "qa"}, tokenizer(), BertConfig());
  const auto set = task->read(files("e.jsonl", "{\"id\": \"a\", \"question\": \"\", \"context\": \"\"}\n"), TaskUse::prediction);
  CHECK(set->sequences(0)[0].ids == std::vector<int32_t>{2, 3, 3});
  const auto lines = predictions(*set, {UnitLogits(6)});
  CHECK(lines[0]["answer"] == "");
  CHECK(lines[0]["begin"] == lines[0]["end"]);
  CHECK_MENTIONS(set->notes(), "1 contexts have no token");
}
