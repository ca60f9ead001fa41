// text/: from characters to WordPiece ids and back; knows tokens, nothing of tensors. Uses base/ and utf8proc.
//
// Tokenizer turns text into the ids of a Vocabulary. Two named rule sets (notes: docs/tokenizer.md):
//   hf      what the `tokenizers` package's BertNormalizer + BertPreTokenizer + WordPiece do today (the default);
//   google  the original tokenization.py: final sigma, 200 characters a word, no special tokens inside text.
// A Tokenizer is immutable after construction and may be used by any number of threads at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/vocabulary.h"

namespace gradus {

enum class TokenizerMode { hf, google };

struct TokenizerOptions {
  bool lower_case = true;   // lower-case and strip accents, as the uncased models want it
  TokenizerMode mode = TokenizerMode::hf;
};

// One encoded text, without [CLS] and [SEP]: parallel arrays.
struct Encoding {
  std::vector<int32_t> ids;
  std::vector<std::pair<int32_t, int32_t>> offsets;   // [begin, end) of each token in the original text, in code points
  std::vector<int32_t> words;                         // the number of the word (after splitting at white space and punctuation) each token is of
};

class Tokenizer {
 public:
  Tokenizer(Vocabulary vocabulary, TokenizerOptions options = {});

  Encoding encode(std::string_view text) const;                              // valid UTF-8; anything else is an Error
  void append_ids(std::string_view text, std::vector<int32_t>& ids) const;   // the ids alone, faster; appended
  std::string decode(const std::vector<int32_t>& ids, bool skip_special = true) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }
  const TokenizerOptions& options() const { return options_; }
  uint64_t fingerprint() const;   // of vocabulary and options: equal fingerprints give equal ids for every text

 private:
  Vocabulary vocabulary_;
  TokenizerOptions options_;
};

}  // namespace gradus
