// Metrics against the field's references: tests/fixtures/metric_cases.json names the libraries and
// versions that made it; and on the shared data.
#include <cmath>
#include <fstream>
#include <sstream>

#include "gradus/base/file.h"
#include "gradus/base/json.h"
#include "gradus/tasks/question/metrics.h"
#include "gradus/tasks/tagging/conll.h"
#include "gradus/tasks/tagging/metrics.h"
#include "gradus/tasks/text/glue_metrics.h"
#include "gradus/tasks/text/multilabel.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;
using Json = nlohmann::json;
using Ids = std::vector<int32_t>;
using doctest::Approx;

namespace {

const Json& cases() {
  static const Json json =
      read_json(std::filesystem::path(GRADUS_SOURCE_ROOT) / "tests/fixtures/metric_cases.json");
  return json;
}

double value(const Metrics& metrics, const std::string& name) {
  for (const auto& [key, number] : metrics)
    if (key == name) return number;
  FAIL_CHECK("no metric ", name);
  return 0;
}

Approx near(const Json& number) { return Approx(number.get<double>()).epsilon(1e-12); }

void check_score(const ClassScore& score, const Json& wanted) {
  CHECK(score.precision == near(wanted[0]));
  CHECK(score.recall == near(wanted[1]));
  CHECK(score.f1 == near(wanted[2]));
}

}  // namespace

TEST_CASE("metrics: classification is scikit-learn's") {
  REQUIRE(cases()["classification"].size() > 4);
  for (const Json& c : cases()["classification"]) {
    const Confusion confusion(c["gold"].get<Ids>(), c["predicted"].get<Ids>(), c["classes"]);
    CHECK(accuracy(confusion) == near(c["accuracy"]));
    CHECK(matthews_correlation(confusion) == near(c["matthews"]));
    const auto scores = class_scores(confusion);
    for (size_t i = 0; i < scores.size(); ++i) {
      check_score(scores[i], {c["precision"][i], c["recall"][i], c["f1"][i]});
      CHECK(scores[i].support == c["support"][i]);
    }
    check_score(macro_average(scores, occurring(confusion)), c["macro"]);
    check_score(weighted_average(scores), c["weighted"]);
    CHECK(value(classification_metrics(confusion), "f1_macro") == near(c["macro"][2]));
  }
  CHECK_MENTIONS(error_of([] {
                   Confusion({0, 2}, {0, 0}, 2);
                 }),
                 "the label id 2 of example 1 is not one of 0..1");
  CHECK_MENTIONS(error_of([] { Confusion({0}, {0, 0}, 2); }), "1 gold labels and 2 predictions");
  CHECK(accuracy(Confusion({}, {}, 2)) == 0);
}

TEST_CASE("metrics: correlations are scipy's") {
  for (const Json& c : cases()["regression"]) {
    const auto metrics = regression_metrics(c["gold"].get<std::vector<double>>(),
                                            c["predicted"].get<std::vector<double>>());
    CHECK(value(metrics, "pearson") == near(c["pearson"]));
    CHECK(value(metrics, "spearmanr") == near(c["spearman"]));
    CHECK(value(metrics, "mse") == near(c["mse"]));
  }
  CHECK(std::isnan(pearson({1, 2}, {3, 3})));
  CHECK(average_ranks({5, 1, 5, 0}) == std::vector<double>{3.5, 2, 3.5, 1});
  CHECK_MENTIONS(error_of([] { pearson({1}, {1, 2}); }), "1 gold values and 2 predictions");
}

