#include "gradus/data/document_cutter.h"

#include <regex.h>

#include "gradus/base/error.h"

namespace gradus {

struct DocumentCutter::Pattern {
  regex_t regex;

  explicit Pattern(const std::string& text) {
    const int error = ::regcomp(&regex, text.c_str(), REG_EXTENDED | REG_NOSUB);
    if (!error) return;
    char why[128];
    ::regerror(error, &regex, why, sizeof why);
    fail("options.document_start {}: it is an extended regular expression, as of grep -E: {}", text,
         why);
  }
  ~Pattern() { ::regfree(&regex); }
  Pattern(const Pattern&) = delete;
  Pattern& operator=(const Pattern&) = delete;

  bool fits(std::string_view line) const {
    regmatch_t range{0, static_cast<regoff_t>(line.size())};
    return ::regexec(&regex, line.data(), 1, &range, REG_STARTEND) == 0;
  }
};

DocumentCutter::DocumentCutter(const CuttingRules& rules, bool json_lines)
    : documents_(rules.documents.value_or(json_lines ? Documents::record : Documents::blank)),
      json_lines_(json_lines),
      joins_lines_(rules.sentences == Sentences::split &&
                   (documents_ == Documents::file || documents_ == Documents::pattern)) {
  check(
      (documents_ == Documents::pattern) == !rules.document_start.empty(),
      "options.documents pattern wants options.document_start, what a line that begins a document "
      "matches, and nothing else does");
  if (documents_ == Documents::pattern) pattern_ = std::make_unique<Pattern>(rules.document_start);
}

DocumentCutter::~DocumentCutter() = default;

bool DocumentCutter::begins_document(const TextLine& line) const {
  return pattern_ && !inside_line_ && pattern_->fits(line.text);
}

const char* name(Documents documents) {
  switch (documents) {
    case Documents::blank: return "blank";
    case Documents::file: return "file";
    case Documents::record: return "record";
    case Documents::pattern: return "pattern";
  }
  return "";
}

const char* name(Sentences sentences) { return sentences == Sentences::split ? "split" : "line"; }

}  // namespace gradus
