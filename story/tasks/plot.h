// What the labelled sets share: a short story of two persons with something left untold, and ways
// to make a sentence untrue.
#pragma once

#include <string>
#include <vector>

#include "gradus/story/teller.h"

namespace gradus::story {

// Two things are told of p and one of q, which half of the time is of the same kind as p's first.
// All is drawn alike whatever will be asked, so the story alone says nothing about the label.
struct Plot {
  const Scene* first;   // told of p
  const Scene* second;  // of p
  const Scene* other;   // of q
  // of p; the first of them is told of q, if q's is not of p's first kind
  std::vector<const Scene*> untold;
};

// Draws the kinds: any that can be untrue and that `fits` admits. Only one of the two kinds about
// feelings is among them.
Plot draw_plot(Teller& teller, bool (*fits)(const Scene&));

// Tells it in random order; `first_way` is how p's first is told.
void tell_plot(Teller& teller, const Plot& plot, const Way& first_way);

// The variable that `scene` is about, in that person's telling.
int value(Teller& teller, const Scene& scene, int subject);

// The sentence as it would be with another row for one variable.
Sentence with_row(const Story& story, Sentence sentence, int variable, int row);

// The rows that put other words everywhere; in `contrary` ones, words that cannot be true beside
// those that stand there.
std::vector<int> other_rows(const Story& story, const Sentence& sentence, int variable,
                            bool contrary);

// All sentences in one line.
std::string joined(const Story& story);

}  // namespace gradus::story
