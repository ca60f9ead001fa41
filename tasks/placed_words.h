// Words and where they stand in their text, for taggers whose answers point into it.
#pragma once

#include "gradus/text/tokenizer.h"

namespace gradus {

struct PlacedWords {
  std::string text;
  std::vector<std::string> words;
  // of each word: code points [begin, end) of the text
  std::vector<std::pair<int32_t, int32_t>> places;
};

// The words that the tokenizer sees: split at white space and punctuation. What it drops (control
// characters) is in no word.
PlacedWords split_words(std::string text, const Tokenizer& tokenizer);

// the text is the words with single spaces between them
PlacedWords join_words(std::vector<std::string> words);

}  // namespace gradus
