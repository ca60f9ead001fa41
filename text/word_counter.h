// How often each word stands in text, as the uncased or cased BERT cuts it, on all threads, in
// memory that does not grow with the text; and, where the counts are kept on the way, from where a
// run was interrupted, to the same counts.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace gradus {

struct WordCountOptions {
  bool lower_case = true;
  bool replace_invalid = false;                 // read invalid UTF-8 as U+FFFD
  std::optional<std::string> text_column = {};  // of JSON lines (text_files.h)
  // Distinct words that are counted at once: beyond it the rarest are forgotten.
  int64_t most_words = 4'000'000;
  std::function<void(const std::string& stage, double done, double total)> progress = {};

  // A file for the counts so far, written every `checkpoint_bytes` of the files and removed at the
  // end; none: nothing is kept, nor of text that can be read only once. One that is there is an
  // Error, unless it is gone on with (`resume`: the same options and files) or thrown away
  // (`overwrite`).
  std::filesystem::path partial = {};
  bool resume = false, overwrite = false;
  int64_t checkpoint_bytes = int64_t{256} << 20;
};

struct WordCountStatistics {
  int64_t words = 0, distinct_words = 0, forgotten_words = 0;
};

// Distinct words, sorted, and how often each stands there.
using WordCounts = std::vector<std::pair<std::string, int64_t>>;

// `files`: what text_files.h reads. Errors: no file, an unreadable or empty corpus, invalid UTF-8
// (file and line).
WordCounts count_words(const std::vector<std::filesystem::path>& files,
                       const WordCountOptions& options, WordCountStatistics* statistics = nullptr);

}  // namespace gradus
