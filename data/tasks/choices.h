// Multiple choice: a context, several ways to go on, one of them right.
//
//   a table with ending0, ending1, … (SWAG's CSV, or the same as JSON lines): context sent1; choices sent2 + " " + ending; label a number from 0
//   a table with choices, a JSON list of strings: context from the column context, question, or both (then the question goes before each choice, as in
//     RACE); label a number from 0
//   a TSV without a header whose rows end in choices and label, as CODAH's: category, context, four choices, label
#pragma once

#include "data/tasks/table.h"

namespace gradus {

struct ChoiceExample {
  std::string context;
  std::vector<std::string> choices;   // two or more: each is the second text of a pair with the context
  int32_t label = -1;                 // the right one; -1 where labels were not asked for
  int64_t line = 0;
};

struct ChoiceSet {
  std::string file;
  std::vector<ChoiceExample> examples;
};

// TSV files are CODAH's. Errors with file and line: a label that is no number, or out of range; fewer than two choices.
ChoiceSet read_choices(const std::filesystem::path& path, bool labelled = true);

}  // namespace gradus