TEST_CASE("metrics: multi-label is scikit-learn's") {
  for (const Json& c : cases()["multilabel"]) {
    const auto gold = c["gold"].get<LabelRows>();
    const auto scores = c["scores"].get<ScoreRows>();
    for (const auto& metric : multilabel_metrics(gold, scores))
      CHECK_MESSAGE(metric.second == near(c[metric.first]), metric.first);
    const auto of_classes = multilabel_scores(gold, scores);
    for (size_t i = 0; i < of_classes.size(); ++i) CHECK(of_classes[i].f1 == near(c["f1"][i]));
  }
  CHECK(std::isnan(roc_auc({1, 1}, {0.1, 0.2})));
  CHECK(label_ranking_average_precision({{0, 0}, {1, 1}}, {{1, 2}, {1, 2}}) == 1);
  CHECK_MENTIONS(error_of([] {
                   multilabel_metrics({{1, 0}}, {{0.5}});
                 }),
                 "example 0 has 2 labels and 1 scores");
  CHECK_MENTIONS(multilabel_table({{1, 0}}, {{0.9, 0.1}}, {"x", "y"}),
                 "micro            1.0000  1.0000  1.0000        1");
}

TEST_CASE("metrics: GLUE's sets") {
  CHECK(value(glue_metrics(glue_task("cola"), Ids{0, 1, 1, 0}, Ids{0, 1, 1, 1}),
              "matthews_correlation") == Approx(0.5773502692));
  const Metrics mrpc = glue_metrics(glue_task("mrpc"), Ids{0, 1, 1, 0}, Ids{0, 1, 1, 1});
  CHECK(value(mrpc, "accuracy") == 0.75);
  CHECK(value(mrpc, "f1") == Approx(0.8));
  CHECK(value(mrpc, "combined_score") == Approx(0.775));
  CHECK(glue_metrics(glue_task("mnli"), Ids{0, 1, 2}, Ids{0, 1, 1}).size() == 1);
  const Metrics stsb =
      glue_metrics(glue_task("stsb"), std::vector<double>{1, 2, 3}, std::vector<double>{1, 2, 9});
  CHECK(value(stsb, "spearmanr") == Approx(1));
  CHECK(value(stsb, "combined_score") == Approx((1 + value(stsb, "pearson")) / 2));
  CHECK_MENTIONS(error_of([] { glue_metrics(glue_task("stsb"), Ids{0}, Ids{0}); }),
                 "stsb is a regression");
  CHECK_MENTIONS(error_of([] {
                   glue_metrics(glue_task("rte"), std::vector<double>{0}, std::vector<double>{0});
                 }),
                 "rte is a classification");
}

TEST_CASE("metrics: entities are seqeval's, by default and strict") {
  REQUIRE(cases()["entities"].size() == 6);
  for (const Json& c : cases()["entities"]) {
    const auto gold = c["gold"].get<std::vector<Tags>>(),
               predicted = c["predicted"].get<std::vector<Tags>>();
    for (const char* mode : {"default", "strict"}) {
      if (!c.contains(mode)) continue;
      std::optional<TagScheme> scheme;
      if (std::string(mode) == "strict")
        scheme = c["scheme"] == "IOB2" ? TagScheme::iob2 : TagScheme::bioes;
      const EntityScores scores = score_entities(gold, predicted, scheme);
      CHECK(scores.accuracy == near(c["accuracy"]));
      check_score(scores.micro, c[mode]["micro avg"]);
      check_score(scores.macro, c[mode]["macro avg"]);
      check_score(scores.weighted, c[mode]["weighted avg"]);
      CHECK(scores.types.size() == c[mode].size() - 3);
      for (const auto& [type, score] : scores.types) {
        check_score(score, c[mode][type]);
        CHECK(score.support == c[mode][type][3]);
      }
    }
  }
  CHECK_MENTIONS(error_of([] {
                   score_entities({{"O"}}, {{"O", "O"}});
                 }),
                 "sentence 0 has 1 words and predictions for 2");
  CHECK_MENTIONS(error_of([] { score_entities({{"O"}}, {}); }),
                 "1 gold sentences and 0 predicted ones");
  CHECK(score_entities({}, {}).micro.f1 == 0);
}

