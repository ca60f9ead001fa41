// Multiple choice: a context, several ways to go on, one of them right.
//
//   ending0, ending1, … are columns (SWAG's CSV, or the same as JSON lines): context is sent1,
//   choices are sent2 + " " + ending
//
//   choices is a column, a JSON list of strings: context is the column context, or question, or
//   with both the question goes before each choice, as in RACE
//
//   a TSV without a header, as CODAH's: category, context, four choices, label
//
// The label is the number of the right choice, from 0.
#pragma once

#include "gradus/data/table.h"

namespace gradus {

struct ChoiceExample {
  std::string context;
  // two or more: each is the second text of a pair with the context
  std::vector<std::string> choices;
  int32_t label = -1;  // the right one; -1 where labels were not asked for
  int64_t line = 0;
};

struct ChoiceSet {
  std::string file;
  std::vector<ChoiceExample> examples;
};

// TSV files are CODAH's. Errors with file and line: a label that is no number, or out of range;
// fewer than two choices.
ChoiceSet read_choices(const std::filesystem::path& path, bool labelled = true);

}  // namespace gradus
