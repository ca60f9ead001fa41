#include "gradus/cli/message.h"

#include <fmt/format.h>

#include <string_view>

#include "gradus/base/file.h"

namespace gradus::cli {
namespace {

constexpr size_t most = 480;  // bytes, and so no more characters

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// Characters beyond ASCII that a terminal obeys instead of showing: the controls U+0080 to U+009F,
// line and paragraph separators, and what turns the direction of the text that follows.
constexpr struct {
  std::string_view first, last;
} obeyed[] = {{"\u0080", "\u009f"}, {"\u2028", "\u202e"}, {"\u2066", "\u2069"}};

bool is_obeyed(std::string_view character) {  // UTF-8 sorts as code points do
  for (const auto& [first, last] : obeyed)
    if (character.size() == first.size() && first <= character && character <= last) return true;
  return false;
}

std::string in_hexadecimal(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  return text;
}

}  // namespace

std::string one_line(const std::string& text) {
  std::string line;
  std::string_view left = text;
  while (!left.empty()) {
    const size_t bad = std::min(find_invalid_utf8(left), left.size());
    for (size_t i = 0; i < bad;) {
      size_t end = i + 1;
      while (end < bad && continues(left[end])) ++end;
      const std::string_view character = left.substr(i, end - i);
      const auto byte = static_cast<unsigned char>(left[i]);
      if (byte == '\n') line += "; ";
      else if (byte == '\t') line += ' ';
      else if (byte < 0x20 || byte == 0x7f || is_obeyed(character))
        line += in_hexadecimal(character);
      else line += character;
      i = end;
    }
    if (bad < left.size()) line += in_hexadecimal(left.substr(bad, 1));
    left.remove_prefix(std::min(bad + 1, left.size()));
  }
  while (line.ends_with("; ")) line.resize(line.size() - 2);
  if (line.size() <= most) return line;
  constexpr std::string_view gap = " … ";
  size_t head = most * 2 / 3, tail = line.size() - (most - head - gap.size());
  while (head > 0 && continues(line[head])) --head;
  while (tail < line.size() && continues(line[tail])) ++tail;
  return line.substr(0, head).append(gap) + line.substr(tail);
}

}  // namespace gradus::cli
