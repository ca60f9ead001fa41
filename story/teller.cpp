#include "gradus/story/teller.h"

#include <algorithm>

namespace gradus::story {

int Teller::variable(std::string name, int subject) {
  const std::string of = table_name(name);
  if (subject == 1) {
    if (name == "p") name = "q";
    else if (name == "q") name = "p";
    else name += " of q";
  }
  for (size_t v = 0; v < story.variables.size(); ++v)
    if (story.variables[v].name == name) return static_cast<int>(v);
  Variable fresh{name, &table(story.world, of), 0};
  do fresh.row = static_cast<int>(random.below(static_cast<int64_t>(fresh.table->rows.size())));
  while (std::any_of(story.variables.begin(), story.variables.end(), [&](const Variable& v) {
    return v.table == fresh.table && v.row == fresh.row;
  }));
  story.variables.push_back(std::move(fresh));
  return static_cast<int>(story.variables.size()) - 1;
}

Sentence Teller::sentence(const Scene& scene, const Pattern& pattern, int subject) {
  Sentence result{{}, scene.name, subject};
  for (const Slot& slot : pattern) {
    if (slot.variable.empty()) {
      result.words.push_back({slot.text});
      continue;
    }
    Word word{"", variable(slot.variable, subject), 0, slot.article};
    const Variable& v = story.variables[static_cast<size_t>(word.variable)];
    word.column = v.table->column(slot.column);
    word.text = realised(story, word, v.row);
    result.words.push_back(std::move(word));
  }
  return result;
}

void Teller::tell(const Scene& scene, const Way& way, int subject) {
  for (const Pattern& pattern : way) story.sentences.push_back(sentence(scene, pattern, subject));
}

}  // namespace gradus::story
