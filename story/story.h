// The story world: a small generative grammar of English whose documents come with their meaning.
//
// A Story is variables (Anna, her trade, the place she goes to: each a row of a table, drawn
// evenly) and sentences of words, each fixed or a column of a variable. The text is read off it; so
// are the labels of every task (tasks.h). story(seed, number) is a function of its arguments.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "gradus/story/tables.h"

namespace gradus::story {

struct Variable {
  // as in the scenes: p, q, job, thing2; "job of q" where a scene is told of the other person
  std::string name;
  const Table* table = nullptr;
  int row = 0;

  const std::string& word(int column) const {
    return table->rows[static_cast<size_t>(row)][static_cast<size_t>(column)];
  }
  const std::string& word(std::string_view column) const { return word(table->column(column)); }
};

struct Word {
  std::string text;
  int variable = -1;  // -1: the word is the scene's own
  int column = 0;
  bool article = false;  // "a" or "an" of that column's word
};

struct Sentence {
  std::vector<Word> words;  // with . , ? as words
  std::string scene;
  int subject = 0;  // the person it is told of: 0 is p, 1 is q

  std::string text() const;            // no space before . , ? and a capital first
  std::vector<size_t> starts() const;  // where each word begins in text()
};

struct Story {
  World world = World::small;
  std::vector<Variable> variables;
  std::vector<Sentence> sentences;

  std::vector<std::string> text() const;  // one sentence each
};

Story story(uint64_t seed, int64_t number, World world);

struct StoryOptions {
  int64_t documents = 20000;
  uint64_t seed = 0;
  World world = World::small;
  bool overwrite = false;
};

// Writes out_dir/stories.txt: a sentence a line, a blank line between documents. Returns the file.
std::filesystem::path write_stories(const std::filesystem::path& out_dir,
                                    const StoryOptions& options);

// What `word` would read if its variable had that row.
std::string realised(const Story& story, const Word& word, int row);

}  // namespace gradus::story
