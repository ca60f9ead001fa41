// classify, regress, multilabel and choice on files of a few lines: units and their weights, losses
// and metrics worked out by hand from given logits, predictions.
#include "tests/tasks/task_support.h"

using namespace gradus;
using namespace gradus::testing;
using doctest::Approx;

TEST_CASE("classify: weights, loss, metrics, predictions") {
  const Files files;
  const auto task =
      Task::make({.kind = "classify", .class_weights = "bad=2", .text = {.label_smoothing = 0.1}},
                 tokenizer(), BertConfig());
  const auto set = task->read(files("t.tsv", "text\tlabel\nann saw ben\tgood\nben\tbad\n\tgood\n"),
                              TaskUse::training);
  CHECK(set->size() == 3);
  CHECK(weight(*set, 0) == 1);
  CHECK(weight(*set, 1) == 2);  // labels are sorted: bad, good
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
    wanted += 0.9 * weights[static_cast<size_t>(labels[static_cast<size_t>(row)])] *
              surprise(logits, row, labels[static_cast<size_t>(row)]);
    for (int64_t c = 0; c < 2; ++c)
      wanted += 0.05 * weights[static_cast<size_t>(c)] * surprise(logits, row, c);
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
  const auto task = Task::make({.kind = "classify",
                                .max_seq_length = 4,
                                .doc_stride = 0,
                                .text = {.long_texts = LongTexts::windows}},
                               tokenizer(), BertConfig());
  const auto set =
      task->read(files("t.tsv", "text\tlabel\nann saw ben in\tx\nben\ty\n"), TaskUse::training);
  CHECK(set->sequences(0).size() == 2);
  const Tensor logits = some_logits(3, 2);
  const Tensor means =
      concat({mean(slice(logits, 0, 0, 2), 0, {.keep_axes = true}), slice(logits, 0, 2, 3)}, 0);
  CHECK(checked_loss(*set, logits) == Approx((surprise(means, 0, 0) + surprise(means, 1, 1)) / 2));
  CHECK(predictions(*set, {{1, 0, 0, 3}, {1, 0}})[0]["score"] == Approx(1 / (1 + std::exp(-1.0))));
}

TEST_CASE("regress and multilabel") {
  const Files files;
  const auto regress = Task::make({.kind = "regress"}, tokenizer(), BertConfig());
  const auto numbers =
      regress->read(files("n.tsv", "text\tlabel\nann\t1\nben\t2\nrome\t4\n"), TaskUse::training);
  const Tensor scores = some_logits(3, 1);
  const auto s = scores.to_vector<double>();
  CHECK(checked_loss(*numbers, scores) ==
        Approx((std::pow(s[0] - 1, 2) + std::pow(s[1] - 2, 2) + std::pow(s[2] - 4, 2)) / 3));
  const Evaluation perfect = numbers->evaluate({{2}, {4}, {8}});
  CHECK(perfect.metrics[0].first == "pearson");
  CHECK(metric(perfect, "pearson") == Approx(1));
  CHECK(metric(perfect, "mse") == Approx((1 + 4 + 16) / 3.0));
  CHECK(predictions(*numbers, {{2}, {4}, {8}})[2]["score"] == 8);

  const auto many = Task::make({.kind = "multilabel", .text = {.label_separator = ","}},
                               tokenizer(), BertConfig());
  const auto rows =
      many->read(files("m.tsv", "text\tlabel\nann\ta,b\nben\tb\nrome\t\n"), TaskUse::training);
  CHECK(weight(*rows, 0) == 2);
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
  const auto set = task->read(
      files("c.jsonl", R"({"context": "ann saw", "choices": ["ben", "rome", "in"], "label": 1}
{"context": "in", "choices": ["rome", "saw"], "label": 0}
)"),
      TaskUse::training);
  CHECK(set->size() == 2);
  CHECK(set->sequences(0).size() == 3);
  const Tensor logits = some_logits(5, 1);
  const Tensor first = reshape(slice(logits, 0, 0, 3), {1, 3}),
               second = reshape(slice(logits, 0, 3, 5), {1, 2});
  CHECK(checked_loss(*set, logits) == Approx((surprise(first, 0, 1) + surprise(second, 0, 0)) / 2));
  const Evaluation evaluation = set->evaluate({{0, 1, 0}, {0, 1}});
  CHECK(metric(evaluation, "accuracy") == 0.5);
  CHECK(evaluation.constant == Approx((1 / 3.0 + 1 / 2.0) / 2));
  const auto lines = predictions(*set, {{0, 1, 0}, {0, 1}});
  CHECK(lines[1]["choice"] == 1);
  CHECK(lines[1]["text"] == "saw");
  CHECK(lines[0]["probabilities"].size() == 3);
}
