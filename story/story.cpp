#include "gradus/story/story.h"

#include <algorithm>
#include <cctype>

#include "gradus/base/error.h"
#include "gradus/base/file.h"
#include "gradus/base/parallel.h"
#include "gradus/story/teller.h"

namespace gradus::story {
namespace {

// By sound: a useful hat, an honest one.
const char* article_of(std::string_view word) {
  const bool consonant = word.starts_with("use") || word.starts_with("uni"),
             silent = word.starts_with("honest") || word.starts_with("hour");
  const bool vowel = std::string_view("aeiou").find(word[0]) != std::string_view::npos;
  return silent || (vowel && !consonant) ? "an" : "a";
}

// The small world: one to three things that happen to p, some of them to q as well; each is told,
// and said again or asked about, mostly at once. So nearly every word can be found elsewhere in the
// story, and near: a model soon learns to look there.
void tell_small(Teller& teller) {
  const auto& all = scenes(World::small);
  std::vector<const Scene*> chosen;
  for (const Scene& scene : all) chosen.push_back(&scene);
  teller.random.shuffle(chosen);
  chosen.resize(2);  // fewer, and stories would soon come twice

  struct Part {
    const Scene* scene;
    int subject;
    std::vector<const Way*> again;  // to come
  };
  std::vector<Part> ahead, open;
  for (const Scene* scene : chosen)
    for (int subject = 0; subject < 2; ++subject) {
      if (subject == 1 && (scene->once || teller.random.uniform() > 0.3)) continue;
      std::vector<const Way*> again;
      for (const Way& way : scene->again) again.push_back(&way);
      for (const Way& way : scene->asked) again.push_back(&way);
      teller.random.shuffle(again);
      again.resize(2);
      ahead.push_back({scene, subject, again});
    }
  teller.random.shuffle(ahead);
  while (!ahead.empty() || !open.empty()) {
    if (open.empty() || (!ahead.empty() && teller.random.uniform() < 0.2)) {
      open.push_back(ahead.back());
      ahead.pop_back();
      teller.tell(*open.back().scene, teller.any(open.back().scene->told), open.back().subject);
      continue;
    }
    Part& part = open.back();
    teller.tell(*part.scene, *part.again.back(), part.subject);
    part.again.pop_back();
    if (part.again.empty()) open.pop_back();
  }
}

// The large world: four to seven scenes in a row, each told once, some only behind another, and an
// ending.
void tell_large(Teller& teller) {
  const auto& all = scenes(World::large);
  std::vector<bool> told(all.size());
  const size_t ending = all.size() - 1;  // large_scenes.h ends with it
  const auto was_told = [&](const std::string& name) {
    for (size_t s = 0; s < all.size(); ++s)
      if (all[s].name == name) return static_cast<bool>(told[s]);
    fail("story world: there is no scene {} for another to come after", name);
  };
  const int64_t count = teller.random.between(4, 7);
  for (int64_t i = 0; i < count; ++i) {
    std::vector<size_t> fresh, going_on;
    for (size_t s = 0; s < ending; ++s) {
      if (told[s]) continue;
      if (all[s].after.empty()) fresh.push_back(s);
      else if (was_told(all[s].after)) going_on.push_back(s);
    }
    const size_t s =
        teller.any(!going_on.empty() && teller.random.uniform() < 0.5 ? going_on : fresh);
    told[s] = true;
    teller.tell(all[s], teller.any(all[s].told), 0);
  }
  teller.tell(all[ending], teller.any(all[ending].told), 0);
}

}  // namespace

std::string realised(const Story& story, const Word& word, int row) {
  const auto& columns =
      story.variables[static_cast<size_t>(word.variable)].table->rows[static_cast<size_t>(row)];
  const std::string& text = columns[static_cast<size_t>(word.column)];
  return word.article ? article_of(text) : text;
}

std::string Sentence::text() const {
  std::string result;
  const auto begin = starts();
  for (size_t w = 0; w < words.size(); ++w) {
    result.resize(begin[w], ' ');
    result += words[w].text;
  }
  result[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(result[0])));
  return result;
}

std::vector<size_t> Sentence::starts() const {
  std::vector<size_t> result;
  size_t end = 0;
  for (const Word& word : words) {
    const bool mark =
        word.text.size() == 1 && std::ispunct(static_cast<unsigned char>(word.text[0]));
    result.push_back(end > 0 && !mark ? end + 1 : end);
    end = result.back() + word.text.size();
  }
  return result;
}

std::vector<std::string> Story::text() const {
  std::vector<std::string> lines;
  for (const Sentence& sentence : sentences) lines.push_back(sentence.text());
  return lines;
}

Story story(uint64_t seed, int64_t number, World world) {
  Teller teller(world, Random(seed, static_cast<uint64_t>(number)));
  if (world == World::small) tell_small(teller);
  else tell_large(teller);
  return std::move(teller.story);
}

std::filesystem::path write_stories(const std::filesystem::path& out_dir,
                                    const StoryOptions& options) {
  check(options.documents >= 1, "options.documents {}: at least 1", options.documents);
  make_output_folder(out_dir, options.overwrite);
  auto path = out_dir / "stories.txt";
  FileWriter file(path);
  constexpr int64_t part = 4096, grain = 64;
  for (int64_t first = 0; first < options.documents; first += part) {
    const int64_t count = std::min(part, options.documents - first);
    std::vector<std::string> texts(static_cast<size_t>(count));
    parallel_for(count, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        auto& text = texts[static_cast<size_t>(i)];
        if (first + i > 0) text += '\n';
        for (const auto& line : story(options.seed, first + i, options.world).text())
          text += line + '\n';
      }
    });
    for (const auto& text : texts) file.write(text);
  }
  file.commit();
  return path;
}

}  // namespace gradus::story
