// Words that a model's vocabulary gets: each takes a row that is not used yet, [unusedN] first,
// then those that the vocabulary lacks, then new ones behind all others. What it begins with is the
// mean of its pieces: of their embeddings, and of their output biases.
#pragma once

#include "gradus/io/model_folder.h"

namespace gradus {

struct NewWords {
  std::vector<std::string> words;
  std::vector<int32_t> ids;                  // their rows
  std::vector<std::vector<int32_t>> pieces;  // what each was before
  std::vector<std::string> tokens;           // the vocabulary with them
  int64_t reused = 0;                        // of the rows, those of [unusedN]
};

// An Error where a word is a token already, is named twice, or is not one word as the tokenizer
// reads it.
NewWords place_new_words(const Tokenizer& tokenizer, const std::vector<std::string>& words);

// The model's tensors with those rows, the configuration with their number.
void add_new_words(const NewWords& words, BertConfig& config, NamedTensors& tensors);

}  // namespace gradus
