// Training a WordPiece vocabulary: merges of the most frequent pair of neighbouring pieces, over
// word counts, with ## for continuations, as the `tokenizers` package's BertWordPieceTokenizer does
// it, but deterministic: ids are given in sorted order, ties go to the smaller pair of ids, and the
// result is the same, byte for byte, on any number of threads.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "gradus/text/tokenizer.h"
#include "gradus/text/word_counter.h"

namespace gradus {

enum class MergeCriterion {
  count,  // the pair seen most often: what `tokenizers` does
  // the pair that raises the likelihood most: count(ab) / (count(a) count(b)), the original's idea
  likelihood
};

struct WordPieceTrainerOptions : WordCountOptions {
  int64_t size = 30000;           // tokens wanted, specials and single characters included
  int64_t min_frequency = 2;      // of a pair to be merged
  int64_t limit_alphabet = 1000;  // the most frequent characters kept
  MergeCriterion criterion = MergeCriterion::count;
};

struct WordPieceStatistics : WordCountStatistics {
  double whole_words = 0;  // the share of words (by count) that are one token
};

// Errors: those of count_words(), and a size that the specials and characters alone exceed.
std::vector<std::string> train_wordpiece(const std::vector<std::filesystem::path>& files,
                                         const WordPieceTrainerOptions& options,
                                         WordPieceStatistics* statistics = nullptr);

}  // namespace gradus
