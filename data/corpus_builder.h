// Text files -> C.gds (corpus_file.h): lines into documents and sentences, sentences into ids, in
// one pass. In memory are one window of text and 8 bytes a line and a sentence. A window is cut and
// tokenised on all threads and written in order: the same bytes on any number of threads.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "gradus/data/corpus_file.h"

namespace gradus {

enum class Documents {
  // a line is a paragraph (or a sentence); a blank line or the end of the file ends the document
  blank,
  // the file is the document; lines up to a blank one are one paragraph, so that hard-wrapped books
  // are read right
  file
};
// cut each paragraph (sentences.h), or take each line as one sentence
enum class Sentences { split, line };

// The text files that a list names: a folder stands for its *.txt, in order of name. Errors begin
// with `option`: missing, empty folder, named twice.
std::vector<std::filesystem::path> text_files(const std::vector<std::filesystem::path>& paths,
                                              const char* option);

struct CorpusOptions {
  // files, and folders, which stand for their *.txt in order of name
  std::vector<std::filesystem::path> corpus = {};
  // the same, held out; a file that is also in `corpus` is held out
  std::vector<std::filesystem::path> validation = {};
  // or: this share of the documents (at least one), chosen by seed
  double validation_fraction = 0;
  Documents documents = Documents::blank;
  Sentences sentences = Sentences::split;
  uint64_t seed = 0;
  bool replace_invalid = false;  // read invalid UTF-8 as U+FFFD
  bool overwrite = false;
  // called now and then, by the calling thread
  std::function<void(int64_t bytes_done, int64_t bytes_total)> progress = {};
};

// Errors name the file and line: missing or empty corpus, invalid UTF-8, a vocabulary without
// [MASK], `out` that is there already, nothing left to train on. Then nothing is left behind.
void build_corpus(const std::filesystem::path& out, const Tokenizer& tokenizer,
                  const CorpusOptions& options);

struct SplitStatistics {
  int64_t documents = 0, sentences = 0, tokens = 0, unknown = 0;  // unknown: [UNK]
};
struct CorpusStatistics {
  SplitStatistics train, validation;
  // Nat a token: the held-out tokens under the training tokens' unigram distribution, add-one
  // smoothed. What a masked language model must beat. NaN without held-out documents.
  double unigram_cross_entropy;
  double unigram_entropy;  // nat a token: the training tokens under their own distribution
};
CorpusStatistics statistics(const CorpusFile& corpus);

}  // namespace gradus
