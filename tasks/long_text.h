// Texts that are longer than the model may read (LongTexts).
#pragma once

#include "gradus/tasks/text/options.h"
#include "gradus/text/tokenizer.h"

namespace gradus {

// An Error where pairs are not read so.
void check_long_texts(LongTexts how, bool pairs);

struct FittedText {
  std::vector<Sequence> sequences;  // one, or the windows
  bool cut = false;                 // it was too long
};

// second: null for single texts.
FittedText fit_text(const Tokenizer& tokenizer, const Encoding& first, const Encoding* second,
                    int64_t max_length, LongTexts how, int64_t overlap);

}  // namespace gradus
