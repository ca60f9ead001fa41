#include "gradus/story/story.h"

#include <omp.h>

#include <fmt/ranges.h>
#include <cmath>

#include <map>
#include <set>

#include "gradus/base/file.h"
#include "gradus/story/best_guess.h"
#include "tests/support.h"

namespace gradus::story {
namespace {

using testing::Scratch;

TEST_CASE(
    "stories are a function of seed and number, the file of its options, on any number of "
    "threads") {
  CHECK(story(1, 5, World::small).text() == story(1, 5, World::small).text());
  CHECK(story(1, 5, World::small).text() != story(2, 5, World::small).text());
  const Scratch scratch;
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const auto one = read_file(write_stories(scratch / "one", {.documents = 5000, .seed = 3}));
  omp_set_num_threads(4);
  const auto four = read_file(write_stories(scratch / "four", {.documents = 5000, .seed = 3}));
  omp_set_num_threads(threads);
  CHECK(one == four);
  CHECK(one.starts_with(story(3, 0, World::small).text()[0] + "\n"));
  CHECK_MENTIONS(testing::error_of([&] { write_stories(scratch / "one", {}); }), "not empty");
}

TEST_CASE("the worlds have the size they should") {
  for (const auto& [world, least, most] :
       {std::tuple{World::small, 400, 550}, std::tuple{World::large, 2000, 3000}}) {
    std::set<std::string> words;
    std::set<std::string> texts;
    for (int64_t i = 0; i < 20000; ++i) {
      const Story told = story(1, i, world);
      std::string text;
      for (const auto& sentence : told.sentences) {
        text += sentence.text();
        for (const auto& word : sentence.words) words.insert(word.text);
      }
      texts.insert(text);
    }
    CHECK(static_cast<int>(words.size()) >= least);
    CHECK(static_cast<int>(words.size()) <= most);
    CHECK(texts.size() > 19900);  // nearly every story is a new one
  }
}

TEST_CASE("a fixed word is certain: no two wordings differ in one word") {
  for (const World world : {World::small, World::large}) {
    // a sentence's frame with one place open -> what stood there
    std::map<std::string, std::set<std::string>> seen;
    for (int64_t i = 0; i < 10000; ++i) {
      const Story told = story(1, i, world);
      for (const auto& sentence : told.sentences) {
        std::vector<std::string> frame;
        for (const auto& word : sentence.words) {
          const Table* table = word.variable < 0
                                   ? nullptr
                                   : told.variables[static_cast<size_t>(word.variable)].table;
          frame.push_back(table ? fmt::format("<{}.{}{}>", table->name, word.column,
                                              word.article ? " article" : "")
                                : word.text);
        }
        for (size_t w = 0; w < frame.size(); ++w) {
          auto open = frame;
          open[w].clear();
          seen[fmt::format("{}", fmt::join(open, " "))].insert(frame[w]);
        }
      }
    }
    for (const auto& entry : seen)
      CHECK_MESSAGE(entry.second.size() == 1, entry.first, ": ",
                    fmt::format("{}", fmt::join(entry.second, ", ")));
  }
}

TEST_CASE("best guesses are calibrated: a word given probability p is right p of the time") {
  for (const World world : {World::small, World::large}) {
    double expected = 0, variance = 0, right = 0, words = 0, entropy = 0, nat = 0, uncertain = 0;
    for (int64_t i = 0; i < 400; ++i) {
      const Story told = story(2, i, world);
      for (size_t s = 0; s < told.sentences.size(); ++s)
        for (size_t w = 0; w < told.sentences[s].words.size(); ++w) {
          // The sentence itself and the one before it are seen.
          const auto guesses = best_guesses(told, s, w, [&](size_t sentence, size_t) {
            return sentence + 1 >= s && sentence <= s;
          });
          const double p = guesses[0].probability;
          const std::string& truth = told.sentences[s].words[w].text;
          expected += p;
          variance += p * (1 - p);
          right += guesses[0].word == truth;
          words += 1;
          uncertain += p < 0.999;
          bool possible = false;
          for (const auto& guess : guesses) {
            entropy -= guess.probability * std::log(guess.probability);
            if (guess.word == truth) possible = true, nat -= std::log(guess.probability);
          }
          REQUIRE(possible);
          if (p > 0.999) REQUIRE(guesses[0].word == truth);  // certain means right
        }
    }
    CHECK(std::abs(right - expected) < 4 * std::sqrt(variance));
    CHECK(nat / words == doctest::Approx(entropy / words).epsilon(0.05));
    CHECK(uncertain / words > 0.02);
    CHECK(uncertain / words < 0.25);
  }
}

TEST_CASE("the bound is high, and higher with fewer words hidden") {
  const Bound usual = best_mlm(1, 1000, World::small),
              light = best_mlm(1, 1000, World::small, 0.02);
  CHECK(usual.accuracy > 0.9);
  CHECK(usual.accuracy < light.accuracy);
  CHECK(usual.cross_entropy > light.cross_entropy);
  CHECK(light.accuracy < 1);
}

TEST_CASE("probes have one mask and an answer that follows; all kinds come up") {
  const auto probes = story_probes(1, 60, World::small);
  REQUIRE(probes.size() == 60);
  std::set<std::string> kinds;
  for (const auto& probe : probes) {
    CHECK(probe.text.find("[MASK]") == probe.text.rfind("[MASK]"));
    CHECK(probe.text.find("[MASK]") != std::string::npos);
    CHECK_FALSE(probe.answer.empty());
    kinds.insert(probe.about);
  }
  for (const char* kind :
       {"job.place", "animal.sound", "event.mood", "person.she", "place.noun", "thing.noun"})
    CHECK_MESSAGE(kinds.contains(kind), kind);
}

}  // namespace
}  // namespace gradus::story
