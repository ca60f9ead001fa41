// C.gds: a corpus ready for training, one file that is mapped and never copied. It carries all that
// is needed to read it again: the vocabulary, casing and mode of its tokenizer and the fingerprint
// of them, which documents are held out, and the text files they came from.
//
//   header      CorpusHeader, 96 bytes; everything is little endian and begins at a multiple of 8
//   ids         uint16 [tokens]; uint32 where the vocabulary has 65,536 tokens or more
//   sentences   uint64 [sentences + 1]: the first token of each sentence, then the number of tokens
//   documents   CorpusDocument [documents + 1]: the first sentence of each document, then the
//               number of sentences
//   metadata    JSON
//
// Sentences and documents are never empty. Offsets are 64-bit. The checksum covers all that follows
// the header, in blocks of 1 MiB.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gradus/base/file.h"
#include "gradus/text/tokenizer.h"

namespace gradus {

enum class Split : uint32_t { train = 0, validation = 1 };
const char* name(Split split);

struct CorpusHeader {
  char magic[8];
  uint32_t version, id_bytes;
  uint64_t file_size, tokens, sentences, documents, metadata_bytes;
  uint64_t fingerprint;  // of the tokenizer
  uint64_t payload_checksum;
  uint64_t unused[2];
  uint64_t header_checksum;  // of the header's bytes before this one
};

struct CorpusDocument {
  uint64_t first_sentence;
  uint32_t file;  // a row of CorpusInfo::files
  Split split;
};

constexpr double most_weight = 1000;

struct CorpusSource {
  std::string path;
  int64_t bytes = 0;
  uint64_t hash = 0;  // hash_bytes of the file as it was
  double weight = 1;  // how often an epoch of training sees each of its documents, on average
};

// What the builder knew and the ids do not tell.
struct CorpusInfo {
  std::vector<CorpusSource> files;
  int64_t lines = 0, duplicate_lines = 0;  // lines that are not blank; those seen before
  // the rules that cut them (document_cutter.h)
  std::string documents, sentences;
  uint64_t seed = 0;  // that chose the held-out documents
  // what was left out on request: lines seen before, documents like one before
  int64_t dropped_lines = 0, dropped_documents = 0;
};

// Ids inside the mapped file; valid as long as the CorpusFile.
class TokenSpan {
 public:
  TokenSpan(const void* ids, int64_t size, bool wide) : ids_(ids), size_(size), wide_(wide) {}
  int64_t size() const { return size_; }
  int32_t operator[](int64_t i) const {
    return wide_ ? static_cast<int32_t>(static_cast<const uint32_t*>(ids_)[i])
                 : static_cast<const uint16_t*>(ids_)[i];
  }
  void append_to(std::vector<int32_t>& out) const {
    for (int64_t i = 0; i < size_; ++i) out.push_back((*this)[i]);
  }

 private:
  const void* ids_;
  int64_t size_;
  bool wide_;
};

// How C.gds is laid out, for its reader and its writer.
namespace corpus_format {
constexpr char magic[8] = {'G', 'R', 'A', 'D', 'U', 'S', 'D', 'S'};
constexpr uint32_t version = 1;
constexpr size_t block_bytes = size_t{1} << 20;
constexpr int32_t narrow_vocabulary = 65536;  // ids below it fit in two bytes

constexpr uint64_t aligned(uint64_t bytes) { return (bytes + 7) / 8 * 8; }
uint64_t header_hash(const CorpusHeader& header);
uint64_t hash_of_hashes(const std::vector<uint64_t>& hashes);
}  // namespace corpus_format

class CorpusFile {
 public:
  // Maps the file and checks all of it: header, checksum, every offset, every id. A file that is
  // cut off, damaged, hostile or of another version is one Error. No size that the file merely
  // claims is believed.
  static CorpusFile open(const std::filesystem::path& path);

  std::span<const int64_t> documents(Split split) const {
    return split_documents_[static_cast<size_t>(split)];
  }  // their numbers, ascending
  int64_t document_count() const { return static_cast<int64_t>(header_->documents); }
  int64_t sentence_count() const { return static_cast<int64_t>(header_->sentences); }
  int64_t token_count() const { return static_cast<int64_t>(header_->tokens); }

  const CorpusDocument& document(int64_t d) const { return documents_[d]; }
  int64_t first_sentence(int64_t document) const {
    return static_cast<int64_t>(documents_[document].first_sentence);
  }  // also of document_count()
  // also of sentence_count()
  int64_t first_token(int64_t sentence) const { return static_cast<int64_t>(sentences_[sentence]); }
  TokenSpan tokens(int64_t begin, int64_t end) const;
  TokenSpan sentence(int64_t s) const { return tokens(first_token(s), first_token(s + 1)); }
  TokenSpan tokens_of(int64_t document) const {
    return tokens(first_token(first_sentence(document)), first_token(first_sentence(document + 1)));
  }

  const Tokenizer& tokenizer() const { return *tokenizer_; }
  const Vocabulary& vocabulary() const { return tokenizer_->vocabulary(); }
  const CorpusInfo& info() const { return info_; }
  const std::filesystem::path& path() const { return path_; }
  uint64_t checksum() const { return header_->payload_checksum; }  // of all that it holds

  // An Error, naming both, unless `other` gives the same ids for every text. `owner` is whose
  // tokenizer it is: "the model runs/tiny".
  void require_matches(const Tokenizer& other, const std::string& owner) const;

 private:
  explicit CorpusFile(const std::filesystem::path& path);
  void check_header();
  void check_payload() const;
  void check_index() const;
  void read_metadata();

  std::filesystem::path path_;
  MappedFile file_;
  const CorpusHeader* header_ = nullptr;
  const char* ids_ = nullptr;
  const uint64_t* sentences_ = nullptr;
  const CorpusDocument* documents_ = nullptr;
  std::string_view metadata_;
  std::vector<int64_t> split_documents_[2];
  std::unique_ptr<const Tokenizer> tokenizer_;
  CorpusInfo info_;
};

}  // namespace gradus
