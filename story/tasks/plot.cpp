#include "gradus/story/tasks/plot.h"

#include <algorithm>

namespace gradus::story {

Plot draw_plot(Teller& teller, bool (*fits)(const Scene&)) {
  const bool event = teller.random.uniform() < 0.5;
  std::vector<const Scene*> kinds;
  for (const Scene& scene : scenes(World::small))
    if (!scene.value.empty() && !scene.once && scene.name != (event ? "turn" : "event") &&
        fits(scene))
      kinds.push_back(&scene);
  teller.random.shuffle(kinds);
  const bool same = teller.random.uniform() < 0.5;
  return {kinds[0], kinds[1], kinds[same ? 0 : 2], {kinds.begin() + 2, kinds.end()}};
}

void tell_plot(Teller& teller, const Plot& plot, const Way& first_way) {
  struct Part {
    const Scene* scene;
    const Way* way;
    int subject;
  };
  std::vector<Part> parts{{plot.first, &first_way, 0},
                          {plot.second, &teller.any(plot.second->told), 0},
                          {plot.other, &teller.any(plot.other->told), 1}};
  teller.random.shuffle(parts);
  for (const Part& part : parts) teller.tell(*part.scene, *part.way, part.subject);
}

int value(Teller& teller, const Scene& scene, int subject) {
  return teller.variable(scene.value, subject);
}

Sentence with_row(const Story& story, Sentence sentence, int variable, int row) {
  for (Word& word : sentence.words)
    if (word.variable == variable) word.text = realised(story, word, row);
  return sentence;
}

std::vector<int> other_rows(const Story& story, const Sentence& sentence, int variable,
                            bool contrary) {
  const Variable& own = story.variables[static_cast<size_t>(variable)];
  const Table& table = *own.table;
  const auto has = [&](const char* column) {
    return std::find(table.columns.begin(), table.columns.end(), column) != table.columns.end();
  };
  const bool opposite = contrary && has("opposite"), tone = contrary && has("tone");
  std::vector<int> result;
  for (int r = 0; r < static_cast<int>(table.rows.size()); ++r) {
    const auto word = [&](const char* column) {
      return table.rows[static_cast<size_t>(r)][static_cast<size_t>(table.column(column))];
    };
    if (opposite && word("word") != own.word("opposite")) continue;
    if (tone && word("tone") == own.word("tone")) continue;
    const bool differs =
        std::all_of(sentence.words.begin(), sentence.words.end(), [&](const Word& w) {
          return w.variable != variable || w.article || realised(story, w, r) != w.text;
        });
    if (differs) result.push_back(r);
  }
  return result;
}

std::string joined(const Story& story) {
  std::string text;
  for (const auto& line : story.text()) text += (text.empty() ? "" : " ") + line;
  return text;
}

}  // namespace gradus::story
