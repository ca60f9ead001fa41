// Similarity: how many of five things (time, trade, colour, thing, place) two sentences agree in,
// whatever words they use for them.
#include <algorithm>

#include "gradus/story/tasks/plot.h"
#include "gradus/story/tasks/tasks.h"

namespace gradus::story {

Example similarity(Teller& teller) {
  const Scene& errand = scene("errand");
  std::vector<Way> ways = errand.told;
  ways.push_back(errand.again[0]);  // these three name all five
  teller.random.shuffle(ways);
  const Sentence one = teller.sentence(errand, ways[0][0], 0);
  Sentence two = teller.sentence(errand, ways[1][0], 0);
  std::vector<int> things(teller.story.variables.size());
  for (size_t v = 0; v < things.size(); ++v) things[v] = static_cast<int>(v);
  teller.random.shuffle(things);
  const auto score =
      static_cast<size_t>(teller.random.between(0, static_cast<int64_t>(things.size())));
  for (size_t i = score; i < things.size(); ++i)
    two = with_row(teller.story, two, things[i],
                   teller.any(other_rows(teller.story, two, things[i], false)));
  return {{one.text(), two.text()}, {std::to_string(score)}, {}, 0};
}

}  // namespace gradus::story
