// A build that is on its way: the folder C.gds.partial, with what was written so far and, from the
// first sync() on, a note of how far that is and of what the build is.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "gradus/base/lock.h"
#include "gradus/base/temporary.h"
#include "gradus/data/corpus_builder.h"
#include "gradus/data/corpus_writer.h"
#include "gradus/data/seen_lines.h"

namespace gradus {

struct CorpusInput {
  std::filesystem::path path;
  double weight;
  bool held_out;
};

class PartialCorpus {
 public:
  // Makes the folder, or with options.resume goes on where there is a note: an Error where it is of
  // another build. A folder with a note is not thrown away without options.overwrite.
  PartialCorpus(const std::filesystem::path& out, const Tokenizer& tokenizer,
                const std::vector<CorpusInput>& files, const CorpusOptions& options);
  ~PartialCorpus();  // a folder without a note goes
  PartialCorpus(const PartialCorpus&) = delete;
  PartialCorpus& operator=(const PartialCorpus&) = delete;

  // Where the build is: the next file, and how many of its lines are done.
  struct Place {
    size_t file = 0;
    int64_t line = 0;
    int64_t lines = 0, dropped_lines = 0;  // of all files so far: not blank ones; those left out
    std::vector<CorpusSource> sources;     // the files before it
    bool json_lines[2] = {false, false};   // whether there were files of text, of JSON lines
    int64_t bytes_of_files_before() const;
  };
  Place& at() { return at_; }
  CorpusWriter& writer() { return *writer_; }
  SeenLines& lines() { return *lines_; }
  std::filesystem::path scratch(const char* name) const { return folder_ / name; }

  void sync();  // between two documents: from here it can be gone on
  CorpusInfo info() const;
  void finish(const CorpusInfo& info, const std::vector<bool>& dropped);
  void discard();  // removes the folder

 private:
  bool go_on();  // from the note, where there is one

  std::filesystem::path out_, folder_;
  std::string plan_;  // what the build is, as JSON
  const CorpusOptions& options_;
  bool readable_again_ = true;  // all files: standard input is not
  CorpusPlace written_;
  std::optional<FolderLock> lock_;
  std::optional<Temporary> temporary_;  // none: there is a note
  Place at_;
  std::unique_ptr<CorpusWriter> writer_;
  std::unique_ptr<SeenLines> lines_;
};

}  // namespace gradus
