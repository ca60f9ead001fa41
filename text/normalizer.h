// WordScanner: the normalised words of a text, one after the other, each with where its bytes come
// from.
//
//   WordScanner words(Rules::of(TokenizerMode::hf, true), "Héllo, world");
//   while (words.next()) use(words.word());     // "hello"  ","  "world"
//
// The text is valid UTF-8 and outlives the scanner; word() is valid until the next next(). Costs
// about a table lookup a code point.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "gradus/text/rules.h"

namespace gradus {

class WordScanner {
 public:
  // Origins count code points from the start of `text`, beginning with `position`.
  WordScanner(const Rules& rules, std::string_view text, int32_t position = 0);

  bool next();  // to the next word; false at the end
  std::string_view word() const { return {bytes_.data(), length_}; }
  // The code point of the original text that each byte of word() stands for.
  const int32_t* origins() const { return origins_.data(); }
  int32_t position() const { return position_; }  // code points read so far

 private:
  void append(const char* bytes, size_t size, int32_t origin);
  void reserve(size_t more);
  void reorder(const char* begin);
  bool is_final_sigma(const char* begin) const;

  const Rules& rules_;
  const char *text_, *at_, *end_;
  const char* word_begin_ = nullptr;  // where reading for the current word began
  int32_t position_;
  size_t length_ = 0;
  std::vector<char> bytes_;
  std::vector<int32_t> origins_;
};

}  // namespace gradus
