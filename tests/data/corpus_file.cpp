#include "gradus/data/corpus_file.h"

#include <cstring>

#include "tests/data/corpora.h"

namespace gradus {
namespace {

using testing::error_of;
using testing::Scratch;

std::string error_of_file(const std::filesystem::path& path, const std::string& bytes) {
  write_file(path, bytes);
  return error_of([&] { CorpusFile::open(path); });
}

CorpusHeader header_of(const std::string& bytes) {
  CorpusHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  return header;
}

// Makes both checksums right again after a change, as someone would who wants to be believed. For
// files below one block.
std::string resealed(std::string bytes, CorpusHeader header) {
  const uint64_t block = hash_bytes(bytes.data() + sizeof(header), bytes.size() - sizeof(header));
  header.payload_checksum = hash_bytes(&block, sizeof(block));
  header.header_checksum = hash_bytes(&header, offsetof(CorpusHeader, header_checksum));
  std::memcpy(bytes.data(), &header, sizeof(header));
  return bytes;
}

TEST_CASE("a corpus file gives back what was written") {
  const Scratch scratch;
  for (const int words : {100, 65531}) {  // ids of two bytes and of four
    const Tokenizer tokenizer(testing::numbered_vocabulary(words),
                              {.lower_case = false, .mode = TokenizerMode::google});
    const int32_t last = 4 + words;
    {
      CorpusWriter writer(scratch / "c.gds", tokenizer);
      writer.add_sentence(std::vector<int32_t>{5, 6, 7});
      writer.add_sentence(std::vector<int32_t>{});
      writer.add_sentence(std::vector<int32_t>{8});
      writer.end_document(0);
      writer.end_document(0);  // empty: dropped
      writer.add_sentence(std::vector<int32_t>{9, last});
      writer.end_document(1);
      writer.documents()[1].split = Split::validation;
      writer.finish({.files = {{"a", 1, 2}, {"b", 3, ~0ull}},
                     .lines = 4,
                     .duplicate_lines = 1,
                     .documents = "blank",
                     .sentences = "split",
                     .seed = 9});
    }
    const CorpusFile corpus = CorpusFile::open(scratch / "c.gds");
    CHECK(corpus.document_count() == 2);
    CHECK(corpus.sentence_count() == 3);
    CHECK(corpus.token_count() == 6);
    REQUIRE(corpus.documents(Split::train).size() == 1);
    REQUIRE(corpus.documents(Split::validation).size() == 1);
    CHECK(corpus.documents(Split::validation)[0] == 1);
    CHECK(corpus.first_sentence(1) == 2);
    CHECK(corpus.document(1).file == 1);
    std::vector<int32_t> ids;
    for (int64_t s = 0; s < 3; ++s) corpus.sentence(s).append_to(ids);
    CHECK(ids == std::vector<int32_t>{5, 6, 7, 8, 9, last});
    CHECK(corpus.vocabulary().tokens() == tokenizer.vocabulary().tokens());
    CHECK_FALSE(corpus.tokenizer().options().lower_case);
    CHECK(corpus.tokenizer().options().mode == TokenizerMode::google);
    CHECK(corpus.info().files[1].hash == ~0ull);
    CHECK(corpus.info().seed == 9);
    corpus.require_matches(tokenizer, "the model");
    const auto text = error_of([&] {
      corpus.require_matches(Tokenizer(testing::numbered_vocabulary(50)), "the model runs/tiny");
    });
    CHECK_MENTIONS(text, "runs/tiny");
    CHECK_MENTIONS(text, "55 tokens");
    CHECK_MENTIONS(text, "lower-cased");
  }
}

TEST_CASE("a damaged corpus file is one clear error") {
  const Scratch scratch;
  const auto path = scratch / "c.gds";
  testing::write_numbered_corpus(path, 3, 4, 6, 40);
  const std::string good = read_file(path);
  const CorpusHeader header = header_of(good);

  CHECK_MENTIONS(error_of_file(path, ""), "not a Gradus corpus");
  CHECK_MENTIONS(error_of_file(path, "PK and other things"), "not a Gradus corpus");
  CHECK_MENTIONS(error_of([&] { CorpusFile::open(scratch / "none.gds"); }), "none.gds");
  CHECK_MENTIONS(error_of_file(path, good.substr(0, good.size() - 1)), "cut off");
  CHECK_MENTIONS(error_of_file(path, good + " "), "added to");
  for (size_t size = 0; size < good.size(); size += 7)
    CHECK_MENTIONS(error_of_file(path, good.substr(0, size)), "c.gds");
  for (size_t i = 0; i < good.size(); i += 3) {  // no byte can change unseen
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    CHECK_MENTIONS(error_of_file(path, bad), "c.gds");
  }

  auto other = header;
  other.version = 2;
  CHECK_MENTIONS(error_of_file(path, resealed(good, other)), "version 2");
  for (const uint64_t hostile :
       {uint64_t{1} << 62, ~uint64_t{0}, ~uint64_t{0} / 2 - 40, header.tokens + 4}) {
    other = header;
    other.tokens = hostile;
    CHECK_MENTIONS(error_of_file(path, resealed(good, other)), "do not fit");
    other = header;
    other.sentences = hostile;
    CHECK_MENTIONS(error_of_file(path, resealed(good, other)), "do not fit");
    other = header;
    other.documents = hostile;
    CHECK_MENTIONS(error_of_file(path, resealed(good, other)), "do not fit");
    other = header;
    other.metadata_bytes = hostile;
    CHECK_MENTIONS(error_of_file(path, resealed(good, other)), "do not fit");
  }
  other = header;
  other.fingerprint += 1;
  CHECK_MENTIONS(error_of_file(path, resealed(good, other)), "other tokenizer rules");

  const size_t sentences = sizeof(CorpusHeader) + (header.tokens * 2 + 7) / 8 * 8,
               documents = sentences + (header.sentences + 1) * 8;
  const auto with = [&](size_t at, auto value) {
    std::string bad = good;
    std::memcpy(bad.data() + at, &value, sizeof(value));
    return error_of_file(path, resealed(bad, header));
  };
  CHECK_MENTIONS(with(sentences + 8, header.tokens + 1), "sentence");
  CHECK_MENTIONS(with(sentences + 8, uint64_t{0}), "sentence");
  CHECK_MENTIONS(with(sentences + 8 * header.sentences, ~uint64_t{0}), "sentence");
  CHECK_MENTIONS(with(documents + 16, uint64_t{1} << 40), "document");
  CHECK_MENTIONS(with(documents + 8, uint32_t{7}), "names no file");
  CHECK_MENTIONS(with(documents + 12, uint32_t{2}), "no split");
  CHECK_MENTIONS(with(sizeof(CorpusHeader) + 2, uint16_t{45}), "the vocabulary has 45");
  CHECK_MENTIONS(with(good.size() - 1, ' '), "metadata is damaged");
}

TEST_CASE("an unfinished corpus file leaves nothing behind") {
  const Scratch scratch;
  const Tokenizer tokenizer(testing::numbered_vocabulary(10));
  { CorpusWriter writer(scratch / "c.gds", tokenizer); }
  CHECK(std::filesystem::is_empty(scratch.path()));
}

}  // namespace
}  // namespace gradus
