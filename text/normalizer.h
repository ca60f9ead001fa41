// The basic tokenizer of BERT: text to words, by code points. Cleans (control characters go, white space splits), sets CJK ideographs and punctuation apart,
// and for uncased models lower-cases and strips accents. Each character of a word keeps the place of the code point that it came from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace gradus {

// A normalised word in UTF-8, and for each of its characters: where it begins in `bytes`, and which code point of the text it came from.
struct Word {
  std::string bytes;
  std::vector<uint32_t> starts, sources;
  void clear() { bytes.clear(), starts.clear(), sources.clear(); }
};

// Calls word(w) for each word of valid UTF-8 text. `first` is the number of the text's first code point. Returns how many code points there were.
template <class F>
int64_t for_each_word(std::string_view text, const TokenizerOptions& options, int64_t first, F&& word);

namespace detail {
enum class Kind : uint8_t { letter, space, dropped, alone };
struct Mapped {
  Kind kind = Kind::dropped;
  uint8_t count = 0;
  char32_t to[5] = {};   // what remains of it, for a letter
};
Mapped map_code_point(char32_t c, const TokenizerOptions& options);
const Mapped* ascii_map(const TokenizerOptions& options);   // of 128 code points
char32_t next_code_point(std::string_view text, size_t& at);
void append_utf8(char32_t c, std::string& out);
}  // namespace detail

template <class F>
int64_t for_each_word(std::string_view text, const TokenizerOptions& options, int64_t first, F&& word) {
  const detail::Mapped* ascii = detail::ascii_map(options);
  Word current;
  const auto flush = [&] {
    if (!current.bytes.empty()) word(static_cast<const Word&>(current));
    current.clear();
  };
  int64_t index = first;
  for (size_t at = 0; at < text.size(); ++index) {
    const char32_t c = detail::next_code_point(text, at);
    detail::Mapped other;
    if (c >= 128) other = detail::map_code_point(c, options);
    const detail::Mapped& mapped = c < 128 ? ascii[c] : other;
    if (mapped.kind == detail::Kind::dropped) continue;
    if (mapped.kind != detail::Kind::letter) flush();
    if (mapped.kind == detail::Kind::space) continue;
    for (int i = 0; i < mapped.count; ++i) {
      current.starts.push_back(static_cast<uint32_t>(current.bytes.size()));
      current.sources.push_back(static_cast<uint32_t>(index));
      detail::append_utf8(mapped.to[i], current.bytes);
    }
    if (mapped.kind == detail::Kind::alone) flush();
  }
  flush();
  return index - first;
}

}  // namespace gradus
