// Words and where they stand in their text, for taggers whose answers point into it.
#pragma once

#include "text/tokenizer.h"

namespace gradus {

struct PlacedWords {
  std::string text;
  std::vector<std::string> words;
  std::vector<std::pair<int32_t, int32_t>> places;  // of each word: code points [begin, end) of the text
};

// The words that the tokenizer sees: split at white space and punctuation. What it drops (control characters) is in no word.
PlacedWords split_words(std::string text, const Tokenizer& tokenizer);

PlacedWords join_words(std::vector<std::string> words);  // the text is the words with single spaces between them

}  // namespace gradus
