// ner on files of a few lines: words and windows, losses and metrics worked out by hand from given
// logits, predictions.
#include "tests/tasks/task_support.h"

using namespace gradus;
using namespace gradus::testing;
using doctest::Approx;

TEST_CASE("ner: words, not pieces, are learned and judged") {
  const Files files;
  const auto task = Task::make({.kind = "ner", .class_weights = "O=3"}, tokenizer(), BertConfig());
  const auto set = task->read(files("t.conll", conll), TaskUse::training);
  CHECK(set->size() == 2);
  CHECK(set->examples() == 2);
  CHECK(set->sequences(0)[0].ids == std::vector<int32_t>{2, 5, 6, 7, 8, 3});
  CHECK(weight(*set, 0) == 5);  // B-PER, O, B-PER: two pieces of Anna, and the first counts
  CHECK(weight(*set, 1) == 4);
  BertConfig config = BertConfig::named("tiny", 16);
  task->configure(config);
  CHECK(config.id2label == std::map<int64_t, std::string>{{0, "B-LOC"}, {1, "B-PER"}, {2, "O"}});
  CHECK_MENTIONS(task->describe(*set, nullptr), "2 sentences, tagged in IOB2");

  const Tensor logits = some_logits(10, 3);
  const double wanted = surprise(logits, 1, 1) + 3 * surprise(logits, 3, 2) +
                        surprise(logits, 4, 1) + 3 * surprise(logits, 7, 2) +
                        surprise(logits, 8, 0);
  CHECK(checked_loss(*set, logits) == Approx(wanted / 9));

  // Ben is missed and Rome found; what is said of [CLS], ##a and [SEP] does not matter.
  const std::vector<UnitLogits> said{sure({0, 1, 0, 2, 2, 0}, 3), sure({1, 2, 0, 1}, 3)};
  const Evaluation evaluation = set->evaluate(said);
  CHECK(evaluation.metrics[0] ==
        std::pair<std::string, double>("f1", 2 * 1 * (2 / 3.0) / (1 + 2 / 3.0)));
  CHECK(metric(evaluation, "precision") == 1);
  CHECK(metric(evaluation, "recall") == Approx(2 / 3.0));
  CHECK(metric(evaluation, "accuracy") == Approx(4 / 5.0));
  CHECK(metric(evaluation, "loss") ==
        Approx((4 * std::log1p(2 * std::exp(-9.0)) + 9 + std::log1p(2 * std::exp(-9.0))) / 5)
            .epsilon(1e-6));
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
  const auto set =
      task->read(files("t.conll", "ben B-PER\nsaw O\nann B-PER\nin O\nrome B-LOC\n\u200B O\n. O\n"),
                 TaskUse::training);
  CHECK(set->size() == 2);
  CHECK(set->examples() == 1);
  CHECK(weight(*set, 0) + weight(*set, 1) == 6);
  CHECK_MENTIONS(set->notes(), "1 of 1 sentences are longer than 6 tokens");
  CHECK_MENTIONS(set->notes(), "1 words have no token");
  std::vector<UnitLogits> said;
  for (int64_t unit = 0; unit < 2; ++unit) {
    std::vector<size_t> labels;
    const Sequence sequence = set->sequences(unit)[0];
    for (const int32_t id : sequence.ids) {
      labels.push_back(2);
      if (id == 5 || id == 8) labels.back() = 1;
      if (id == 10) labels.back() = 0;
    }
    said.push_back(sure(labels, 3));
  }
  CHECK(metric(set->evaluate(said), "f1") == 1);
  CHECK(predictions(*set, said)[0]["tags"] == Json{"B-PER", "O", "B-PER", "O", "B-LOC", "O", "O"});
  // A window of nothing but lost words has weight 0 and a loss of 0.
  const auto lost = task->read(files("l.conll", "\u200B O\n"), TaskUse::validation);
  CHECK(weight(*lost, 0) == 0);
  CHECK(lost->targets(std::vector<int64_t>{0}).loss(some_logits(2, 3), Ragged({2}), 1).item() == 0);
}

TEST_CASE("ner: strict entities follow the scheme") {
  const Files files;
  const auto path = files("t.conll", "ann B-PER\nben I-PER\nrome I-LOC\n");
  const std::vector<UnitLogits> right{sure({3, 0, 2, 1, 3}, 4)};
  for (const bool strict : {false, true}) {
    const auto task = Task::make({.kind = "ner",
                                  .labels = {"B-PER", "I-LOC", "I-PER", "O"},
                                  .tagging = {.strict_entities = strict}},
                                 tokenizer(), BertConfig());
    const auto set = task->read(path, TaskUse::validation);
    CHECK_MENTIONS(task->describe(*set, nullptr),
                   "1 tags stand where IOB2 forbids them, the first in line 3");
    CHECK(predictions(*set, right)[0]["entities"].size() == (strict ? 1 : 2));
    const std::string tables = set->evaluate(right).tables;
    CHECK_MENTIONS(tables, std::string(strict ? "seqeval's strict mode reads them in IOB2"
                                              : "conlleval.pl reads them"));
    CHECK(tables.find("mistakes") == std::string::npos);
  }
}

TEST_CASE("ner: plain text is split into words, and answers point into it") {
  const Files files;
  const auto task = Task::make({.kind = "ner", .labels = {"O", "B-PER", "I-PER", "B-LOC"}},
                               tokenizer(), BertConfig());
  const auto path = files("t.txt", "é  Anna Ben.\r\n\nin Rome");
  const auto stream = task->stream(path);
  const auto set = stream();
  REQUIRE(set);
  CHECK_FALSE(stream());
  CHECK(set->examples() == 3);
  CHECK(task->read(path, TaskUse::prediction)->examples() == 3);
  // [CLS] é ann ##a ben . [SEP]
  const auto lines =
      predictions(*set, {sure({0, 0, 1, 0, 2, 0, 0}, 4), sure({0, 0}, 4), sure({0, 0, 3, 0}, 4)});
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
  CHECK(predictions(*task->read(files("p.conll", "Ann\nsaw\n"), TaskUse::prediction),
                    {sure({0, 1, 0, 0}, 4)})[0]["tags"] == Json{"B-PER", "O"});
}
