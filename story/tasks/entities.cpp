// Entities: persons (PER, one or two words), places with a name (LOC, two words) and pets (PET),
// tagged IOB2.
#include "gradus/story/tasks/plot.h"
#include "gradus/story/tasks/tasks.h"

namespace gradus::story {

Example entities(Teller& teller) {
  const Plot plot = draw_plot(teller, [](const Scene&) { return true; });
  const Scene& named = scene(teller.random.uniform() < 0.5 ? "home" : "pet");
  const Scene& more = plot.first == &named ? *plot.second : *plot.first;
  teller.tell(named, teller.any(teller.random.uniform() < 0.5 ? named.told : named.again), 0);
  teller.tell(more, teller.any(more.told), 1);
  if (teller.random.uniform() < 0.5)
    std::swap(teller.story.sentences[0], teller.story.sentences[1]);

  Example example;
  for (const Sentence& sentence : teller.story.sentences) {
    std::string before;  // the type of the word before
    const std::string text = sentence.text();
    for (const Word& word : sentence.words) {
      const Variable* v = word.variable < 0 || word.article
                              ? nullptr
                              : &teller.story.variables[static_cast<size_t>(word.variable)];
      std::string type;
      if (v && (v->table->name == "family" ||
                (v->table->name == "person" &&
                 v->table->columns[static_cast<size_t>(word.column)] == "name")))
        type = "PER";
      else if (v && v->table->name == "spot") type = "LOC";
      else if (v && v->table->name == "pet") type = "PET";
      example.words.push_back(&word == &sentence.words[0] ? text.substr(0, word.text.size())
                                                          : word.text);
      example.labels.push_back(type.empty() ? "O" : (type == before ? "I-" : "B-") + type);
      before = type;
    }
  }
  example.texts = {joined(teller.story)};
  return example;
}

}  // namespace gradus::story
