#include "gradus/text/rules.h"

#include <utf8proc.h>

#include <algorithm>
#include <span>

#include "gradus/base/error.h"

namespace gradus {

namespace {
struct Range {
  char32_t first, last;
};
struct Shift {
  char32_t first, last;
  int32_t distance;
};
#include "gradus/text/unicode_tables.inc"

bool contains(std::span<const Range> ranges, char32_t c) {
  const auto at =
      std::lower_bound(ranges.begin(), ranges.end(), c,
                       [](const Range& range, char32_t value) { return range.last < value; });
  return at != ranges.end() && at->first <= c;
}

// contains() for code points that come in ascending order.
class Cursor {
 public:
  explicit Cursor(std::span<const Range> ranges) : ranges_(ranges) {}
  bool contains(char32_t c) {
    while (!ranges_.empty() && ranges_.front().last < c) ranges_ = ranges_.subspan(1);
    return !ranges_.empty() && ranges_.front().first <= c;
  }

 private:
  std::span<const Range> ranges_;
};

enum Kind : uint8_t { kDrop = 1, kSpace = 2, kMark = 4, kPunct = 8, kIdeograph = 16, kMoves = 32 };

// The original's blocks of ideographs; tokenizers has a slip of a digit (2B920 for 2B820), which
// published ids depend on.
constexpr Range kCjk[] = {{0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},
                          {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F}, {0x2B740, 0x2B81F},
                          {0x2B820, 0x2CEAF}, {0x2F800, 0x2FA1F}};
constexpr Range kCjkSlip = {0x2B820, 0x2B91F};
constexpr Range kAsciiPunctuation[] = {{33, 47}, {58, 64}, {91, 96}, {123, 126}};

utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}
bool is_space(char32_t c) {
  const auto kind = category(c);
  return c == '\t' || c == '\n' || c == '\r' || kind == UTF8PROC_CATEGORY_ZS ||
         kind == UTF8PROC_CATEGORY_ZL || kind == UTF8PROC_CATEGORY_ZP;
}

CodePointMap<uint8_t> hf_kinds() {
  Cursor dropped(kDropped), marks(kMarks), punctuation(kPunctuation), cjk(kCjk), movable(kMovable);
  return CodePointMap<uint8_t>([&](char32_t c) {
    const bool ideograph = cjk.contains(c) && !(c >= kCjkSlip.first && c <= kCjkSlip.last),
               mark = marks.contains(c);
    return static_cast<uint8_t>((dropped.contains(c) ? kDrop : 0) | (is_space(c) ? kSpace : 0) |
                                (mark ? kMark : 0) | (punctuation.contains(c) ? kPunct : 0) |
                                (ideograph ? kIdeograph : 0) |
                                (movable.contains(c) || mark ? kMoves : 0));
  });
}

CodePointMap<uint8_t> google_kinds() {
  Cursor ascii(kAsciiPunctuation), cjk(kCjk);
  return CodePointMap<uint8_t>([&](char32_t c) {
    const auto kind = category(c);
    const bool space = is_space(c);
    // U+0000 is Cc
    const bool drop =
        !space && (kind == UTF8PROC_CATEGORY_CC || kind == UTF8PROC_CATEGORY_CF || c == 0xFFFD);
    const bool punctuation =
        ascii.contains(c) || (kind >= UTF8PROC_CATEGORY_PC && kind <= UTF8PROC_CATEGORY_PO);
    return static_cast<uint8_t>(
        (drop ? kDrop : 0) | (space ? kSpace : 0) | (kind == UTF8PROC_CATEGORY_MN ? kMark : 0) |
        (punctuation ? kPunct : 0) | (cjk.contains(c) ? kIdeograph : 0) | kMoves);
  });
}

char32_t simple_lower(char32_t c) {
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

constexpr char32_t kSigma = 0x3A3;
}  // namespace

void append_utf8(std::string& text, char32_t c) {
  utf8proc_uint8_t bytes[4];
  text.append(reinterpret_cast<const char*>(bytes),
              static_cast<size_t>(utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes)));
}

const Rules& Rules::of(TokenizerMode mode, bool lower_case) {
  if (mode == TokenizerMode::hf) {
    if (lower_case) {
      static const Rules rules(TokenizerMode::hf, true);
      return rules;
    }
    static const Rules rules(TokenizerMode::hf, false);
    return rules;
  }
  if (lower_case) {
    static const Rules rules(TokenizerMode::google, true);
    return rules;
  }
  static const Rules rules(TokenizerMode::google, false);
  return rules;
}

