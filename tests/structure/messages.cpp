// A lint of what the program says when something is wrong: it reads every text that is given to
// fail(), fail_run() and check().
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <regex>

#include "gradus/base/file.h"
#include "tests/structure/sources.h"

namespace gradus::testing {
namespace {

// The literals that make up the text of a call, put together; empty where it begins with something
// else.
std::string text_at(const std::string& source, size_t at) {
  std::string text;
  for (;;) {
    at = source.find_first_not_of(" \n", at);
    if (at == std::string::npos || source[at] != '"') return text;
    for (++at; at < source.size() && source[at] != '"'; ++at) {
      if (source[at] == '\\') text += source[at++];
      text += source[at];
    }
    ++at;
  }
}

}  // namespace

TEST_CASE("structure: messages are one line, say what is wrong, and do not shout") {
  int messages = 0;
  for (const char* room : {"base", "kernels", "autograd", "ops", "nn", "optim", "models", "text",
                           "data", "story", "tasks", "io", "train", "cli"}) {
    for (const std::filesystem::path& path : sources_in(source_root / room)) {
      const std::string source = read_file(path);
      static const std::regex call(R"((\bfail|\bfail_run|\bcheck)\()");
      for (std::sregex_iterator it(source.begin(), source.end(), call), end; it != end; ++it) {
        size_t at = static_cast<size_t>(it->position() + it->length());
        if ((*it)[1] == "check") {  // the text is the second argument
          int depth = 0;
          while (at < source.size() && (depth > 0 || source[at] != ',')) {
            if (source[at] == '(' || source[at] == '{' || source[at] == '[') ++depth;
            if (source[at] == ')' || source[at] == '}' || source[at] == ']') --depth;
            if (depth < 0) break;
            if (source[at] == '"')
              for (++at; at < source.size() && source[at] != '"'; ++at)
                if (source[at] == '\\') ++at;
            ++at;
          }
          if (at >= source.size() || source[at] != ',') continue;
          ++at;
        }
        const std::string text = text_at(source, at);
        if (text.empty()) continue;
        ++messages;
        const std::string where = path.filename().string() + ": " + text;
        CHECK_MESSAGE(text.size() < 400, where);
        CHECK_MESSAGE(text.find("\\n") == std::string::npos, where);
        CHECK_MESSAGE(text.find('!') == std::string::npos, where);
        CHECK_MESSAGE(text.find("Error") == std::string::npos, where);
        CHECK_MESSAGE(!text.ends_with(' '), where);
        CHECK_MESSAGE(text.find("  ") == std::string::npos, where);
        // A capital begins a name ("LoRA: …"), not a sentence.
        const bool word = text.find(':') > text.find(' ') &&
                          std::isupper(static_cast<unsigned char>(text[0])) && text.size() > 1 &&
                          std::islower(static_cast<unsigned char>(text[1]));
        CHECK_MESSAGE(!word, where);
      }
    }
  }
  CHECK(messages > 400);
}

}  // namespace gradus::testing
