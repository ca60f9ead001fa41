#include "gradus/tasks/question/squad.h"

#include <cmath>

#include "gradus/base/file.h"
#include "gradus/base/json.h"
#include "gradus/tasks/question/decode.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;
using Json = nlohmann::json;
using Ids = std::vector<int32_t>;

namespace {

QaSet read(const Json& json) {
  const Scratch scratch;
  write_file(scratch / "q.json", json.dump());
  return read_squad(scratch / "q.json");
}

Json one_paragraph(const std::string& context, const Json& questions, const char* version = "1.1") {
  return {
      {"version", version},
      {"data", {{{"title", "t"}, {"paragraphs", {{{"context", context}, {"qas", questions}}}}}}}};
}

Json question(const std::string& id, const std::string& text, int64_t start) {
  return {
      {"id", id}, {"question", "a ?"}, {"answers", {{{"text", text}, {"answer_start", start}}}}};
}

Tokenizer letters() {
  return Tokenizer(
      Vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "d", "e", "?", "é"}),
      {.lower_case = false});
}

}  // namespace

TEST_CASE("SQuAD: versions, impossible questions, plausible answers") {
  // {one} alone is a copy to Clang, a list to GCC
  Json questions = Json::array({question("x", "b c", 2)});
  questions.push_back({{"id", "y"},
                       {"question", "?"},
                       {"is_impossible", true},
                       {"answers", Json::array()},
                       {"plausible_answers", {{{"text", "a"}, {"answer_start", 0}}}}});
  questions.push_back({{"id", "z"}, {"question", "?"}});
  const QaSet set = read(one_paragraph("a b c", questions, "v2.0"));
  CHECK(set.version == "v2.0");
  CHECK(set.has_impossible());
  CHECK(set.questions[0].answers[0].text == "b c");
  CHECK(set.questions[1].impossible);
  CHECK(set.questions[1].answers.empty());
  CHECK_FALSE(set.questions[2].impossible);  // not labelled
  CHECK_FALSE(read(one_paragraph("a", Json::array({question("x", "a", 0)}))).has_impossible());
}

TEST_CASE("SQuAD: another shape is named with its place") {
  const Json right = one_paragraph("a b c", Json::array({question("x", "b", 2)}));
  const auto refused = [&](const char* pointer, const Json& value, const char* mentions) {
    Json json = right;
    if (value.is_discarded())
      json[Json::json_pointer(pointer).parent_pointer()].erase(Json::json_pointer(pointer).back());
    else json[Json::json_pointer(pointer)] = value;
    CHECK_MENTIONS(error_of([&] { read(json); }), mentions);
  };
  const Json gone(Json::value_t::discarded);
  refused("/data", gone, "q.json: there is no \"data\"");
  refused("/data", 3, "q.json: \"data\" must be array, not number");
  refused("/data/0", 3, "data[0]: there is no \"paragraphs\"");
  refused("/data/0/paragraphs/0/context", gone, "data[0].paragraphs[0]: there is no \"context\"");
  refused("/data/0/paragraphs/0/qas/0/id", gone,
          "data[0].paragraphs[0].qas[0]: there is no \"id\"");
  refused("/data/0/paragraphs/0/qas/0/is_impossible", "no", "\"is_impossible\" must be boolean");
  refused("/data/0/paragraphs/0/qas/0/answers/0/answer_start", "2",
          "qas[0].answers[0]: \"answer_start\" must be a whole number");
  refused("/data/0/paragraphs/0/qas/0/answers/0/text", 5, "\"text\" must be string");
  refused("/data/0/paragraphs/0/qas", Json::array({question("x", "a", 0), question("x", "b", 2)}),
          "qas[1]: another question has the id 'x' too");
  refused("/data", Json::array(), "holds no questions");
  const Scratch scratch;
  write_file(scratch / "q.json", "{\"data\":\n [}");
  CHECK_MENTIONS(error_of([&] { read_squad(scratch / "q.json"); }), "line 2");
}

TEST_CASE(
    "SQuAD: an answer is looked for at its offset, in code points, and in the words around it") {
  const std::string context = "é (1895-1943)  the\nriver";
  const auto at = [&](const std::string& text, int64_t start) {
    const AnswerSpan span = locate_answer(context, {text, start});
    return std::tuple(span.begin, span.end, span.exact);
  };
  CHECK(at("1895", 3) == std::tuple(3, 7, true));
  CHECK(at("1943", 9) == std::tuple(8, 12, false));         // off by one inside the words
  CHECK(at("the river", 15) == std::tuple(15, 24, false));  // other white space
  CHECK(std::get<0>(at("1895", 15)) == -1);
  CHECK(std::get<0>(at("1895", -1)) == -1);
  CHECK(std::get<0>(at("1895", 99)) == -1);
  CHECK(std::get<0>(at("", 3)) == -1);
  CHECK(std::get<0>(at(" ", 3)) == -1);
  CHECK(std::get<1>(at("river of", 19)) == -1);
}

