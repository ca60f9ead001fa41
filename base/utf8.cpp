#include "gradus/base/error.h"
#include "gradus/base/file.h"

namespace gradus {
namespace fs = std::filesystem;

namespace {
// The length of the valid UTF-8 sequence at `text`, or 0; `bad` is then the length of the maximal
// invalid part (Unicode 3.9, table 3-7).
int utf8_length(const unsigned char* text, size_t left, int& bad) {
  const unsigned char first = text[0];
  if (first < 0x80) return 1;
  bad = 1;
  int length = 0;
  if (first >= 0xC2 && first <= 0xDF) length = 2;
  else if (first >= 0xE0 && first <= 0xEF) length = 3;
  else if (first >= 0xF0 && first <= 0xF4) length = 4;
  if (!length) return 0;
  // What the second byte may be, where the first makes others overlong, a surrogate or too large.
  unsigned char low = 0x80, high = 0xBF;
  if (first == 0xE0) low = 0xA0;
  if (first == 0xED) high = 0x9F;
  if (first == 0xF0) low = 0x90;
  if (first == 0xF4) high = 0x8F;
  for (int i = 1; i < length; ++i) {
    if (static_cast<size_t>(i) >= left || text[i] < (i == 1 ? low : 0x80) ||
        text[i] > (i == 1 ? high : 0xBF))
      return 0;
    bad = i + 1;
  }
  return length;
}
}  // namespace

size_t find_invalid_utf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  for (size_t i = 0; i < text.size();) {
    uint64_t word;
    if (i + 8 <= text.size() &&
        (std::memcpy(&word, bytes + i, 8), !(word & 0x8080808080808080ull))) {
      i += 8;
      continue;
    }
    int bad = 0;
    const int length = utf8_length(bytes + i, text.size() - i, bad);
    if (!length) return i;
    i += static_cast<size_t>(length);
  }
  return std::string_view::npos;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  for (size_t i = 0; i < text.size();) {
    int bad = 0;
    const int length = utf8_length(bytes + i, text.size() - i, bad);
    if (length) out.append(text.substr(i, static_cast<size_t>(length)));
    else out.append("\xEF\xBF\xBD");
    i += static_cast<size_t>(length ? length : bad);
  }
  return out;
}

void check_utf8(std::string_view line, const std::string& file, int64_t number,
                std::string_view advice) {
  if (const size_t invalid = find_invalid_utf8(line); invalid != std::string_view::npos)
    fail("{}:{}: byte {} (0x{:02x}) is not valid UTF-8; convert the file{}", file, number,
         invalid + 1, static_cast<unsigned char>(line[invalid]), advice);
}

void for_each_line(const fs::path& path, const std::function<void(std::string_view, int64_t)>& f,
                   bool replace_invalid) {
  const MappedFile file(path);
  std::string_view rest = file.view();
  if (rest.substr(0, 3) == "\xEF\xBB\xBF") rest.remove_prefix(3);
  for (int64_t number = 1; !rest.empty(); ++number) {
    const size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (replace_invalid && find_invalid_utf8(line) != std::string_view::npos) {
      f(replace_invalid_utf8(line), number);
      continue;
    }
    check_utf8(line, path.string(), number, ", or read it as U+FFFD, with options.replace_invalid");
    f(line, number);
  }
}

size_t part_of(std::string_view text, size_t most) {
  if (text.size() <= most) return text.size();
  if (const size_t space = text.substr(0, most).find_last_of(" \t\r\n\f\v");
      space != std::string_view::npos)
    return space + 1;
  size_t end = most;
  while (end > most - std::min<size_t>(most, 3) &&
         (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;
  return end;
}

}  // namespace gradus
