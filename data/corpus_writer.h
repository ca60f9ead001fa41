// Writes a C.gds (corpus_file.h): what it is told lies in the files of a folder until finish() puts
// them together, so that memory does not grow with the corpus and a build may be interrupted.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "gradus/base/spool.h"
#include "gradus/data/corpus_file.h"

namespace gradus {

// How much of its folder's files a writer has written.
struct CorpusPlace {
  int64_t tokens = 0, sentences = 0, documents = 0;
};

class CorpusWriter {
 public:
  // Its files lie in a folder of its own beside `path`; without finish() nothing is left behind.
  CorpusWriter(const std::filesystem::path& path, const Tokenizer& tokenizer);
  // They lie in `folder`, which is the caller's; it goes on from what another one had synced there.
  CorpusWriter(const std::filesystem::path& path, const Tokenizer& tokenizer,
               const std::filesystem::path& folder, const CorpusPlace& kept);
  ~CorpusWriter();

  void add_sentence(std::span<const int32_t> ids);  // an empty one is dropped
  // a document without sentences is dropped
  void end_document(uint32_t file);
  CorpusPlace place() const;  // after end_document()
  void sync();                // all of it is on the disk

  // What was written; valid until more is. The split marks may be set.
  std::span<CorpusDocument> documents();
  TokenSpan tokens(int64_t document);

  // Writes the file. `dropped`: documents that are left out, by number; none: {}.
  void finish(const CorpusInfo& info, const std::vector<bool>& dropped = {});

 private:
  class File;
  struct OwnFolder;
  CorpusWriter(const std::filesystem::path& path, const Tokenizer& tokenizer,
               std::unique_ptr<OwnFolder> folder);
  void map();
  uint64_t first_sentence(int64_t document) const;  // these two also of one past the last
  uint64_t first_token(uint64_t sentence) const;

  std::filesystem::path path_;
  const Tokenizer& tokenizer_;
  size_t id_bytes_;
  std::unique_ptr<OwnFolder> own_folder_;
  SpoolFile ids_;
  Spool<uint64_t> sentences_;  // the first token of each
  Spool<CorpusDocument> documents_;
  int64_t tokens_, document_begin_;
  // where they lie, once they are read; none: more was written since
  struct Mapped {
    std::span<const char> ids;
    std::span<const uint64_t> sentences;
    std::span<CorpusDocument> documents;
  };
  std::optional<Mapped> mapped_;
};

}  // namespace gradus
