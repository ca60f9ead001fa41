#include "gradus/data/corpus_file.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>

#include "gradus/base/error.h"
#include "gradus/base/json.h"
#include "gradus/base/parallel.h"

namespace gradus {

uint64_t corpus_format::header_hash(const CorpusHeader& header) {
  return hash_bytes(&header, offsetof(CorpusHeader, header_checksum));
}
uint64_t corpus_format::hash_of_hashes(const std::vector<uint64_t>& hashes) {
  return hash_bytes(hashes.data(), hashes.size() * sizeof(uint64_t));
}

namespace {

using namespace corpus_format;
static_assert(std::endian::native == std::endian::little, "C.gds is mapped as it lies in the file");
static_assert(sizeof(CorpusHeader) == 96 && sizeof(CorpusDocument) == 16);

std::string describe(const Tokenizer& tokenizer) {
  return fmt::format(
      "{}: {} tokens, {}, mode {}, fingerprint {:016x}", tokenizer.vocabulary().origin(),
      tokenizer.vocabulary().size(), tokenizer.options().lower_case ? "lower-cased" : "cased",
      tokenizer.options().mode == TokenizerMode::hf ? "hf" : "google", tokenizer.fingerprint());
}

}  // namespace

const char* name(Split split) { return split == Split::train ? "train" : "validation"; }

// ---- reading

CorpusFile CorpusFile::open(const std::filesystem::path& path) {
  CorpusFile corpus(path);
  corpus.check_header();

  const CorpusHeader& header = *corpus.header_;
  corpus.ids_ = corpus.file_.data() + sizeof(CorpusHeader);
  const char* at = corpus.ids_ + aligned(header.tokens * header.id_bytes);
  corpus.sentences_ = reinterpret_cast<const uint64_t*>(at);
  at += (header.sentences + 1) * sizeof(uint64_t);
  corpus.documents_ = reinterpret_cast<const CorpusDocument*>(at);
  at += (header.documents + 1) * sizeof(CorpusDocument);
  corpus.metadata_ = {at, header.metadata_bytes};

  corpus.check_payload();
  corpus.check_index();
  corpus.read_metadata();
  return corpus;
}

CorpusFile::CorpusFile(const std::filesystem::path& path) : path_(path), file_(path) {}

void CorpusFile::check_header() {
  const std::string file = path_.string();
  check(file_.size() >= sizeof(magic) && !std::memcmp(file_.data(), magic, sizeof(magic)),
        "{}: this is not a Gradus corpus; make one with build_corpus()", file);
  check(file_.size() >= sizeof(CorpusHeader),
        "{}: the file is cut off after {} bytes, inside its header; build it again", file,
        file_.size());
  header_ = reinterpret_cast<const CorpusHeader*>(file_.data());
  const CorpusHeader& h = *header_;
  check(h.version == version,
        "{}: it is of format version {}, and this program reads version {}; build it again", file,
        h.version, version);
  check(h.header_checksum == header_hash(h),
        "{}: the header is damaged (its checksum does not match); build it again", file);
  check(h.file_size == file_.size(),
        "{}: the file has {} bytes and its header says {}: it was cut off or added to; build it "
        "again",
        file, file_.size(), h.file_size);
  // Each count is bounded by the file's real size first, so that the sums below cannot overflow.
  const uint64_t size = file_.size();
  const bool counts_fit = (h.id_bytes == 2 || h.id_bytes == 4) && h.tokens <= size &&
                          h.sentences <= size / 8 && h.documents <= size / 16 &&
                          h.metadata_bytes <= size;
  check(counts_fit && sizeof(CorpusHeader) + aligned(h.tokens * h.id_bytes) +
                              (h.sentences + 1) * 8 + (h.documents + 1) * 16 + h.metadata_bytes ==
                          size,
        "{}: the header's counts ({} tokens, {} sentences, {} documents) do not fit a file of {} "
        "bytes; build it again",
        file, h.tokens, h.sentences, h.documents, size);
}

void CorpusFile::check_payload() const {
  const auto size = static_cast<int64_t>(file_.size() - sizeof(CorpusHeader)),
             grain = static_cast<int64_t>(block_bytes);
  std::vector<uint64_t> hashes(static_cast<size_t>((size + grain - 1) / grain));
  parallel_for(size, grain, [&](int64_t begin, int64_t end) {
    hashes[static_cast<size_t>(begin / grain)] =
        hash_bytes(ids_ + begin, static_cast<size_t>(end - begin));
  });
  check(hash_of_hashes(hashes) == header_->payload_checksum,
        "{}: the content is damaged (its checksum does not match); build it again", path_.string());
}

void CorpusFile::check_index() const {
  const uint64_t tokens = header_->tokens, sentences = header_->sentences;
  const auto fail_at = [&](const char* what, uint64_t i) {
    fail("{}: the offset of {} {} is out of order; build the corpus again", path_.string(), what,
         i);
  };
  if (sentences_[0] != 0 || sentences_[sentences] != tokens) fail_at("sentence", sentences);
  for (uint64_t s = 0; s < sentences; ++s)
    if (sentences_[s] >= sentences_[s + 1]) fail_at("sentence", s);
  if (documents_[0].first_sentence != 0 ||
      documents_[header_->documents].first_sentence != sentences)
    fail_at("document", header_->documents);
  for (uint64_t d = 0; d < header_->documents; ++d)
    if (documents_[d].first_sentence >= documents_[d + 1].first_sentence) fail_at("document", d);
}

void CorpusFile::read_metadata() {
  const std::string file = path_.string();
  try {
    const auto json = parse_json(metadata_);
    // members that older files lack
    const auto optional = [](const nlohmann::json& object, const char* key, auto otherwise) {
      return object.contains(key) ? object.at(key).get<decltype(otherwise)>() : otherwise;
    };
    for (const auto& source : json.at("files"))
      info_.files.push_back({source.at("path").get<std::string>(),
                             source.at("bytes").get<int64_t>(), source.at("hash").get<uint64_t>(),
                             optional(source, "weight", 1.0)});
    info_.lines = json.at("lines").get<int64_t>();
    info_.duplicate_lines = json.at("duplicate_lines").get<int64_t>();
    info_.documents = json.at("documents").get<std::string>();
    info_.sentences = json.at("sentences").get<std::string>();
    info_.seed = json.at("seed").get<uint64_t>();
    info_.dropped_lines = optional(json, "dropped_lines", int64_t{0});
    info_.dropped_documents = optional(json, "dropped_documents", int64_t{0});
    for (const CorpusSource& source : info_.files)
      check(source.weight > 0 && source.weight <= most_weight,
            "{}: the weight {} of {} is out of range; build the corpus again", file, source.weight,
            source.path);
    const auto mode = json.at("mode").get<std::string>();
    check(mode == "hf" || mode == "google",
          "{}: the tokenizer mode '{}' is unknown; it would be hf or google", file, mode);
    tokenizer_ = std::make_unique<const Tokenizer>(
        Vocabulary(json.at("vocabulary").get<std::vector<std::string>>(), file),
        TokenizerOptions{.lower_case = json.at("lower_case").get<bool>(),
                         .mode = mode == "hf" ? TokenizerMode::hf : TokenizerMode::google});
  } catch (const nlohmann::json::exception& error) {
    fail("{}: the metadata is damaged ({}); build the corpus again", file, error.what());
  }
  vocabulary().require_special();
  check(tokenizer_->fingerprint() == header_->fingerprint,
        "{}: its ids were made by other tokenizer rules (fingerprint {:016x}, of this program "
        "{:016x}); build it again",
        file, header_->fingerprint, tokenizer_->fingerprint());

  const int32_t vocabulary_size = vocabulary().size();
  parallel_for(token_count(), int64_t{1} << 20, [&](int64_t begin, int64_t end) {
    const TokenSpan ids = tokens(begin, end);
    for (int64_t i = 0; i < ids.size(); ++i)
      if (ids[i] < 0 || ids[i] >= vocabulary_size) [[unlikely]]
        fail("{}: token {} has the id {}, and the vocabulary has {}; build the corpus again", file,
             begin + i, ids[i], vocabulary_size);
  });
  for (int64_t d = 0; d < document_count(); ++d) {
    const CorpusDocument& document = documents_[d];
    check(document.file < info_.files.size() && document.split <= Split::validation,
          "{}: document {} names no file or no split; build the corpus again", file, d);
    split_documents_[static_cast<size_t>(document.split)].push_back(d);
  }
}

TokenSpan CorpusFile::tokens(int64_t begin, int64_t end) const {
  return {ids_ + static_cast<uint64_t>(begin) * header_->id_bytes, end - begin,
          header_->id_bytes == 4};
}

void CorpusFile::require_matches(const Tokenizer& other, const std::string& owner) const {
  if (other.fingerprint() == tokenizer_->fingerprint()) return;
  fail(
      "{} was built with another tokenizer ({}) than {} has ({}); build the corpus with that "
      "vocabulary and casing, by build_corpus()",
      path_.string(), describe(*tokenizer_), owner, describe(other));
}

}  // namespace gradus
