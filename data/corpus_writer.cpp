#include "gradus/data/corpus_writer.h"

#include <cstring>

#include "gradus/base/error.h"
#include "gradus/base/json.h"
#include "gradus/base/temporary.h"

namespace gradus {
namespace fs = std::filesystem;
using namespace corpus_format;

namespace {

std::string metadata(const CorpusInfo& info, const Tokenizer& tokenizer) {
  auto files = nlohmann::json::array();
  for (const auto& source : info.files) {
    files.push_back({{"path", source.path}, {"bytes", source.bytes}, {"hash", source.hash}});
    if (source.weight != 1) files.back()["weight"] = source.weight;
  }
  nlohmann::json json{{"vocabulary", tokenizer.vocabulary().tokens()},
                      {"lower_case", tokenizer.options().lower_case},
                      {"mode", tokenizer.options().mode == TokenizerMode::hf ? "hf" : "google"},
                      {"files", files},
                      {"lines", info.lines},
                      {"duplicate_lines", info.duplicate_lines},
                      {"documents", info.documents},
                      {"sentences", info.sentences},
                      {"seed", info.seed}};
  if (info.dropped_lines) json["dropped_lines"] = info.dropped_lines;
  if (info.dropped_documents) json["dropped_documents"] = info.dropped_documents;
  return json.dump();
}

}  // namespace

struct CorpusWriter::OwnFolder {
  explicit OwnFolder(const fs::path& name) : path(name), temporary(name) {
    std::error_code error;
    fs::create_directory(name, error);
    check(!error, "cannot write {}: {}", name.string(), error.message());
  }
  fs::path path;
  Temporary temporary;
};

// The file itself, front to back, with the checksums of its blocks.
class CorpusWriter::File {
 public:
  explicit File(const fs::path& path) : file_(path) {
    // its place; finish() writes it again when the counts are known
    file_.write(&header, sizeof(header));
    block_.reserve(block_bytes);
  }

  CorpusHeader header{};

  void write(const void* bytes, size_t size) {
    for (const auto* at = static_cast<const char*>(bytes); size;) {
      const size_t part = std::min(size, block_bytes - block_.size());
      block_.append(at, part);
      at += part;
      size -= part;
      if (block_.size() == block_bytes) flush();
    }
  }
  template <class T>
  void write(const T& value) {
    write(&value, sizeof(value));
  }
  void align() {
    constexpr uint64_t zero = 0;
    const uint64_t position = file_.position() + block_.size();
    write(&zero, aligned(position) - position);
  }
  void finish() {
    flush();
    header.file_size = file_.position();
    header.payload_checksum = hash_of_hashes(block_hashes_);
    header.header_checksum = header_hash(header);
    file_.seek(0);
    file_.write(&header, sizeof(header));
    file_.commit();
  }

 private:
  void flush() {
    if (block_.empty()) return;
    block_hashes_.push_back(hash_bytes(block_));
    file_.write(block_);
    block_.clear();
  }

