// Questions about a story: the answer is a span of it, or the story does not tell (SQuAD 2.0).
#include <algorithm>

#include "gradus/base/error.h"
#include "gradus/story/tasks/plot.h"
#include "gradus/story/tasks/tasks.h"

namespace gradus::story {
namespace {

// The words of the answer that the question does not know.
std::vector<Slot> asked_for(const Way& way) {
  std::vector<Slot> result;
  for (const Slot& slot : way[1])
    if (!slot.variable.empty() && !slot.article &&
        std::none_of(way[0].begin(), way[0].end(),
                     [&](const Slot& known) { return known.variable == slot.variable; }))
      result.push_back(slot);
  return result;
}

// Where in the sentence the wanted words stand in a row, or npos.
size_t find(const Pattern& sentence, const std::vector<Slot>& wanted) {
  const auto found =
      std::search(sentence.begin(), sentence.end(), wanted.begin(), wanted.end(),
                  [](const Slot& a, const Slot& b) {
                    return !a.article && a.variable == b.variable && a.column == b.column;
                  });
  return found == sentence.end() ? std::string::npos
                                 : static_cast<size_t>(found - sentence.begin());
}

// A way to tell the scene that answers the question in its one sentence.
const Way& answering(Teller& teller, const Scene& scene, const Way& question) {
  std::vector<const Way*> ways;
  for (const Way& way : scene.told)
    if (way.size() == 1 && find(way[0], asked_for(question)) != std::string::npos)
      ways.push_back(&way);
  check(!ways.empty(), "story world, scene {}: no way to tell it answers the question after {}",
        scene.name, question[1].back().text);
  return *teller.any(ways);
}

}  // namespace

Example question(Teller& teller) {
  const Plot plot = draw_plot(teller, [](const Scene& scene) { return !scene.asked.empty(); });
  const Way& first_question = teller.any(plot.first->asked);
  const Way& first_way = answering(teller, *plot.first, first_question);
  tell_plot(teller, plot, first_way);

  Example example{{joined(teller.story), ""}, {}, {}, 0};
  if (teller.random.uniform() < 1.0 / 3) {
    const Scene& untold = *plot.untold[static_cast<size_t>(teller.random.below(2))];
    example.texts[1] = teller.sentence(untold, teller.any(untold.asked)[0], 0).text();
    return example;
  }
  example.texts[1] = teller.sentence(*plot.first, first_question[0], 0).text();
  const std::vector<Slot> wanted = asked_for(first_question);
  const size_t from = find(first_way[0], wanted);
  size_t offset = 0;
  for (const Sentence& sentence : teller.story.sentences) {
    const std::string text = sentence.text();
    if (sentence.subject == 0 && sentence.scene == plot.first->name) {
      const auto starts = sentence.starts();
      const size_t last = from + wanted.size() - 1;
      example.start = offset + starts[from];
      example.labels = {text.substr(
          starts[from], starts[last] + sentence.words[last].text.size() - starts[from])};
    }
    offset += text.size() + 1;
  }
  return example;
}

}  // namespace gradus::story
