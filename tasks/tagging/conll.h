// CoNLL column files: a word a line with its tag, a blank line between sentences.
#pragma once

#include "gradus/tasks/labels.h"
#include "gradus/tasks/tagging/tags.h"

namespace gradus {

struct TaggedSentence {
  std::vector<std::string> words;
  Tags tags;         // as many as words, or none where they were not asked for
  int64_t line = 0;  // of the first word; the others follow, a line each
};

struct TaggedSet {
  std::string file;
  std::vector<TaggedSentence> sentences;
  TagScheme scheme = TagScheme::iob2;
  // Tags that the scheme forbids where they stand, and the first one's line. They are kept, and
  // entities() reads them leniently.
  int64_t irregular = 0, irregular_line = 0;
};

struct ColumnOptions {
  // from 0; negative ones count from the end, -1 is the last
  int32_t word_column = 0, tag_column = -1;
  bool labelled = true;  // otherwise tags are not read and need not exist
};

// Columns are separated by tabs where the line has one, otherwise by any number of spaces.
// -DOCSTART- lines separate as blank ones do. Errors with file and line: too few columns, an empty
// word, something that is no tag (is_tag).
TaggedSet read_tagged(const std::filesystem::path& path, const ColumnOptions& options = {});

LabelTable collect_tags(const TaggedSet& set);  // those that occur, sorted

// [sentences][words]. An unknown tag is an Error with file, line and the tags known.
std::vector<std::vector<int32_t>> tag_ids(const TaggedSet& set, const LabelTable& table);
// How often each tag of the table occurs in these.
std::vector<int64_t> count_tags(const std::vector<std::vector<int32_t>>& ids,
                                const LabelTable& table);

}  // namespace gradus
