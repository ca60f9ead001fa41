#include "text/normalizer.h"

#include <utf8proc.h>

#include <array>

namespace gradus::detail {
namespace {

bool is_cjk(char32_t c) {
  constexpr std::pair<char32_t, char32_t> ranges[] = {{0x4E00, 0x9FFF}, {0x3400, 0x4DBF}, {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
                                                      {0x2B740, 0x2B81F}, {0x2B820, 0x2CEAF}, {0xF900, 0xFAFF}, {0x2F800, 0x2FA1F}};
  for (const auto& [low, high] : ranges)
    if (c >= low && c <= high) return true;
  return false;
}

bool is_punctuation(char32_t c) {
  if ((c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126)) return true;
  const auto category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

}  // namespace

Mapped map_code_point(char32_t c, const TokenizerOptions& options) {
  const auto point = static_cast<utf8proc_int32_t>(c);
  Mapped mapped;
  if (c == '\t' || c == '\n' || c == '\r' || c == ' ') {
    mapped.kind = Kind::space;
    return mapped;
  }
  const auto category = utf8proc_category(point);
  if (c == 0 || c == 0xFFFD || category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF || (category == UTF8PROC_CATEGORY_CO && options.mode == TokenizerMode::hf))
    return mapped;
  if (category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP) {
    mapped.kind = Kind::space;
    return mapped;
  }
  mapped.kind = is_cjk(c) ? Kind::alone : Kind::letter;
  utf8proc_int32_t parts[8] = {point};
  utf8proc_ssize_t count = 1;
  if (options.lower_case && c >= 128) {
    int last = 0;
    count = utf8proc_decompose_char(point, parts, 8, static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_STABLE), &last);
  }
  for (utf8proc_ssize_t i = 0; i < count && mapped.count < 5; ++i) {
    if (options.lower_case && utf8proc_category(parts[i]) == UTF8PROC_CATEGORY_MN) continue;
    mapped.to[mapped.count++] = static_cast<char32_t>(options.lower_case ? utf8proc_tolower(parts[i]) : parts[i]);
  }
  if (mapped.count == 1 && is_punctuation(mapped.to[0])) mapped.kind = Kind::alone;
  if (mapped.count == 0) mapped.kind = Kind::dropped;
  return mapped;
}

const Mapped* ascii_map(const TokenizerOptions& options) {
  static const auto tables = [] {
    std::array<std::array<Mapped, 128>, 2> built;
    for (const bool lower : {false, true})
      for (char32_t c = 0; c < 128; ++c) built[lower][c] = map_code_point(c, {.lower_case = lower});
    return built;
  }();
  return tables[options.lower_case].data();
}

char32_t next_code_point(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
  const char32_t first = byte(at);
  if (first < 0x80) return ++at, first;
  const int length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  char32_t c = first & (0xFFu >> (length + 1));
  for (int i = 1; i < length; ++i) c = (c << 6) | (byte(at + static_cast<size_t>(i)) & 0x3F);
  at += static_cast<size_t>(length);
  return c;
}

void append_utf8(char32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  utf8proc_uint8_t bytes[4];
  out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes)));
}

}  // namespace gradus::detail
