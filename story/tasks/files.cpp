// The labelled sets as files, each in the format its field uses, and the README.md that describes
// them.

#include <set>

#include "gradus/base/error.h"
#include "gradus/base/file.h"
#include "gradus/base/json.h"
#include "gradus/story/tasks/tasks.h"

namespace gradus::story {
namespace {

using Json = nlohmann::ordered_json;

std::string tsv(std::string text, std::span<const Example> examples) {
  for (const Example& e : examples) {
    for (const auto& column : e.texts) text += column + '\t';
    text += e.labels[0] + '\n';
  }
  return text;
}

std::string single_tsv(std::span<const Example> examples, const std::string&) {
  return tsv("sentence\tlabel\n", examples);
}
std::string pair_tsv(std::span<const Example> examples, const std::string&) {
  return tsv("sentence1\tsentence2\tlabel\n", examples);
}
std::string score_tsv(std::span<const Example> examples, const std::string&) {
  return tsv("sentence1\tsentence2\tscore\n", examples);
}

std::string json_lines(std::span<const Example> examples, const std::string&) {
  std::string text;
  for (const Example& e : examples)
    text += Json{{"text", e.texts[0]}, {"labels", e.labels}}.dump() + '\n';
  return text;
}

std::string conll(std::span<const Example> examples, const std::string&) {
  std::string text;
  for (const Example& e : examples) {
    if (!text.empty()) text += '\n';
    for (size_t w = 0; w < e.words.size(); ++w) text += e.words[w] + ' ' + e.labels[w] + '\n';
  }
  return text;
}

std::string squad(std::span<const Example> examples, const std::string& id) {
  Json paragraphs = Json::array();
  for (size_t i = 0; i < examples.size(); ++i) {
    const Example& e = examples[i];
    Json answers = Json::array();
    for (const auto& answer : e.labels)
      answers.push_back({{"text", answer}, {"answer_start", e.start}});
    const Json qa{{"id", fmt::format("{}-{}", id, i)},
                  {"question", e.texts[1]},
                  {"is_impossible", e.labels.empty()},
                  {"answers", answers}};
    paragraphs.push_back({{"context", e.texts[0]}, {"qas", Json::array({qa})}});
  }
  const Json article{{"title", "The story world"}, {"paragraphs", paragraphs}};
  return Json{{"version", "v2.0"}, {"data", Json::array({article})}}.dump(1) + '\n';
}

std::string swag(std::span<const Example> examples, const std::string&) {
  std::string text = "sent1,sent2,ending0,ending1,ending2,ending3,label\n";
  for (const Example& e : examples) {
    // no text of the world has a quotation mark
    for (const auto& column : e.texts) text += '"' + column + "\",";
    text += e.labels[0] + '\n';
  }
  return text;
}

const char* const symmetry =
    "The story's kinds and words are drawn alike for every label, and so are the second text's: "
    "neither alone tells anything. ";

}  // namespace

std::span<const StoryTask> tasks() {
  static const std::vector<StoryTask> all{
      {"sentiment", "tsv", "`sentence`, `label`: positive or negative",
       "One person's feeling is told among other things, by what happened, by the mood, by the "
       "opposite mood denied, or as a change, of "
       "which the later half counts wherever it stands. Each row of these tables has one tone, "
       "half of them each, so the label is certain; "
       "the "
       "words alone (the same moods on both sides of a denial or a change) decide only part of "
       "them.",
       sentiment, single_tsv},
      {"entailment", "tsv",
       "`sentence1`, `sentence2`, `label`: entailment, neutral or contradiction",
       std::string(symmetry) + "Entailed is what was told, in other words; contradicted is the "
                               "same with another trade, place, ... (the "
                               "opposite, or a feeling of the "
                               "other tone, where there is one); neutral is a thing not told of "
                               "that person. What is true of the other "
                               "person is claimed in half of "
                               "the cases that allow it.",
       entailment, pair_tsv},
      {"similarity", "tsv", "`sentence1`, `sentence2`, `score`: 0 to 5, whole numbers",
       "The score counts in how many of five things two sentences agree (time, trade, colour, "
       "thing, place). Both name all five, the trade "
       "by "
       "person, place or work, the time by day or meal. Each sentence alone is drawn alike for "
       "every score.",
       similarity, score_tsv},
      {"topics", "jsonl", "`text`, `labels`: one to three of the ten topics",
       "Each topic of the set is told by one scene, and no other scene is told. No two scenes "
       "share a wording, so the set is certain.",
       topics, json_lines},
      {"entities", "conll",
       "word and tag, a blank line behind each story; IOB2 tags of PER, LOC and PET",
       "Every name is told in a wording that says what it is the name of. The words alone do not: "
       "Brown is a colour, a family and a dog, "
       "Rose a "
       "flower, a family, a pet and half of a place.",
       entities, conll},
      {"questions", "json", "SQuAD 2.0; about a third have no answer",
       std::string(symmetry) +
           "The answer is told in one sentence of the story, and half of the time the same kind of "
           "thing is told of "
           "the other person as well; "
           "without an answer, that kind of thing is not told of the person who is asked about.",
       question, squad},
      {"endings", "csv",
       "SWAG: `sent1` (the story), `sent2` (how the last sentence begins), `ending0` to `ending3`, "
       "`label`",
       "The right ending says again what was told; the wrong ones are the right endings of stories "
       "of the same kind, in a quarter of all "
       "cases one of them that of the other person. The four are drawn alike and their order is "
       "random, so they alone tell nothing.",
       ending, swag}};
  return all;
}

std::vector<Example> examples(const StoryTask& task, uint64_t seed, int64_t count, World world) {
  std::vector<Example> result;
  std::set<std::string> seen;
  for (int64_t number = 0; static_cast<int64_t>(result.size()) < count; ++number) {
    check(number < 100 * count + 1000,
          "story world: {} examples of {} are more than there are stories; ask for fewer", count,
          task.name);
    Teller teller(world, Random(hash_bytes(task.name, seed + 1), static_cast<uint64_t>(number)));
    Example example = task.make(teller);
    if (seen.insert(example.texts[0]).second) result.push_back(std::move(example));
  }
  return result;
}

void write_tasks(const std::filesystem::path& folder, const TaskOptions& options) {
  const std::pair<const char*, int64_t> splits[] = {
      {"train", options.train}, {"validation", options.validation}, {"test", options.test}};
  for (const auto& [split, count] : splits)
    check(count >= 1, "options.{} {}: at least 1 example", split, count);
  std::string readme = fmt::format(
      "# Labelled sets of the story world\n\nWritten by Gradus from seed {}, in the words of the "
      "{} world. Each set is three files, "
      "NAME.train, NAME.validation and "
      "NAME.test, of {}, {} and {} examples. No story is in two of them, or twice in one. The best "
      "reachable score is 1 in every set: each "
      "label is "
      "decided by the text, for a reader who knows the world's rule that a story tells at most one "
      "trade, pet, place ... of a person.\n",
      options.seed, options.world == World::small ? "small" : "large", options.train,
      options.validation, options.test);
  for (const StoryTask& task : tasks()) {
    const auto all = examples(task, options.seed, options.train + options.validation + options.test,
                              options.world);
    std::span<const Example> rest = all;
    for (const auto& [split, count] : splits) {
      const auto name = fmt::format("{}.{}.{}", task.name, split, task.ending);
      write_file(folder / name, task.file(rest.first(static_cast<size_t>(count)),
                                          fmt::format("{}-{}", task.name, split)));
      rest = rest.subspan(static_cast<size_t>(count));
    }
    readme += fmt::format("\n## {0}.{{train,validation,test}}.{1}\n\n{2}.\n\n{3}\n", task.name,
                          task.ending, task.format, task.argument);
  }
  write_file(folder / "README.md", readme);
}

}  // namespace gradus::story
