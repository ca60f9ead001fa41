// Entailment: does the second sentence follow from the story, contradict it, or neither?
#include <algorithm>
#include <array>

#include "gradus/story/tasks/plot.h"
#include "gradus/story/tasks/tasks.h"

namespace gradus::story {

Example entailment(Teller& teller) {
  const Plot plot = draw_plot(teller, [](const Scene&) { return true; });
  tell_plot(teller, plot, teller.any(plot.first->told));
  const std::string story = joined(teller.story);

  const int64_t label = teller.random.below(3);
  const Scene& about =
      label == 1 ? *plot.untold[static_cast<size_t>(teller.random.below(2))] : *plot.first;
  std::vector<Way> short_ways;
  for (const Way& way : about.again)
    if (way.size() == 1) short_ways.push_back(way);
  Sentence claim = teller.sentence(about, teller.any(short_ways)[0], 0);
  const int variable = value(teller, about, 0);

  // What is true of q is claimed of p: half of the time where q has one.
  std::vector<int> rows = other_rows(teller.story, claim, variable, label == 2);
  if (plot.other == &about && label != 0) {
    const int of_q = teller.story.variables[static_cast<size_t>(value(teller, about, 1))].row;
    if (std::find(rows.begin(), rows.end(), of_q) != rows.end() && teller.random.uniform() < 0.5)
      rows = {of_q};
    else if (label == 1) rows.clear();
  } else if (label == 1) {
    rows.clear();
  }
  if (label != 0 && !rows.empty())
    claim = with_row(teller.story, claim, variable, teller.any(rows));
  return {{story, claim.text()},
          {std::array{"entailment", "neutral", "contradiction"}.at(static_cast<size_t>(label))},
          {},
          0};
}

}  // namespace gradus::story
