#include "gradus/cli/message.h"

#include <fmt/format.h>

#include <string_view>

#include "gradus/base/file.h"

namespace gradus::cli {
namespace {

constexpr size_t most = 480;  // bytes, and so no more characters

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

}  // namespace

std::string one_line(const std::string& text) {
  std::string line;
  std::string_view left = text;
  while (!left.empty()) {
    const size_t bad = std::min(find_invalid_utf8(left), left.size());
    for (const char c : left.substr(0, bad)) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '\n') line += "; ";
      else if (c == '\t') line += ' ';
      else if (byte < 0x20 || byte == 0x7f) line += fmt::format("\\x{:02x}", byte);
      else line += c;
    }
    if (bad < left.size()) line += fmt::format("\\x{:02x}", static_cast<unsigned char>(left[bad]));
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