  FileWriter file_;
  std::string block_;  // not yet hashed and written
  std::vector<uint64_t> block_hashes_;
};

CorpusWriter::CorpusWriter(const fs::path& path, const Tokenizer& tokenizer)
    : CorpusWriter(path, tokenizer, std::make_unique<OwnFolder>(temporary_beside(path))) {}

CorpusWriter::CorpusWriter(const fs::path& path, const Tokenizer& tokenizer,
                           std::unique_ptr<OwnFolder> folder)
    : CorpusWriter(path, tokenizer, folder->path, {}) {
  own_folder_ = std::move(folder);
}

CorpusWriter::CorpusWriter(const fs::path& path, const Tokenizer& tokenizer, const fs::path& folder,
                           const CorpusPlace& kept)
    : path_(path),
      tokenizer_(tokenizer),
      id_bytes_(tokenizer.vocabulary().size() < narrow_vocabulary ? 2 : 4),
      ids_(folder / "ids", kept.tokens * static_cast<int64_t>(id_bytes_)),
      sentences_(folder / "sentences", kept.sentences),
      documents_(folder / "documents", kept.documents),
      tokens_(kept.tokens),
      document_begin_(kept.sentences) {}

CorpusWriter::~CorpusWriter() = default;

void CorpusWriter::add_sentence(std::span<const int32_t> ids) {
  if (ids.empty()) return;
  mapped_.reset();
  sentences_.push_back(static_cast<uint64_t>(tokens_));
  tokens_ += static_cast<int64_t>(ids.size());
  if (id_bytes_ == 4) return ids_.append(ids.data(), ids.size_bytes());
  for (const int32_t id : ids) {
    const auto narrow = static_cast<uint16_t>(id);
    ids_.append(&narrow, sizeof(narrow));
  }
}

void CorpusWriter::end_document(uint32_t file) {
  if (sentences_.size() == document_begin_) return;
  documents_.push_back({static_cast<uint64_t>(document_begin_), file, Split::train});
  document_begin_ = sentences_.size();
  mapped_.reset();
}

CorpusPlace CorpusWriter::place() const { return {tokens_, document_begin_, documents_.size()}; }

void CorpusWriter::sync() {
  ids_.sync();
  sentences_.sync();
  documents_.sync();
}

void CorpusWriter::map() {
  if (!mapped_) mapped_ = {ids_.map(), sentences_.map(), documents_.map()};
}

std::span<CorpusDocument> CorpusWriter::documents() {
  map();
  return mapped_->documents;
}

uint64_t CorpusWriter::first_sentence(int64_t document) const {
  return document < std::ssize(mapped_->documents)
             ? mapped_->documents[static_cast<size_t>(document)].first_sentence
             : static_cast<uint64_t>(document_begin_);
}

uint64_t CorpusWriter::first_token(uint64_t sentence) const {
  return sentence < mapped_->sentences.size() ? mapped_->sentences[sentence]
                                              : static_cast<uint64_t>(tokens_);
}

TokenSpan CorpusWriter::tokens(int64_t document) {
  map();
  const uint64_t begin = first_token(first_sentence(document)),
                 end = first_token(first_sentence(document + 1));
  return {mapped_->ids.data() + begin * id_bytes_, static_cast<int64_t>(end - begin),
          id_bytes_ == 4};
}

void CorpusWriter::finish(const CorpusInfo& info, const std::vector<bool>& dropped) {
  map();
  File file(path_);
  CorpusHeader& header = file.header;
  std::memcpy(header.magic, magic, sizeof(magic));
  header.version = version;
  header.id_bytes = static_cast<uint32_t>(id_bytes_);
  header.fingerprint = tokenizer_.fingerprint();
  const auto for_each_kept = [&](auto&& f) {
    for (int64_t d = 0; d < std::ssize(mapped_->documents); ++d)
      if (dropped.empty() || !dropped[static_cast<size_t>(d)]) f(d);
  };
  for_each_kept([&](int64_t d) {
    const uint64_t begin = first_token(first_sentence(d)), end = first_token(first_sentence(d + 1));
    file.write(mapped_->ids.data() + begin * id_bytes_, (end - begin) * id_bytes_);
    header.tokens += end - begin;
  });
  file.align();
  uint64_t moved = 0;  // by how many tokens, those of the documents left out
  uint64_t before = 0;
  for_each_kept([&](int64_t d) {
    const uint64_t first = first_sentence(d), last = first_sentence(d + 1);
    moved += first_token(first) - before;
    for (uint64_t s = first; s < last; ++s) file.write(first_token(s) - moved);
    before = first_token(last);
    header.sentences += last - first;
  });
  file.write(header.tokens);
  uint64_t sentence = 0;
  for_each_kept([&](int64_t d) {
    CorpusDocument document = mapped_->documents[static_cast<size_t>(d)];
    document.first_sentence = sentence;
    file.write(document);
    sentence += first_sentence(d + 1) - first_sentence(d);
    ++header.documents;
  });
  file.write(CorpusDocument{sentence, 0, Split::train});
  const std::string json = metadata(info, tokenizer_);
  header.metadata_bytes = json.size();
  file.write(json.data(), json.size());
  file.finish();
}

}  // namespace gradus
