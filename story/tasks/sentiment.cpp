// Sentiment: how it ended for the person of whom a feeling is told, positive or negative.
#include "gradus/story/tasks/plot.h"
#include "gradus/story/tasks/tasks.h"

namespace gradus::story {

Example sentiment(Teller& teller) {
  const Plot plot = draw_plot(teller, [](const Scene& scene) { return scene.topic != "feelings"; });
  const Scene& feeling = scene(teller.random.uniform() < 0.5 ? "event" : "turn");
  const Way& way = teller.any(teller.random.uniform() < 0.5 ? feeling.told : feeling.again);
  const int place = static_cast<int>(teller.random.below(3));
  for (int i = 0; i < 3; ++i) {
    if (i == place) teller.tell(feeling, way, 0);
    if (i == 0) teller.tell(*plot.first, teller.any(plot.first->told), 0);
    if (i == 1) teller.tell(*plot.untold[0], teller.any(plot.untold[0]->told), 1);
  }
  const Variable& what = teller.story.variables[static_cast<size_t>(value(teller, feeling, 0))];
  return {{joined(teller.story)}, {what.word("tone")}, {}, 0};
}

}  // namespace gradus::story
