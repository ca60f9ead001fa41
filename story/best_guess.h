// What the best possible reader of the story world would guess for a masked word, and how often
// that reader is right.
//
// The argument. A story's text is a fixed frame (which scenes, in which wording) with the columns
// of independent variables set in, each drawn evenly from its table's rows (two variables of one
// table never take the same row). Given the frame, the rows a variable may have are those that
// agree with each of its visible words, and all of them are equally likely: so the probability of a
// masked word is the share of these rows that would put it there. That is Bayes' rule, with nothing
// left out. The frame itself is taken as known: no two wordings differ in a single fixed word, so
// with one word masked that is a fact (a test checks it), and with 15 % masked nearly one. What is
// left out makes the bound slightly too good: words that were swapped for random ones are counted
// as hidden, not as misleading, and distinctness is used only against variables that show a word.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gradus/story/story.h"

namespace gradus::story {

struct Guess {
  std::string word;
  double probability;
};

// Is the word at (sentence, word) to be seen?
using Visible = std::function<bool(size_t sentence, size_t word)>;

// All words that may stand at (sentence, word), most likely first, equally likely ones in order of
// the alphabet. The place itself is never looked at. Each frame word is certain.
std::vector<Guess> best_guesses(const Story& story, size_t sentence, size_t word,
                                const Visible& visible);

struct Bound {
  double accuracy;  // the share of masked words the best reader gets right
  // its mean -log p of the right word, nat: the least held-out loss there can be
  double cross_entropy;
};

// Over the stories 0 .. count-1 of that seed, masked as pretraining masks (a share of the words, at
// random), shown as its sentence pairs show them: half of the time as a whole, else only a
// beginning or an end, since the other half of the pair is from another story. A word counts as one
// token.
Bound best_mlm(uint64_t seed, int64_t count, World world, double masked_share = 0.15);

// The same, one number.
inline double best_mlm_accuracy(uint64_t seed, int64_t count, World world) {
  return best_mlm(seed, count, world).accuracy;
}

// A sentence with one [MASK], behind what its story told of the same thing before, from which the
// word follows: for showing what a model has learned.
struct Probe {
  std::string text;
  std::string answer;  // the only right word
  std::string about;   // the column it is, "job.place"; all kinds take turns
};
std::vector<Probe> story_probes(uint64_t seed, int64_t count, World world);

}  // namespace gradus::story
