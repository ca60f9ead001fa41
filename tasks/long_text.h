// What is read of a text that is longer than the model may read (Sun et al. 2019, section 4.3.2,
// compare the first three):
//   head        its beginning
//   tail        its end
//   head-tail   a quarter from the beginning, the rest from the end
//   windows     all of it, in windows that share `overlap` tokens; logits are averaged over them
// Of pairs, head shortens the longer text as BERT does, windows run over the second; the others are
// for single texts.
#pragma once

#include "gradus/text/tokenizer.h"

namespace gradus {

void check_long_texts(const std::string& how, bool pairs);

struct FittedText {
  std::vector<Sequence> sequences;  // one, or the windows
  bool cut = false;                 // it was too long
};

// second: null for single texts.
FittedText fit_text(const Tokenizer& tokenizer, const Encoding& first, const Encoding* second,
                    int64_t max_length, const std::string& how, int64_t overlap);

}  // namespace gradus
