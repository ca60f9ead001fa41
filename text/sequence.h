// What a model reads: [CLS] first [SEP], or [CLS] first [SEP] second [SEP]; and how texts that are
// too long are cut, or read in windows. Tokenizer::sequence and Tokenizer::windows (tokenizer.h)
// make sequences of encoded texts.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "gradus/text/rules.h"

namespace gradus {

// Parallel arrays, one element a token.
struct Sequence {
  std::vector<int32_t> ids;
  std::vector<int32_t> types;  // 0 up to and including the first [SEP], then 1
  // 1 for the [CLS] and [SEP] put in here, 0 for all that came from text, a literal "[MASK]" too
  std::vector<uint8_t> special;
  // in the text that the token is of; {0, 0} for those put in
  std::vector<std::pair<int32_t, int32_t>> offsets;
  // the word of its text that the token is of; -1 for those put in
  std::vector<int32_t> words;
};

// Which text loses tokens, always from its end. longest_first: the longer one, see longest_first()
// below.
enum class Truncation { longest_first, only_first, only_second };

// The tokens [begin, end) of a text.
struct TokenRange {
  int64_t begin, end;
  int64_t length() const { return end - begin; }
  bool operator==(const TokenRange&) const = default;
};

// Windows of at most `most` tokens over a text of `length`, each beginning `step` after the one
// before; the last is the first that reaches the end. Hugging Face's stride is what two windows
// share, step = most - stride; doc_stride of Google's run_squad.py is the step itself.
std::vector<TokenRange> window_ranges(int64_t length, int64_t most, int64_t step);

// How many tokens two texts keep so that both have at most `limit`. google takes one after the
// other from the longer, of equal ones from the second; hf leaves the shorter at least half of the
// limit and gives the odd token to the longer, of equal ones to the second.
std::pair<int64_t, int64_t> longest_first(int64_t first, int64_t second, int64_t limit,
                                          TokenizerMode mode);

}  // namespace gradus
