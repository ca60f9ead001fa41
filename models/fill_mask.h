// Filling [MASK]: for each mask of a text the likeliest tokens, most likely first, with their
// probabilities.
#pragma once

#include "gradus/models/bert.h"
#include "gradus/text/tokenizer.h"

namespace gradus {

struct MaskAnswer {
  std::string token;
  double probability;
};
using MaskAnswers = std::vector<MaskAnswer>;

// Errors: a text without [MASK], a text longer than the model's positions.
std::vector<MaskAnswers> fill_mask(const BertForMaskedLM& model, const Tokenizer& tokenizer,
                                   const std::string& text, int top_k);

}  // namespace gradus
