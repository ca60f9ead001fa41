// Story endings: four ways to end the last sentence, of which one follows from the story. The wrong
// ones are right in other stories.
#include <algorithm>
#include <set>

#include "gradus/story/tasks/plot.h"
#include "gradus/story/tasks/tasks.h"

namespace gradus::story {
namespace {

constexpr size_t endings = 4;

// The sentence from that word on.
std::string rest(const Sentence& sentence, size_t from) {
  return sentence.text().substr(sentence.starts()[from]);
}

// Rows for the wrong endings, so that all four read differently; too few where the words are too
// few.
std::vector<int> wrong_rows(Teller& teller, const Sentence& right, int variable, int preferred) {
  std::vector<int> rows = other_rows(teller.story, right, variable, false);
  teller.random.shuffle(rows);
  if (const auto found = std::find(rows.begin(), rows.end(), preferred); found != rows.end())
    std::iter_swap(rows.begin(), found);
  std::vector<int> result;
  std::set<std::string> seen;
  for (const int row : rows)
    if (result.size() < endings - 1 &&
        seen.insert(with_row(teller.story, right, variable, row).text()).second)
      result.push_back(row);
  return result;
}

}  // namespace

Example ending(Teller& teller) {
  const Plot plot = draw_plot(teller, [](const Scene&) { return true; });
  tell_plot(teller, plot, teller.any(plot.first->told));
  const int variable = value(teller, *plot.first, 0);
  // with what is told of q
  const bool confuse = plot.other == plot.first && teller.random.uniform() < 0.5;
  const int of_q =
      confuse ? teller.story.variables[static_cast<size_t>(value(teller, *plot.first, 1))].row : -1;

  struct Choice {
    Sentence right;
    size_t from;  // the ending begins with what differs
    std::vector<int> wrong;
  };
  std::vector<Choice> choices;
  for (const Way& way : plot.first->again) {
    if (way.size() > 1) continue;
    Choice choice{teller.sentence(*plot.first, way[0], 0), 0, {}};
    while (choice.right.words[choice.from].variable != variable) ++choice.from;
    choice.wrong = wrong_rows(teller, choice.right, variable, of_q);
    if (choice.from > 0 && choice.wrong.size() == endings - 1) choices.push_back(std::move(choice));
  }
  const Choice& choice = teller.any(choices);
  std::vector<std::string> texts;
  for (const int row : choice.wrong)
    texts.push_back(rest(with_row(teller.story, choice.right, variable, row), choice.from));
  const auto place = teller.random.below(static_cast<int64_t>(endings));
  texts.insert(texts.begin() + place, rest(choice.right, choice.from));
  std::string begin = choice.right.text().substr(0, choice.right.starts()[choice.from] - 1);
  texts.insert(texts.begin(), {joined(teller.story), std::move(begin)});
  return {std::move(texts), {std::to_string(place)}, {}, 0};
}

}  // namespace gradus::story
