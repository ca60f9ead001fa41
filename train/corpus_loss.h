// How well a masked language model knows a text, in numbers that models with different vocabularies
// can be compared by.
//
// Whole words are hidden, 15 % of them, chosen by where they stand in the text and not by how a
// tokenizer cuts them, so every model has to find the same; of each all pieces are [MASK]. Bits per
// character divides what the model would need to write the hidden words, -log2 p summed over their
// pieces, by the characters that they have in the text. Words that are [UNK] to the tokenizer are
// passed over and counted: a model does not become better by not knowing them.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "gradus/data/document_cutter.h"
#include "gradus/models/bert.h"
#include "gradus/text/tokenizer.h"

namespace gradus {

struct CorpusLossOptions {
  std::vector<std::filesystem::path> corpus;  // what text_files() takes
  CuttingRules cutting;  // documents: file where it is not set, so that sequences are full
  TextFormat format;
  int64_t max_seq_length = 0;  // 0: 128, or the model's positions where those are fewer
  double masked_share = 0.15;  // of the words
  uint64_t seed = 1;           // which
  int64_t max_words = 0;       // hidden words after which it ends; 0: all of the text
  std::function<void(int64_t bytes_done, int64_t bytes_total)> progress = {};
};

struct CorpusLoss {
  double loss = 0, accuracy = 0;  // mean by hidden token
  double bits_per_character = 0;
  int64_t words = 0, tokens = 0, characters = 0;  // hidden
  int64_t unknown = 0;                            // words that would have been, but are [UNK]
};

// Errors: no text, a length beyond the model's positions, a tokenizer without [MASK].
CorpusLoss corpus_loss(const BertForMaskedLM& model, const Tokenizer& tokenizer,
                       const CorpusLossOptions& options);

}  // namespace gradus
