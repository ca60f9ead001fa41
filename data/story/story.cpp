#include "data/story/story.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/random.h"
#include "data/story/scenes.h"

namespace gradus::story {
namespace {

// A scene as scenes.h tells it, cut into words: "a:job.noun" is an article, "job.noun" a column of a variable, all else is fixed.
struct Slot {
  std::string text, variable, column;  // text where variable is empty
  bool article = false;
};
struct FactPattern {
  std::string relation, subject, object;
};
struct SentencePattern {
  std::vector<Slot> slots;
  std::vector<FactPattern> facts;
};
struct Scene {
  std::string name, topic, after;
  bool full_only = false;
  std::vector<std::vector<SentencePattern>> ways;  // to tell it
};

Slot parse_slot(std::string word) {
  Slot slot;
  if (word.starts_with("a:")) {
    slot.article = true;
    word.erase(0, 2);
  }
  const size_t dot = word.find('.');
  if (dot == std::string::npos || word.size() == 1)
    slot.text = word;
  else
    slot.variable = word.substr(0, dot), slot.column = word.substr(dot + 1);
  return slot;
}

std::vector<SentencePattern> parse_way(const std::string& line) {
  std::vector<SentencePattern> sentences(1);
  std::istringstream in(line);
  for (std::string word; in >> word;) {
    if (word == "|") {
      sentences.emplace_back();
    } else if (word[0] == '[') {
      FactPattern fact{word.substr(1), "", ""};
      in >> fact.subject >> fact.object;
      fact.object.pop_back();  // the bracket
      sentences.back().facts.push_back(fact);
    } else {
      sentences.back().slots.push_back(parse_slot(word));
    }
  }
  return sentences;
}

std::vector<Scene> parse_scenes(World world) {
  std::vector<Scene> result;
  std::istringstream lines{std::string(scenes)};
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) continue;
    while (lines.peek() == ' ') {  // goes on in the next line
      std::string rest;
      std::getline(lines, rest);
      line += rest;
    }
    if (line[0] != '#') {
      result.back().ways.push_back(parse_way(line));
      continue;
    }
    Scene scene;
    std::istringstream in(line.substr(1));
    in >> scene.name >> scene.topic;
    for (std::string word; in >> word;)
      if (word == "full")
        scene.full_only = true;
      else if (word == "after")
        in >> scene.after;
    result.push_back(std::move(scene));
  }
  if (world == World::small) std::erase_if(result, [](const Scene& scene) { return scene.full_only; });
  return result;
}

const std::vector<Scene>& scenes_of(World world) {
  static const std::vector<Scene> small = parse_scenes(World::small), full = parse_scenes(World::full);
  return world == World::small ? small : full;
}

// The table of a variable: p and q are persons, "thing2" is a thing.
std::string table_name(std::string variable) {
  if (variable == "p" || variable == "q") return "person";
  while (std::isdigit(static_cast<unsigned char>(variable.back()))) variable.pop_back();
  return variable;
}

// By sound: a useful hat, an honest one.
const char* article_of(std::string_view word) {
  const bool consonant = word.starts_with("use") || word.starts_with("uni"),
             silent = word.starts_with("honest") || word.starts_with("hour");
  const bool vowel = std::string_view("aeiou").find(word[0]) != std::string_view::npos;
  return silent || (vowel && !consonant) ? "an" : "a";
}

// Writes one story: draws the scenes and how each is told, and a row for each variable when it is first named.
struct Teller {
  Story story;
  Random random;

  int variable(const std::string& name) {
    for (size_t v = 0; v < story.variables.size(); ++v)
      if (story.variables[v].name == name) return static_cast<int>(v);
    Variable fresh{name, &table(story.world, table_name(name)), 0};
    do fresh.row = static_cast<int>(random.below(static_cast<int64_t>(fresh.table->rows.size())));
    while (std::any_of(story.variables.begin(), story.variables.end(),
                       [&](const Variable& v) { return v.table == fresh.table && v.row == fresh.row; }));
    story.variables.push_back(fresh);
    return static_cast<int>(story.variables.size()) - 1;
  }

  Word word(const Slot& slot) {
    if (slot.variable.empty()) return {slot.text};
    Word word{"", variable(slot.variable), 0, slot.article};
    const Variable& v = story.variables[static_cast<size_t>(word.variable)];
    word.column = v.table->column(slot.column);
    word.text = realised(story, word, v.row);
    return word;
  }

