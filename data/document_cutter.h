// From lines to documents: which lines make a paragraph, where a document ends.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "gradus/text/text_files.h"

namespace gradus {

// What ends a document. The end of a file always does, and so does that of an object of JSON lines,
// except under `file`.
enum class Documents {
  blank,    // a blank line. A line is a paragraph (or a sentence)
  file,     // nothing else: the file is the document
  record,   // each line of a text file, each object of JSON lines
  pattern,  // the next line that matches: it begins a document, as a heading does
};
// cut each paragraph (sentences.h), or take each line as one sentence
enum class Sentences { split, line };

struct CuttingRules {
  // unset: record for JSON lines, else blank
  std::optional<Documents> documents = {};
  std::string document_start = {};  // of pattern: an extended regular expression, as of grep -E
  Sentences sentences = Sentences::split;
};

// Gets the lines of one file; take(paragraph) and end_document() are called as they are complete.
// A line of which begins_document() is true is given after end().
// Under `file` and `pattern` with sentences that are split, lines up to a blank one are one
// paragraph, so that hard-wrapped books are read right; a paragraph above 1 MiB is cut.
class DocumentCutter {
 public:
  DocumentCutter(const CuttingRules& rules, bool json_lines);
  ~DocumentCutter();
  DocumentCutter(const DocumentCutter&) = delete;
  DocumentCutter& operator=(const DocumentCutter&) = delete;

  // `keep` false: the line is left out as if it were not there; what it ends, it ends all the same.
  template <class Take, class EndDocument>
  void add(const TextLine& line, bool keep, Take&& take, EndDocument&& end_document) {
    if (!inside_line_ && is_blank(line)) {
      end_paragraph(take);
      if (documents_ == Documents::blank) end_document();
    } else if (keep) {
      if (!paragraph_.empty()) paragraph_ += ' ';
      paragraph_ += line.text;
      if (!joins_lines_ || paragraph_.size() >= longest_paragraph) end_paragraph(take);
    }
    if (line.ends_record ? documents_ != Documents::file
                         : documents_ == Documents::record && !json_lines_ && !line.part)
      end(take, end_document);
    inside_line_ = line.part;
  }
  bool begins_document(const TextLine& line) const;  // under `pattern`
  // Ends the document: before a line that begins one, and at the end of the file.
  template <class Take, class EndDocument>
  void end(Take&& take, EndDocument&& end_document) {
    end_paragraph(take);
    end_document();
  }

  bool is_empty() const { return paragraph_.empty(); }  // all that it got, it gave

  static bool is_blank(const TextLine& line) {
    return !line.part && line.text.find_first_not_of(" \t\r\f\v") == std::string_view::npos;
  }

 private:
  static constexpr size_t longest_paragraph = size_t{1} << 20;

  template <class Take>
  void end_paragraph(Take&& take) {
    if (!paragraph_.empty()) take(std::exchange(paragraph_, {}));
  }

  Documents documents_;
  bool json_lines_, joins_lines_, inside_line_ = false;
  std::string paragraph_;
  struct Pattern;
  std::unique_ptr<Pattern> pattern_;
};

// The names of the rules: of the corpus file and of the program.
const char* name(Documents documents);
const char* name(Sentences sentences);

}  // namespace gradus
