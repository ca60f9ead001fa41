// The story world's labelled sets: right labels, no story twice, nothing to be told from a part of
// the input, files as their fields write them.
#include "gradus/story/tasks/tasks.h"

#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "gradus/base/file.h"
#include "gradus/base/json.h"
#include "tests/support.h"

namespace gradus::story {
namespace {

using testing::Scratch;

const StoryTask& task(const std::string& name) {
  for (const StoryTask& task : tasks())
    if (task.name == name) return task;
  throw std::runtime_error("no task " + name);
}

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

// A count-based reader (naive Bayes, each word and each pair of neighbours, add-one): trained on
// the first 4,000 of the texts, how often is it right on the rest?
double counted(const std::vector<std::pair<std::string, std::string>>& labelled) {
  constexpr size_t train = 4000;
  std::map<std::string, std::map<std::string, double>> seen;  // feature -> label -> count
  std::map<std::string, double> labels, features;
  const auto features_of = [](const std::string& text) {
    auto words = words_of(text);
    const size_t count = words.size();
    for (size_t w = 1; w < count; ++w) words.push_back(words[w - 1] + " " + words[w]);
    return words;
  };
  double right = 0;
  for (size_t i = 0; i < labelled.size(); ++i) {
    const auto& [text, label] = labelled[i];
    if (i < train) {
      ++labels[label];
      for (const auto& feature : features_of(text)) ++seen[feature][label], ++features[label];
      continue;
    }
    std::string best;
    double best_score = -INFINITY;
    for (const auto& [candidate, count] : labels) {
      double score = std::log(count);
      for (const auto& feature : features_of(text))
        score += std::log((seen[feature][candidate] + 1) /
                          (features[candidate] + static_cast<double>(seen.size())));
      if (score > best_score) best_score = score, best = candidate;
    }
    right += best == label;
  }
  return right / static_cast<double>(labelled.size() - train);
}

TEST_CASE("tasks: no story comes twice; examples are a function of their seed") {
  for (const World world : {World::small, World::large})
    for (const StoryTask& task : tasks()) {
      CAPTURE(task.name);
      std::set<std::string> stories;
      const auto all = examples(task, 1, 3000, world);
      REQUIRE(all.size() == 3000);
      for (const Example& e : all) CHECK(stories.insert(e.texts[0]).second);
      CHECK(examples(task, 1, 50, world)[49].texts == all[49].texts);
      CHECK(examples(task, 2, 50, world)[49].texts != all[49].texts);
    }
}

TEST_CASE("tasks: a part of the input decides nothing") {
  std::map<std::string, std::vector<std::pair<std::string, std::string>>> parts;
  for (const Example& e : examples(task("entailment"), 3, 7000)) {
    parts["the claim"].emplace_back(e.texts[1], e.labels[0]);
    parts["the premise"].emplace_back(e.texts[0], e.labels[0]);
  }
  for (const Example& e : examples(task("questions"), 3, 7000)) {
    const std::string label = e.labels.empty() ? "unanswerable" : "answerable";
    parts["the question"].emplace_back(e.texts[1], label);
    parts["the story asked about"].emplace_back(e.texts[0], label);
  }
  for (const Example& e : examples(task("similarity"), 3, 7000)) {
    parts["one of two"].emplace_back(e.texts[0], e.labels[0]);
    parts["the other"].emplace_back(e.texts[1], e.labels[0]);
  }
  for (const Example& e : examples(task("endings"), 3, 2000))  // each ending alone: is it right?
    for (size_t i = 0; i < 4; ++i)
      parts["an ending"].emplace_back(e.texts[1] + " " + e.texts[2 + i],
                                      std::to_string(i) == e.labels[0] ? "right" : "wrong");
  for (const auto& part : parts) {
    const auto& labelled = part.second;
    std::map<std::string, double> counts;
    for (const auto& entry : labelled) ++counts[entry.second];
    double chance = 0;
    for (const auto& entry : counts)
      chance = std::max(chance, entry.second / static_cast<double>(labelled.size()));
    const double score = counted(labelled);
    CHECK_MESSAGE(score < chance + 0.03, part.first, ": ", score, " where the commonest label has ",
                  chance);
  }
}

TEST_CASE("tasks: counting words does not solve them") {
  std::vector<std::pair<std::string, std::string>> sentiment, pairs;
  for (const Example& e : examples(task("sentiment"), 3, 7000))
    sentiment.emplace_back(e.texts[0], e.labels[0]);
  for (const Example& e : examples(task("entailment"), 3, 7000))
    pairs.emplace_back(e.texts[0] + " " + e.texts[1], e.labels[0]);
  const double feeling = counted(sentiment), claim = counted(pairs);
  MESSAGE("words and neighbours counted: sentiment ", feeling, ", entailment ", claim);
  CHECK(feeling < 0.93);
  CHECK(claim < 0.4);
}

TEST_CASE("tasks: labels are spread and well formed") {
  std::map<std::string, int> labels;
  for (const char* name : {"sentiment", "entailment", "similarity", "endings"})
    for (const Example& e : examples(task(name), 5, 6000)) {
      REQUIRE(e.labels.size() == 1);
      ++labels[std::string(name) + " " + e.labels[0]];
    }
  CHECK(labels.size() == 2 + 3 + 6 + 4);
  for (const auto& entry : labels) {
    const std::string& label = entry.first;
    int classes = 4;
    if (label.starts_with("sent")) classes = 2;
    if (label.starts_with("ent")) classes = 3;
    if (label.starts_with("sim")) classes = 6;
    CHECK_MESSAGE(entry.second > 0.85 * 6000 / classes, label);
  }
  int unanswerable = 0;
  for (const Example& e : examples(task("questions"), 5, 3000)) {
    unanswerable += e.labels.empty();
    if (!e.labels.empty()) CHECK(e.texts[0].substr(e.start, e.labels[0].size()) == e.labels[0]);
    CHECK(e.texts[1].ends_with("?"));
  }
  CHECK(unanswerable > 900);
  CHECK(unanswerable < 1100);
  std::set<std::string> tags;
  for (const Example& e : examples(task("entities"), 5, 2000)) {
    REQUIRE(e.words.size() == e.labels.size());
    for (size_t w = 0; w < e.labels.size(); ++w) {
      tags.insert(e.labels[w]);
      if (e.labels[w].starts_with("I-")) {  // IOB2: only behind a tag of its type
        REQUIRE(w > 0);
        CHECK(e.labels[w - 1].substr(1) == e.labels[w].substr(1));
      }
    }
  }
  CHECK(tags == std::set<std::string>{"O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-PET"});
  for (const Example& e : examples(task("endings"), 5, 2000)) {
    CHECK(e.texts.size() == 6);
    CHECK(std::set<std::string>(e.texts.begin() + 2, e.texts.end()).size() == 4);
  }
}

TEST_CASE("tasks: files in the formats of their fields, and a README.md that names each") {
  const Scratch scratch;
  write_tasks(scratch.path(), {.train = 30, .validation = 10, .test = 20, .seed = 4});
  std::set<std::string> stories;  // over the three splits
  for (const auto& [split, count] :
       {std::pair{"train", 30}, std::pair{"validation", 10}, std::pair{"test", 20}}) {
    const auto squad =
        nlohmann::json::parse(read_file(scratch / (std::string("questions.") + split + ".json")));
    CHECK(squad["version"] == "v2.0");
    CHECK(static_cast<int>(squad["data"][0]["paragraphs"].size()) == count);
    for (const auto& paragraph : squad["data"][0]["paragraphs"]) {
      CHECK(stories.insert(paragraph["context"].get<std::string>()).second);
      const auto& qa = paragraph["qas"][0];
      CHECK(qa["is_impossible"].get<bool>() == qa["answers"].empty());
    }
    int lines = 0;
    for_each_line(scratch / (std::string("entailment.") + split + ".tsv"),
                  [&](std::string_view line, int64_t) {
                    CHECK(std::count(line.begin(), line.end(), '\t') == 2);
                    ++lines;
                  });
    CHECK(lines == count + 1);
    for_each_line(scratch / (std::string("topics.") + split + ".jsonl"),
                  [&](std::string_view line, int64_t) {
                    CHECK(!nlohmann::json::parse(line)["labels"].empty());
                  });
  }
  CHECK(read_file(scratch / "endings.test.csv")
            .starts_with("sent1,sent2,ending0,ending1,ending2,ending3,label\n\""));
  CHECK(read_file(scratch / "sentiment.train.tsv").starts_with("sentence\tlabel\n"));
  const std::string readme = read_file(scratch / "README.md");
  for (const StoryTask& task : tasks())
    CHECK(readme.find("## " + task.name + ".{train,validation,test}." + task.ending) !=
          std::string::npos);
  CHECK_MENTIONS(testing::error_of([&] { write_tasks(scratch.path(), {.train = 0}); }),
                 "options.train 0");
}

}  // namespace
}  // namespace gradus::story
