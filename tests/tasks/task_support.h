// What the tests of tasks share: a tokenizer of a few words, files in a folder of the test's own,
// batches of all units, logits with known answers.
#pragma once

#include "gradus/tasks/task.h"

#include <cmath>
#include <numeric>
#include <sstream>

#include "gradus/autograd/gradcheck.h"
#include "gradus/base/file.h"
#include "gradus/base/json.h"
#include "tests/support.h"

namespace gradus::testing {

using Json = nlohmann::json;

inline const Tokenizer& tokenizer() {
  static const Tokenizer instance(
      Vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ann", "##a", "saw", "ben", "in",
                  "rome", ".", "who", "?", "é", "##s"}));
  return instance;
}

struct Files {
  Scratch scratch;
  std::filesystem::path operator()(const std::string& name, const std::string& text) const {
    write_file(scratch / name, text);
    return scratch / name;
  }
};

inline double metric(const Evaluation& evaluation, const std::string& name) {
  for (const auto& [key, value] : evaluation.metrics)
    if (key == name) return value;
  FAIL_CHECK("no metric ", name);
  return 0;
}

inline std::vector<Json> predictions(const TaskSet& set, const std::vector<UnitLogits>& logits,
                                     int64_t first = 0) {
  std::ostringstream jsonl;
  set.write_predictions(logits, jsonl, first);
  std::vector<Json> lines;
  std::istringstream read(jsonl.str());
  for (std::string line; std::getline(read, line);) lines.push_back(Json::parse(line));
  return lines;
}

inline double weight(const TaskSet& set, int64_t unit) {
  return set.targets(std::vector{unit}).weights.at(0);
}

// The loss of all units from f64 logits of any numbers, checked against differences; its value.
inline double checked_loss(const TaskSet& set, const Tensor& logits) {
  std::vector<int64_t> units, lengths;
  for (int64_t unit = 0; unit < set.size(); ++unit) {
    units.push_back(unit);
    for (const Sequence& sequence : set.sequences(unit))
      lengths.push_back(static_cast<int64_t>(sequence.ids.size()));
  }
  const Targets targets = set.targets(units);
  const double all = std::accumulate(targets.weights.begin(), targets.weights.end(), 0.0);
  const auto f = [&](Inputs in) { return Tensors{targets.loss(in[0], Ragged(lengths), all)}; };
  const GradcheckResult result = gradcheck(f, {logits});
  CHECK_MESSAGE(result.ok, result.log);
  return f({logits})[0].item();
}

inline Tensor some_logits(int64_t rows, int64_t columns) {
  std::vector<double> values;
  for (int64_t i = 0; i < rows * columns; ++i)
    values.push_back(std::sin(1.7 * static_cast<double>(i)) * 1.5);
  return from_vector(values, {rows, columns});
}

// -log softmax(row)[label] of row `row` of the logits.
inline double surprise(const Tensor& logits, int64_t row, int64_t label) {
  const std::vector<double> values = logits.to_vector<double>();
  const int64_t columns = logits.size(1);
  double total = 0;
  for (int64_t c = 0; c < columns; ++c)
    total += std::exp(values[static_cast<size_t>(row * columns + c)]);
  return std::log(total) - values[static_cast<size_t>(row * columns + label)];
}

// Logits by token that are sure of these labels.
inline UnitLogits sure(const std::vector<size_t>& labels, size_t columns) {
  UnitLogits logits(labels.size() * columns);
  for (size_t i = 0; i < labels.size(); ++i) logits[i * columns + labels[i]] = 9;
  return logits;
}

inline const char* const conll = "Anna B-PER\nsaw O\nBen B-PER\n\nin O\nRome B-LOC\n";

inline Json squad_question(const std::string& id, const std::string& text, int64_t start) {
  Json answers = Json::array();
  if (!text.empty()) answers.push_back({{"text", text}, {"answer_start", start}});
  return {{"id", id}, {"question", "who?"}, {"answers", answers}};
}

inline std::string squad(const Json& questions, const char* context = "é Ann saw Ben in Rome") {
  return Json{{"version", "1.1"},
              {"data", {{{"paragraphs", {{{"context", context}, {"qas", questions}}}}}}}}
      .dump();
}

// Start and end logits of a window of `length` tokens that is sure of the span [start, stop], and
// as sure of none as `none`.
inline UnitLogits span(size_t length, size_t start, size_t stop, float none = 0) {
  UnitLogits logits(2 * length);
  logits[0] = logits[1] = none;
  logits[2 * start] = logits[2 * stop + 1] = 5;
  return logits;
}

}  // namespace gradus::testing
