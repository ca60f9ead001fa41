// Training a WordPiece vocabulary: merges of the most frequent pair of neighbouring pieces, over
// word counts, with ## for continuations, as the `tokenizers` package's BertWordPieceTokenizer does
// it, but deterministic: ids are given in sorted order, ties go to the smaller pair of ids, and the
// result is the same, byte for byte, on any number of threads.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gradus/text/tokenizer.h"

namespace gradus {

enum class MergeCriterion {
  count,  // the pair seen most often: what `tokenizers` does
  // the pair that raises the likelihood most: count(ab) / (count(a) count(b)), the original's idea
  likelihood
};

struct WordPieceTrainerOptions {
  int64_t size = 30000;           // tokens wanted, specials and single characters included
  int64_t min_frequency = 2;      // of a pair to be merged
  int64_t limit_alphabet = 1000;  // the most frequent characters kept
  bool lower_case = true;
  MergeCriterion criterion = MergeCriterion::count;
  bool replace_invalid = false;                 // read invalid UTF-8 as U+FFFD
  std::optional<std::string> text_column = {};  // of JSON lines (text_files.h)
  // Distinct words that are counted at once: beyond it the rarest are forgotten.
  int64_t most_words = 4'000'000;
  std::function<void(const std::string& stage, double done, double total)> progress;
};

struct WordPieceStatistics {
  int64_t words = 0, distinct_words = 0, forgotten_words = 0;
  double whole_words = 0;  // the share of words (by count) that are one token
};

// Distinct words, sorted, and how often each stands there. The options' size and merging do not
// matter. Errors as below.
using WordCounts = std::vector<std::pair<std::string, int64_t>>;
WordCounts count_words(const std::vector<std::filesystem::path>& files,
                       const WordPieceTrainerOptions& options,
                       WordPieceStatistics* statistics = nullptr);

// `files`: what text_files.h reads. Errors: no file, an unreadable or empty corpus, invalid UTF-8
// (file and line), a size that the specials and characters alone exceed.
std::vector<std::string> train_wordpiece(const std::vector<std::filesystem::path>& files,
                                         const WordPieceTrainerOptions& options,
                                         WordPieceStatistics* statistics = nullptr);

}  // namespace gradus