TEST_CASE(
    "SQuAD: training leaves an answer out that is not in its context, and counts it; an empty "
    "context has a window") {
  Json json = one_paragraph(
      "a b c d e", {question("fine", "c", 4), question("lost", "é", 0), question("near", "c", 5)});
  json["data"][0]["paragraphs"].push_back({{"context", " "}, {"qas", {question("empty", " ", 0)}}});
  const QaSet set = read(json);
  const QaFeatures training(set, letters(), {.max_seq_length = 8, .doc_stride = 1},
                            QaUse::training);
  CHECK(training.counts().unfound == 2);
  CHECK(training.counts().first_unfound == "lost");
  CHECK(training.counts().moved == 1);
  CHECK(training.windows().size() == 4);
  const QaFeatures prediction(set, letters(), {.max_seq_length = 8, .doc_stride = 1},
                              QaUse::prediction);
  CHECK(prediction.counts().empty_contexts == 1);
  CHECK(prediction.windows_of(3) == std::pair<size_t, size_t>{6, 7});
  CHECK(prediction.sequence(prediction.windows()[6]).ids == Ids{2, 5, 10, 3, 3});
}

TEST_CASE("SQuAD: what no window can be made of") {
  const QaSet set = read(one_paragraph("a b c d e", Json::array({question("x", "c", 4)})));
  const auto refused = [&](const QaWindowOptions& options) {
    return error_of([&] { QaFeatures(set, letters(), options, QaUse::training); });
  };
  CHECK_MENTIONS(refused({.max_seq_length = 5}),
                 "question 'x' has 2 tokens: with options.max_seq_length 5 none is left for "
                 "the context");
  CHECK_MENTIONS(refused({.max_seq_length = 8, .doc_stride = 3}),
                 "windows of 3 tokens cannot overlap by 3");
  CHECK_MENTIONS(refused({.max_seq_length = 8, .doc_stride = 0, .stride = StrideMeaning::step}),
                 "options.doc_stride 0");
  CHECK_MENTIONS(refused({.max_query_length = 0}), "options.max_query_length 0");
  const QaFeatures cut(set, letters(),
                       {.max_seq_length = 5, .doc_stride = 0, .max_query_length = 1},
                       QaUse::training);
  CHECK(cut.counts().cut_questions == 1);
  CHECK(cut.windows().size() == 5);
}

// Made by tests/fixtures/make_squad_cases.py, which runs Google's run_squad.py and transformers'
// tokenizer and utils_qa.py on the same set.
TEST_CASE("SQuAD: windows and decoded answers are Google's and Hugging Face's") {
  const Json cases =
      read_json(std::filesystem::path(GRADUS_SOURCE_ROOT) / "tests/fixtures/squad_cases.json");
  const Tokenizer tokenizer(Vocabulary(cases["vocabulary"].get<std::vector<std::string>>()));
  const QaSet whole = read(cases["squad"]);
  for (const bool google : {true, false})
    for (const Json& run : cases[google ? "google" : "hugging_face"]) {
      QaSet set = whole;
      const auto kept = run["kept"].get<std::vector<std::string>>();
      if (!google)
        std::erase_if(set.questions, [&](const QaQuestion& question) {
          return std::find(kept.begin(), kept.end(), question.id) == kept.end();
        });
      const QaWindowOptions options{run["max_seq_length"], run["doc_stride"],
                                    run["max_query_length"],
                                    google ? StrideMeaning::step : StrideMeaning::overlap};
      const QaFeatures features(set, tokenizer, options, QaUse::training);
      REQUIRE(features.windows().size() == run["windows"].size());
      std::vector<QaLogits> logits;
      for (size_t i = 0; i < features.windows().size(); ++i) {
        const QaWindow& window = features.windows()[i];
        const Json& wanted = run["windows"][i];
        const Sequence sequence = features.sequence(window);
        CHECK(set.questions[window.question].id == wanted["id"]);
        CHECK(sequence.ids == wanted["ids"].get<Ids>());
        CHECK(sequence.types == wanted["types"].get<Ids>());
        CHECK_MESSAGE((window.start == wanted["start"] && window.stop == wanted["stop"]),
                      set.questions[window.question].id, " ", window.start, " ", window.stop, " ",
                      wanted["start"].dump(), " ", wanted["stop"].dump());
        if (google) {
          Ids centre;
          for (int32_t token = window.begin; token < window.end; ++token)
            if (features.is_max_context(i, token))
              centre.push_back(token - window.begin + features.context_position(window));
          CHECK(centre == wanted["max_context"].get<Ids>());
        }
        QaLogits& own = logits.emplace_back();
        for (int64_t k = 0; k < static_cast<int64_t>(sequence.ids.size()); ++k) {
          const auto w = static_cast<int64_t>(i);
          own.start.push_back(static_cast<float>((k * 1103 + w * 577) % 3001 - 1500) / 256);
          own.end.push_back(static_cast<float>((k * 1747 + w * 911) % 3001 - 1500) / 256);
        }
      }
      for (const bool with_null : {false, true}) {
        const Json& wanted = run["decoded"][with_null ? "v2" : "v1"];
        std::vector<QaPrediction> predictions;
        for (size_t q = 0; q < set.questions.size(); ++q) {
          const auto [first, last] = features.windows_of(q);
          if (first == last) continue;  // left out of training
          predictions.push_back(decode_answer(
              features, set, q, std::span(logits).subspan(first, last - first),
              {.may_be_unanswerable = with_null, .max_context = google, .distinct_texts = google}));
        }
        CHECK(Json(predictions_json(predictions, with_null)) == wanted["predictions"]);
        if (with_null) CHECK(Json(null_odds_json(predictions)) == wanted["null_odds"]);
        const Json nbest = nbest_json(predictions);
        for (const auto& entry : wanted["nbest"].items()) {
          const Json &own = nbest[entry.key()], &best = entry.value()["best"];
          REQUIRE(own.size() == entry.value()["size"]);
          for (size_t k = 0; k < best.size(); ++k) {
            CHECK_MESSAGE(own[k]["text"] == best[k][0], entry.key(), " ", k);
            CHECK(own[k]["probability"].get<double>() ==
                  doctest::Approx(best[k][1].get<double>()).epsilon(1e-5));
            CHECK(own[k]["start_logit"] == best[k][2]);
            CHECK(own[k]["end_logit"] == best[k][3]);
          }
        }
      }
    }
}

