// The story world's labelled sets: one for every task that people use BERT for, with labels that
// follow from how the text was made.
//
// What is true: example `number` of a task is a function of (seed, task, world, number). No story
// comes twice in a set, in whichever split. Every label is decided by the text, so the best
// reachable score is 1 for all of them; StoryTask::argument says why, and why a part of the input
// alone (the hypothesis, the question, the endings) decides nothing. A reader of the world's rule
// is assumed: of each kind of thing (trade, pet, errand …) a story tells at most one of each
// person.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gradus/story/teller.h"

namespace gradus::story {

struct Example {
  // the story first; then the second sentence, the question, or the endings' start and the endings
  std::vector<std::string> texts;
  std::vector<std::string>
      // the label, score, topics, answer (none where there is none), place of the right ending; or
      // words' tags
      labels;
  std::vector<std::string> words;  // entities only: the story's words, one for each tag
  // questions only: where in the story the answer begins, in characters
  size_t start = 0;
};

struct StoryTask {
  // of its files: name.train.ending, name.validation.ending, name.test.ending
  std::string name, ending;
  std::string format, argument;  // for the README
  Example (*make)(Teller& teller);
  // all of them in the field's format
  std::string (*file)(std::span<const Example> examples, const std::string& id);
};

std::span<const StoryTask> tasks();

// The first `count` examples of that seed, each of another story. An Error where the world has not
// that many.
std::vector<Example> examples(const StoryTask& task, uint64_t seed, int64_t count,
                              World world = World::small);

struct TaskOptions {
  int64_t train = 2000, validation = 500, test = 500;
  uint64_t seed = 0;
  World world = World::small;
};

// Writes the files of all tasks, and a README.md that describes them, into a folder that exists.
void write_tasks(const std::filesystem::path& folder, const TaskOptions& options);

// One function a task, each in the file of its name.
Example sentiment(Teller& teller);
Example entailment(Teller& teller);
Example similarity(Teller& teller);
Example topics(Teller& teller);
Example entities(Teller& teller);
Example question(Teller& teller);
Example ending(Teller& teller);

}  // namespace gradus::story
