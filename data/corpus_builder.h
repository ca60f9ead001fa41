// Text files -> C.gds (corpus_file.h): lines into documents and sentences, sentences into ids. In
// memory are one window of text, a bit a document (8 bytes where a share is held out) and, where
// lines are dropped, a bit a line; all else lies in the folder C.gds.partial until the file is put
// together. A window is cut and tokenised on all threads and written in order: the same bytes on
// any number of threads.
//
// What is true of an interrupted build: its folder holds a complete part of the text, to which
// `resume` adds the rest; the file is then the same as without the interruption.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "gradus/data/document_cutter.h"
#include "gradus/text/text_files.h"
#include "gradus/text/tokenizer.h"

namespace gradus {

struct CorpusOptions {
  // what text_files() takes: files, folders, globs, "-"
  std::vector<std::filesystem::path> corpus = {};
  // One for each of `corpus`, none for 1: how often an epoch of training sees each of its documents
  // (2: twice, 0.5: every second time), by instances.h.
  std::vector<double> weights = {};
  // the same, held out; a file that is also in `corpus` is held out
  std::vector<std::filesystem::path> validation = {};
  // or: this share of the documents (at least one), chosen by seed
  double validation_fraction = 0;
  std::optional<Documents> documents = {};  // these three: CuttingRules
  std::string document_start = {};
  Sentences sentences = Sentences::split;
  std::optional<std::string> text_column = {};  // of JSON lines: TextFormat
  // Lines of at least so many bytes that were there before are left out; 0: none are. The text is
  // read twice.
  int64_t drop_duplicate_lines = 0;
  // Documents at least so similar to an earlier one (near_duplicates.h) are left out; 0: none are.
  double drop_near_duplicates = 0;
  uint64_t seed = 0;
  bool replace_invalid = false;  // read invalid UTF-8 as U+FFFD
  bool overwrite = false;
  bool resume = false;  // go on with a build of the same options and files, where there is one
  // about so much text lies between the places where an interrupted build goes on
  int64_t checkpoint_bytes = int64_t{256} << 20;
  // Called now and then, by the calling thread: bytes as they lie in the files. bytes_total is 0
  // where it is not known.
  std::function<void(const char* stage, int64_t bytes_done, int64_t bytes_total)> progress = {};
};

// Errors name the file and line: missing or empty corpus, invalid UTF-8, a vocabulary without
// [MASK], `out` that is there already, nothing left to train on. Then nothing is left behind. Where
// a signal ends the program, what can be gone on with is left.
void build_corpus(const std::filesystem::path& out, const Tokenizer& tokenizer,
                  const CorpusOptions& options);

}  // namespace gradus
