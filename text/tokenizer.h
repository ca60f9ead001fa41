// text/: from characters to WordPiece ids and back; knows tokens, nothing of tensors. Uses base/
// and utf8proc.
//
// Tokenizer turns text into the ids of a Vocabulary. Two named rule sets (notes:
// docs/tokenizer.md):
//   hf      what the `tokenizers` package's BertNormalizer + BertPreTokenizer + WordPiece do today
//           (the default);
//   google  the original tokenization.py: final sigma, 200 characters a word, no special tokens
//           inside text.
// A Tokenizer is immutable after construction and may be used by any number of threads at once;
// copies share their tables.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gradus/text/rules.h"
#include "gradus/text/sequence.h"
#include "gradus/text/vocabulary.h"

namespace gradus {

class PieceTrie;

struct TokenizerOptions {
  bool lower_case = true;  // lower-case and strip accents, as the uncased models want it
  TokenizerMode mode = TokenizerMode::hf;
};

// One encoded text, without [CLS] and [SEP]: parallel arrays.
struct Encoding {
  std::vector<int32_t> ids;
  // [begin, end) of each token in the original text, in code points
  std::vector<std::pair<int32_t, int32_t>> offsets;
  // the number of the word (after splitting at white space and punctuation) each token is of
  std::vector<int32_t> words;
};

class Tokenizer {
 public:
  Tokenizer(Vocabulary vocabulary, TokenizerOptions options = {});

  // A word that no pieces make up, or that is too long, is one [UNK]: an Error where the vocabulary
  // has none. valid UTF-8; anything else is an Error
  Encoding encode(std::string_view text) const;
  // the ids alone, faster; appended
  void append_ids(std::string_view text, std::vector<int32_t>& ids) const;
  // Text that is already split into words, as named-entity sets are: offsets count within each
  // word, `words` numbers the given words. A word of which nothing is left (a lone U+200B) has no
  // token.
  Encoding encode_words(const std::vector<std::string>& words) const;

  // What a model reads, at most max_length tokens with [CLS] and [SEP] (0: no limit); what is too
  // long is cut at its end. Two texts are a pair even where one is empty. An Error where the text
  // to be cut alone would vanish.
  Sequence sequence(const Encoding& text, int64_t max_length = 0) const;
  Sequence sequence(const Encoding& first, const Encoding& second, int64_t max_length = 0,
                    Truncation truncation = Truncation::longest_first) const;

  // The same, and what was cut too: sequences whose windows of a cut text share `stride` tokens,
  // Hugging Face's meaning of the word. Where both texts are cut, each window of one comes with
  // each of the other. A text that keeps no token at all has no further windows.
  std::vector<Sequence> windows(const Encoding& text, int64_t max_length, int64_t stride) const;
  std::vector<Sequence> windows(const Encoding& first, const Encoding& second, int64_t max_length,
                                int64_t stride, Truncation truncation) const;

  // The parts of one or two texts (second may be null) as one sequence, for readers that cut by
  // rules of their own.
  Sequence join(const Encoding& first, TokenRange in_first, const Encoding* second = nullptr,
                TokenRange in_second = {}) const;

  // Pieces joined, spaces before punctuation and inside English contractions removed (tokenizers'
  // WordPiece decoder with cleanup).
  std::string decode(const std::vector<int32_t>& ids, bool skip_special = true) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }
  const TokenizerOptions& options() const { return options_; }
  // of vocabulary and options: equal fingerprints give equal ids for every text
  uint64_t fingerprint() const;

 private:
  template <class Sink>
  void scan(std::string_view text, Sink&& sink) const;
  template <class Piece>
  void split_word(std::string_view word, Piece&& piece) const;
  std::vector<Sequence> cut(const Encoding& first, const Encoding* second, int64_t max_length,
                            std::optional<int64_t> stride, Truncation truncation) const;

  Vocabulary vocabulary_;
  TokenizerOptions options_;
  const Rules* rules_;
  std::shared_ptr<const PieceTrie> trie_;
};

}  // namespace gradus
