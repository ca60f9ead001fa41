// Tells scenes: draws a row for each variable when it is first named, and puts its words into the
// sentences.
#pragma once

#include <string>

#include "gradus/base/random.h"
#include "gradus/story/grammar.h"
#include "gradus/story/story.h"

namespace gradus::story {

struct Teller {
  Story story;
  Random random;

  Teller(World world, Random stream) : random(stream) { story.world = world; }

  // The variable of that name, with a row that no other variable of its table has. subject 1
  // exchanges p and q, and has variables of its own.
  int variable(std::string name, int subject);

  // One sentence, not part of the story.
  Sentence sentence(const Scene& scene, const Pattern& pattern, int subject);

  // Adds these sentences to the story.
  void tell(const Scene& scene, const Way& way, int subject);

  template <class T>
  const T& any(const std::vector<T>& of) {
    return of[static_cast<size_t>(random.below(static_cast<int64_t>(of.size())))];
  }
};

}  // namespace gradus::story