TEST_CASE("SQuAD: a model that is sure of nothing, and a threshold") {
  const QaSet set = read(one_paragraph("a b", Json::array({question("x", "b", 2)})));
  const QaFeatures features(set, letters(), {}, QaUse::prediction);
  const QaLogits logits{{1, 0, 0, 0, 0, 2, 0}, {1, 0, 0, 0, 0, 3, 0}};  // [CLS] a ? [SEP] a b [SEP]
  const QaPrediction sure =
      decode_answer(features, set, 0, std::span(&logits, 1), {.may_be_unanswerable = true});
  CHECK(sure.null_odds == -3);
  CHECK(sure.answer(true)->text == "b");
  CHECK(sure.answer(true)->begin == 2);
  CHECK(sure.answer(true, -3.5) == nullptr);
  CHECK(sure.answer(false, -3.5)->text == "b");
  CHECK(predictions_json({sure}, true, -3.5).dump() == "{\"x\":\"\"}");
  const QaLogits outside{{9, 8, 7, 6, 0, 0, 0}, {9, 8, 7, 6, 0, 0, 0}};
  CHECK(decode_answer(features, set, 0, std::span(&outside, 1), {.n_best_size = 3})
            .answer(false)
            ->text == "empty");
  CHECK(decode_answer(features, set, 0, std::span(&outside, 1),
                      {.n_best_size = 3, .may_be_unanswerable = true})
            .n_best.size() == 2);
  const QaLogits shorter{{1}, {1}};
  CHECK_MENTIONS(error_of([&] { decode_answer(features, set, 0, std::span(&shorter, 1), {}); }),
                 "a window has 7 tokens, its logits 1 and 1");
  CHECK_MENTIONS(error_of([&] { decode_answer(features, set, 0, {}, {}); }),
                 "has 1 windows, and logits of 0 are given");
}

TEST_CASE("SQuAD: XQuAD, every answer at its offset and held by a window") {
  const auto folder = shared_data("xquad");
  const auto vocab = shared_data("bert-vocab/bert-base-uncased-vocab.txt");
  if (folder.empty() || vocab.empty()) return;
  for (const char* name : {"xquad.en.json", "xquad.de.json", "xquad.zh.json"}) {
    const QaSet set = read_squad(folder / name);
    CHECK(set.questions.size() == 1190);
    CHECK(set.contexts.size() == 240);
    int64_t exact = 0;
    for (const auto& question : set.questions)
      for (const auto& answer : question.answers)
        exact += locate_answer(set.contexts[question.context], answer).exact;
    CHECK(exact == 1190);
    if (std::string(name) != "xquad.en.json") continue;
    const QaFeatures features(set, Tokenizer(Vocabulary::load(vocab)), {}, QaUse::training);
    CHECK(features.counts().unfound == 0);
    std::vector<bool> held(set.questions.size());
    for (const auto& window : features.windows())
      held[window.question] = held[window.question] || window.stop > 0;
    CHECK(std::count(held.begin(), held.end(), true) == 1190);
  }
}
