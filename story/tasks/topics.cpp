// Topic set: all that a story is about, one to three of the world's topics.
#include <algorithm>
#include <set>

#include "gradus/story/tasks/plot.h"
#include "gradus/story/tasks/tasks.h"

namespace gradus::story {

Example topics(Teller& teller) {
  std::set<std::string> all;
  for (const Scene& scene : scenes(World::small)) all.insert(scene.topic);
  std::vector<std::string> chosen(all.begin(), all.end());
  teller.random.shuffle(chosen);
  chosen.resize(static_cast<size_t>(teller.random.between(1, 3)));
  for (const std::string& topic : chosen) {
    std::vector<const Scene*> of;
    for (const Scene& scene : scenes(World::small))
      if (scene.topic == topic) of.push_back(&scene);
    const Scene& scene = *teller.any(of);
    teller.tell(scene, teller.any(scene.told), static_cast<int>(teller.random.below(2)));
  }
  std::sort(chosen.begin(), chosen.end());
  return {{joined(teller.story)}, chosen, {}, 0};
}

}  // namespace gradus::story
