// The words of a domain that a tokenizer takes apart: which of them a vocabulary is to have whole.
#pragma once

#include "gradus/text/tokenizer.h"
#include "gradus/text/wordpiece_trainer.h"

namespace gradus {

struct DomainWord {
  std::string word;
  int64_t count;                // in the domain's text
  std::vector<int32_t> pieces;  // what it is now; [UNK] alone, where it is nothing
};

// At most `most` words, those that save the most tokens first: (pieces - 1) * count, where [UNK]
// counts as two pieces. None stands less often than min_frequency, or is one token already.
std::vector<DomainWord> domain_words(const Tokenizer& tokenizer, const WordCounts& counts,
                                     int64_t most, int64_t min_frequency);

// Tokens a word of the text, on average.
double tokens_per_word(const Tokenizer& tokenizer, const WordCounts& counts);

}  // namespace gradus
