// text/: from characters to WordPiece ids and back; knows tokens, nothing of tensors. Uses base/ and utf8proc.
//
// Tokenizer turns text into the ids of a Vocabulary. Two named rule sets (notes: docs/tokenizer.md):
//   hf      what the `tokenizers` package's BertNormalizer + BertPreTokenizer + WordPiece do today (the default);
//   google  the original tokenization.py: final sigma, 200 characters a word, no special tokens inside text.
// A Tokenizer is immutable after construction and may be used by any number of threads at once; copies share their tables.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/rules.h"
#include "text/vocabulary.h"

namespace gradus {

class PieceTrie;

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

// What a model reads, [CLS] first [SEP] or [CLS] first [SEP] second [SEP]: parallel arrays.
struct Sequence {
  std::vector<int32_t> ids;
  std::vector<int32_t> types;                         // 0 up to and including the first [SEP], then 1
  std::vector<uint8_t> special;                       // 1 for the [CLS] and [SEP] put in here, 0 for all that came from text, a literal "[MASK]" too
  std::vector<std::pair<int32_t, int32_t>> offsets;   // in the text that the token is of; {0, 0} for those put in
};

class Tokenizer {
 public:
  Tokenizer(Vocabulary vocabulary, TokenizerOptions options = {});

  // A word that no pieces make up, or that is too long, is one [UNK]: an Error where the vocabulary has none.
  Encoding encode(std::string_view text) const;                              // valid UTF-8; anything else is an Error
  void append_ids(std::string_view text, std::vector<int32_t>& ids) const;   // the ids alone, faster; appended
  // Text that is already split into words, as named-entity sets are: offsets count within each word, `words` numbers the given words. A word of
  // which nothing is left (a lone U+200B) has no token.
  Encoding encode_words(const std::vector<std::string>& words) const;

  // At most max_length tokens (0: no limit); the end of the longer text is cut, see longest_first(). An empty second
  // text is no pair.
  Sequence sequence(const Encoding& text, int64_t max_length = 0) const;
  Sequence sequence(const Encoding& first, const Encoding& second, int64_t max_length = 0) const;

  // Pieces joined, spaces before punctuation and inside English contractions removed (tokenizers' WordPiece decoder with cleanup).
  std::string decode(const std::vector<int32_t>& ids, bool skip_special = true) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }
  const TokenizerOptions& options() const { return options_; }
  uint64_t fingerprint() const;   // of vocabulary and options: equal fingerprints give equal ids for every text

 private:
  template <class Sink>
  void scan(std::string_view text, Sink&& sink) const;
  template <class Piece>
  void split_word(std::string_view word, Piece&& piece) const;

  Vocabulary vocabulary_;
  TokenizerOptions options_;
  const Rules* rules_;
  std::shared_ptr<const PieceTrie> trie_;
};

// How many tokens two texts keep so that both have at most `limit`. google takes one after the other from the longer, of equal ones from the second;
// hf leaves the shorter at least half of the limit and gives the odd token to the longer, of equal ones to the second.
std::pair<int64_t, int64_t> longest_first(int64_t first, int64_t second, int64_t limit, TokenizerMode mode);

}  // namespace gradus
