// Rules: what a rule set (hf or google, see tokenizer.h) does with each code point, as one table
// lookup.
//
// The steps of BERT's basic tokenizer (clean, set CJK apart, lower-case, decompose, remove accents,
// set punctuation apart) act on single code points, with two exceptions that name themselves:
// `reorder` (marks that stay are put in canonical order) and `sigma` (its lower case depends on its
// neighbours). Rules are built once a process at first use (a few milliseconds), shared by all
// threads and never change.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gradus {

enum class TokenizerMode { hf, google };

// The code point at `at`, in valid UTF-8; `at` moves behind it.
inline char32_t read_utf8(const char*& at) {
  const auto byte = [&] { return static_cast<unsigned char>(*at++); };
  const char32_t first = byte();
  if (first < 0x80) return first;
  const int more = 1 + (first >= 0xE0) + (first >= 0xF0);
  char32_t c = first & (0x3F >> more);
  for (int i = 0; i < more; ++i) c = c << 6 | (byte() & 0x3F);
  return c;
}

// The start of the code point that ends before `at`.
inline const char* before_utf8(const char* at) {
  do --at;
  while ((*at & 0xC0) == 0x80);
  return at;
}

void append_utf8(std::string& text, char32_t c);

// A value for every code point in two levels: pages of 256, equal pages stored once.
template <class T>
class CodePointMap {
 public:
  template <class F>
  explicit CodePointMap(const F& value) {  // value(c) is called in ascending order
    std::vector<T> page(256);
    for (uint32_t number = 0; number < 0x1100; ++number) {
      // planes 4 to 13 are empty in every version of Unicode
      if (number > 0x400 && number < 0xE00) {
        pages_.push_back(pages_[0x400]);
        continue;
      }
      for (uint32_t i = 0; i < 256; ++i) page[i] = value(static_cast<char32_t>(number << 8 | i));
      // equal pages mostly follow one another, so only the last few are looked at
      size_t found = values_.size();
      for (size_t k = 1; k <= 4 && k * 256 <= values_.size(); ++k)
        if (std::equal(page.begin(), page.end(),
                       values_.end() - static_cast<std::ptrdiff_t>(k * 256)))
          found = values_.size() - k * 256;
      if (found == values_.size()) values_.insert(values_.end(), page.begin(), page.end());
      pages_.push_back(static_cast<uint32_t>(found));
    }
  }
  T operator[](char32_t c) const { return values_[pages_[c >> 8] + (c & 255)]; }

 private:
  std::vector<uint32_t> pages_;
  std::vector<T> values_;
};

enum class Action : uint8_t {
  copy,     // part of a word as it is
  replace,  // part of a word as text(step)
  alone,    // a word of its own: punctuation, CJK
  split,    // ends a word: white space
  drop,     // removed by cleaning, before anything else sees it
  remove,   // an accent
  reorder,  // has marks that stay, to be put in order with their neighbours
  sigma,    // google: capital sigma, lower-cased to a final one at the end of a word
};

// What to do with one code point.
struct Step {
  Action action;
  // its decomposition begins with combining class 0: marks before it never move behind it
  bool starter;
  uint32_t text_begin;  // of text(step), for replace and alone; 0: the code point itself
};

class Rules {
 public:
  static const Rules& of(TokenizerMode mode, bool lower_case);

  Step step(char32_t c) const {
    const uint32_t bits = steps_[c];
    return {static_cast<Action>(bits & 7), (bits & 8) != 0, bits >> 4};
  }
  std::string_view text(Step step) const {
    return {texts_.data() + step.text_begin + 1,
            static_cast<size_t>(static_cast<unsigned char>(texts_[step.text_begin]))};
  }
  // For ASCII that is copied or lower-cased: the byte that stands for it; 0 for all other bytes.
  char letter(unsigned char byte) const { return letters_[byte]; }

  // What `step` is made of, for `reorder`: the full decomposition (lower-cased in google), and what
  // becomes of each part of it afterwards.
  std::u32string decompose(char32_t c) const;
  int combining_class(char32_t c) const;
  bool is_mark(char32_t c) const;
  bool is_ideograph(char32_t c) const;
  char32_t finish(char32_t c) const;  // hf lower-cases after removing accents

  // for `sigma`: the Unicode standard's definitions, section 3.13
  bool is_case_ignorable(char32_t c) const;
  bool is_cased(char32_t c) const;

 private:
  Rules(TokenizerMode mode, bool lower_case);
  uint32_t make_step(char32_t c);

  bool hf_, lower_case_;
  CodePointMap<uint8_t> kinds_;
  std::string texts_{'\0'};  // each a byte of length and its UTF-8; the first is empty
  CodePointMap<uint32_t> steps_;
  char letters_[256] = {};
};

}  // namespace gradus