TEST_CASE("metrics: conlleval.pl's numbers on seqeval's own file") {
  const auto folder = shared_data("seqeval");
  if (folder.empty()) return;
  const auto tags = [&](int32_t column) {
    std::vector<Tags> sentences;
    for (auto& sentence :
         read_tagged(folder / "ground_truth.txt", {.tag_column = column}).sentences)
      sentences.push_back(sentence.tags);
    return sentences;
  };
  const EntityScores scores = score_entities(tags(2), tags(3));
  CHECK(fmt::format("{:.2f} {:.2f} {:.2f} {:.2f}", 100 * scores.accuracy,
                    100 * scores.micro.precision, 100 * scores.micro.recall,
                    100 * scores.micro.f1) == "84.08 68.83 80.83 74.35");
  CHECK(scores.micro.support == 459);
  CHECK(fmt::format("{:.2f}", 100 * scores.types.at("VP").f1) == "73.80");
}

TEST_CASE("metrics: answers are normalised and compared as evaluate-v2.0.py does") {
  for (const Json& c : cases()["normalize"])
    CHECK(normalize_answer(c[0]) == c[1].get<std::string>());
  for (const Json& c : cases()["answer"]) {
    CHECK_MESSAGE(exact_match(c[0], c[1]) == near(c[2]), c.dump());
    CHECK_MESSAGE(answer_f1(c[0], c[1]) == near(c[3]), c.dump());
  }
}

TEST_CASE("metrics: SQuAD 2.0's scores and best thresholds") {
  const Scratch scratch;
  const Json& c = cases()["squad2"];
  write_file(scratch / "q.json", c["set"].dump());
  const QaSet set = read_squad(scratch / "q.json");
  const auto answers = c["answers"].get<Answers>();
  const auto odds = c["odds"].get<NullOdds>();
  const Metrics metrics = squad2_metrics(set, answers, odds);
  CHECK(metrics.size() == c["wanted"].size());
  for (const auto& metric : metrics)
    CHECK_MESSAGE(metric.second == near(c["wanted"][metric.first]), metric.first);
  CHECK(find_null_threshold(set, answers, odds) == near(c["wanted"]["best_f1_thresh"]));
  CHECK(value(squad2_metrics(set, {{"q0", ""}}), "total") == 1);
}

TEST_CASE("metrics: SQuAD's official numbers of published systems on XQuAD's questions") {
  const auto folder = shared_data("squad-predictions"), xquad = shared_data("xquad");
  if (folder.empty() || xquad.empty()) return;
  const QaSet set = read_squad(xquad / "xquad.en.json");
  const Json expected = read_json(folder / "expected-on-xquad-en.json")["results"];
  CHECK(expected.size() == 4);
  for (const auto& [name, wanted] : expected.items()) {
    auto answers = read_json(folder / (name + ".json")).get<Answers>();
    const Metrics first = squad_metrics(set, answers);
    CHECK(value(first, "exact_match") == near(wanted["exact"]));
    CHECK(value(first, "f1") == near(wanted["f1"]));
    for (const auto& question : set.questions) answers.try_emplace(question.id);
    const Metrics second = squad2_metrics(set, answers);
    CHECK(second.size() == 6);  // nothing unanswerable
    for (const auto& [key, number] : second) CHECK(number == near(wanted[key]));
  }
}

TEST_CASE("metrics: tables that a person can read") {
  const Confusion confusion({0, 0, 1, 2}, {0, 1, 1, 2}, 3);
  const std::vector<std::string> names{"no", "perhaps", "größer"};
  CHECK(confusion_table(confusion, names) ==
        "gold     predicted\n"
        "              no  perhaps   größer\n"
        "no             1        1        0\n"
        "perhaps        0        1        0\n"
        "größer         0        0        1\n");
  CHECK(class_table(confusion, names) ==
        "              precision  recall      F1  support\n"
        "no               1.0000  0.5000  0.6667        2\n"
        "perhaps          0.5000  1.0000  0.6667        1\n"
        "größer           1.0000  1.0000  1.0000        1\n"
        "\n"
        "macro            0.8333  0.8333  0.7778        4\n"
        "weighted         0.8750  0.7500  0.7500        4\n"
        "accuracy 0.7500 of 4\n");
  CHECK_MENTIONS(entity_table(score_entities({{"B-X", "O"}}, {{"B-X", "B-Y"}})),
                 "Y                0.0000  0.0000  0.0000        0");
}