Rules::Rules(TokenizerMode mode, bool lower_case)
    : hf_(mode == TokenizerMode::hf),
      lower_case_(lower_case),
      kinds_(hf_ ? hf_kinds() : google_kinds()),
      steps_([this](char32_t c) { return make_step(c); }) {
  for (unsigned char c = 0; c < 128; ++c) {
    const Step what = step(c);
    if (what.action == Action::copy) letters_[c] = static_cast<char>(c);
    if (what.action == Action::replace) letters_[c] = text(what)[0];
  }
}

uint32_t Rules::make_step(char32_t c) {
  const auto bits = [](Action action, bool starter = true, uint32_t text_begin = 0) {
    return static_cast<uint32_t>(action) | (starter ? 8u : 0u) | text_begin << 4;
  };
  const uint8_t kind = kinds_[c];
  if (kind & kDrop) return bits(Action::drop);
  if (kind & kSpace) return bits(Action::split);
  const bool apart = kind & kIdeograph;
  if (!lower_case_) return bits(apart || kind & kPunct ? Action::alone : Action::copy);
  if (!hf_ && c == kSigma) return bits(Action::sigma);

  // Most code points stay as they are; the table is built in half the time by not taking them apart
  // first.
  const auto& property = *utf8proc_get_property(static_cast<utf8proc_int32_t>(c));
  const bool hangul = c >= 0xAC00 && c <= 0xD7A3;
  if (property.decomp_seqindex == UINT16_MAX && !hangul && !(kind & kMark) && !combining_class(c) &&
      simple_lower(c) == c && finish(c) == c)
    return bits(apart || kind & kPunct ? Action::alone : Action::copy);

  const std::u32string parts = decompose(c);
  const bool starter = combining_class(parts[0]) == 0;
  std::string kept;
  bool punctuation = false, moves = false;
  for (char32_t part : parts) {
    if (is_mark(part)) continue;
    moves |= combining_class(part) != 0;
    append_utf8(kept, finish(part));
    punctuation |= (kinds_[finish(part)] & kPunct) != 0;
  }
  if (kept.empty()) return bits(Action::remove, starter);
  if (moves) return bits(Action::reorder, starter);
  std::string self;
  append_utf8(self, c);
  const bool same = kept == self;
  Action action = same ? Action::copy : Action::replace;
  if (apart || punctuation) action = Action::alone;
  if (same) return bits(action, starter);
  const auto text_begin = static_cast<uint32_t>(texts_.size());
  texts_ += static_cast<char>(kept.size());
  texts_ += kept;
  return bits(action, starter, text_begin);
}

std::u32string Rules::decompose(char32_t c) const {
  if (!hf_) c = simple_lower(c);
  if (hf_ && contains(kUndecomposed, c)) return {c};
  utf8proc_int32_t parts[8];
  int state = 0;
  const auto n = utf8proc_decompose_char(
      static_cast<utf8proc_int32_t>(c), parts, 8,
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE), &state);
  if (n < 1) return {c};  // surrogates, which valid UTF-8 never holds
  return std::u32string(parts, parts + n);
}

int Rules::combining_class(char32_t c) const {
  return kinds_[c] & kMoves
             ? utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class
             : 0;
}

bool Rules::is_mark(char32_t c) const { return kinds_[c] & kMark; }
bool Rules::is_ideograph(char32_t c) const { return kinds_[c] & kIdeograph; }

char32_t Rules::finish(char32_t c) const {
  if (!hf_) return c;
  for (const Shift& shift : kLower)
    if (c >= shift.first && c <= shift.last)
      return static_cast<char32_t>(static_cast<int32_t>(c) + shift.distance);
  return simple_lower(c);
}

bool Rules::is_case_ignorable(char32_t c) const {
  switch (category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK: return true;
    default: return contains(kCaseIgnorable, c);
  }
}

bool Rules::is_cased(char32_t c) const {
  const auto kind = category(c);
  return kind == UTF8PROC_CATEGORY_LU || kind == UTF8PROC_CATEGORY_LL ||
         kind == UTF8PROC_CATEGORY_LT || contains(kCased, c);
}

}  // namespace gradus
