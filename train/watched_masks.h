// Sentences with masks that are filled at every evaluation of a run: what a model learns, as words.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "gradus/models/fill_mask.h"

namespace gradus {

class WatchedMasks {
 public:
  // A file of texts, one a line, each with at least one [MASK]. Each is tried on the model once:
  // one that cannot be filled is an Error that names the line.
  WatchedMasks(const std::filesystem::path& file, const BertForMaskedLM& model,
               const Tokenizer& tokenizer);
  // A line each: the text, and the likeliest words for each mask.
  std::vector<std::string> filled(const BertForMaskedLM& model, const Tokenizer& tokenizer) const;

 private:
  std::vector<std::string> texts_;
};

}  // namespace gradus