  void tell(const Scene& scene) {
    for (const auto& pattern : scene.ways[static_cast<size_t>(random.below(static_cast<int64_t>(scene.ways.size())))]) {
      Sentence sentence;
      sentence.scene = scene.name;
      for (const Slot& slot : pattern.slots) sentence.words.push_back(word(slot));
      for (const FactPattern& pattern_fact : pattern.facts) {
        const Slot object = parse_slot(pattern_fact.object + (pattern_fact.object.find('.') == std::string::npos ? ".noun" : ""));
        const int o = variable(object.variable);
        story.facts.push_back({pattern_fact.relation, variable(pattern_fact.subject), o,
                               story.variables[static_cast<size_t>(o)].table->column(object.column), story.sentences.size()});
      }
      story.sentences.push_back(std::move(sentence));
    }
    if (std::find(story.topics.begin(), story.topics.end(), scene.topic) == story.topics.end()) story.topics.push_back(scene.topic);
  }
};

}  // namespace

std::string realised(const Story& story, const Word& word, int row) {
  const auto& columns = story.variables[static_cast<size_t>(word.variable)].table->rows[static_cast<size_t>(row)];
  const std::string& text = columns[static_cast<size_t>(word.column)];
  return word.article ? article_of(text) : text;
}

std::string Sentence::text() const {
  std::string result;
  for (const Word& word : words) {
    const bool mark = word.text.size() == 1 && std::ispunct(static_cast<unsigned char>(word.text[0]));
    if (!result.empty() && !mark) result += ' ';
    result += word.text;
  }
  result[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(result[0])));
  return result;
}

std::vector<std::string> Story::text() const {
  std::vector<std::string> lines;
  for (const Sentence& sentence : sentences) lines.push_back(sentence.text());
  return lines;
}

Story story(uint64_t seed, int64_t number, World world) {
  const auto& all = scenes_of(world);
  Teller teller{{}, Random(seed, static_cast<uint64_t>(number))};
  teller.story.world = world;
  // The small world's stories are short, so that in a few minutes a small model learns what depends on what.
  const int64_t count = world == World::small ? teller.random.between(2, 3) : teller.random.between(4, 7);
  std::vector<bool> told(all.size());
  const size_t ending = all.size() - 1;  // scenes.h ends with it
  const auto was_told = [&](const std::string& name) {
    for (size_t s = 0; s < all.size(); ++s)
      if (all[s].name == name) return static_cast<bool>(told[s]);
    fail("story world: there is no scene {} for another to come after", name);
  };
  for (int64_t i = 0; i < count; ++i) {
    std::vector<size_t> fresh, going_on;
    for (size_t s = 0; s < ending; ++s) {
      if (told[s]) continue;
      if (all[s].after.empty())
        fresh.push_back(s);
      else if (was_told(all[s].after))
        going_on.push_back(s);
    }
    const auto& open = !going_on.empty() && teller.random.uniform() < 0.5 ? going_on : fresh;
    const size_t s = open[static_cast<size_t>(teller.random.below(static_cast<int64_t>(open.size())))];
    told[s] = true;
    teller.tell(all[s]);
  }
  if (world == World::full || teller.random.uniform() < 0.5) teller.tell(all[ending]);
  for (const Variable& variable : teller.story.variables)
    if (variable.name == "cause") teller.story.tone = variable.word("tone");
  return std::move(teller.story);
}

std::filesystem::path write_stories(const std::filesystem::path& out_dir, const StoryOptions& options) {
  check(options.documents >= 1, "--documents {}: at least 1", options.documents);
  make_output_folder(out_dir, options.overwrite);
  const auto path = out_dir / "stories.txt";
  FileWriter file(path);
  constexpr int64_t part = 4096, grain = 64;
  for (int64_t first = 0; first < options.documents; first += part) {
    const int64_t count = std::min(part, options.documents - first);
    std::vector<std::string> texts(static_cast<size_t>(count));
    parallel_for(count, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        auto& text = texts[static_cast<size_t>(i)];
        if (first + i > 0) text += '\n';
        for (const auto& line : story(options.seed, first + i, options.world).text()) text += line + '\n';
      }
    });
    for (const auto& text : texts) file.write(text);
  }
  file.commit();
  return path;
}

}  // namespace gradus::story
