#include <fstream>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "tests/support.h"
#include "text/tokenizer.h"

using namespace gradus;
using namespace gradus::testing;
namespace fs = std::filesystem;

namespace {
Vocabulary small() { return Vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##aff", "##able", "want", "##want", "##ed", "wa", "runn", "##ing", ",", "é", "e", "low", "."}); }
}  // namespace

TEST_CASE("longest match first; what does not come out even is unknown as a whole") {
  const Tokenizer tokenizer(small());
  CHECK(tokenizer.encode("unwanted running").ids == std::vector<int32_t>{5, 9, 10, 12, 13});
  CHECK(tokenizer.encode("unwantedX running").ids == std::vector<int32_t>{1, 12, 13});
  CHECK(tokenizer.encode("").ids.empty());
}

TEST_CASE("offsets are code points of the original text") {
  const Tokenizer tokenizer(small());
  const Encoding encoding = tokenizer.encode("é, UNWANTÉD [MASK] zzé.");
  CHECK(encoding.ids == std::vector<int32_t>{16, 14, 5, 9, 10, 4, 1, 18});
  CHECK(encoding.offsets == std::vector<std::pair<int32_t, int32_t>>{{0, 1}, {1, 2}, {3, 5}, {5, 9}, {9, 11}, {12, 18}, {19, 22}, {22, 23}});
  CHECK(encoding.words == std::vector<int32_t>{0, 1, 2, 2, 2, 3, 4, 5});
  // A letter and its accent as two code points are one character of the piece.
  CHECK(tokenizer.encode("e\xCC\x81,").offsets == std::vector<std::pair<int32_t, int32_t>>{{0, 1}, {2, 3}});
  std::vector<int32_t> ids{7};
  tokenizer.append_ids("low.", ids);
  CHECK(ids == std::vector<int32_t>{7, 17, 18});
}

TEST_CASE("decode joins pieces and cleans up") {
  const Tokenizer tokenizer(small());
  CHECK(tokenizer.decode({2, 5, 9, 10, 14, 12, 13, 18, 3}) == "unwanted, running.");
  CHECK(tokenizer.decode({2, 5}, false) == "[CLS] un");
}

TEST_CASE("pairs: types, special mask, truncation; words given one by one") {
  const Tokenizer tokenizer(small());
  const Encoding first = tokenizer.encode("unwanted ["), second = tokenizer.encode("low [MASK]");
  const Sequence pair = tokenizer.sequence(first, second);
  CHECK(pair.ids == std::vector<int32_t>{2, 5, 9, 10, 1, 3, 17, 4, 3});
  CHECK(pair.types == std::vector<int32_t>{0, 0, 0, 0, 0, 0, 1, 1, 1});
  CHECK(pair.special == std::vector<uint8_t>{1, 0, 0, 0, 0, 1, 0, 0, 1});   // the [MASK] of the text is text
  CHECK(tokenizer.sequence(first, second, 6).ids == std::vector<int32_t>{2, 5, 9, 3, 17, 3});   // 4 and 2 to 3: the odd one to the longer
  CHECK(tokenizer.sequence(first, 4).ids == std::vector<int32_t>{2, 5, 9, 3});
  CHECK_MENTIONS(error_of([&] { tokenizer.sequence(first, second, 2); }), "max_length 2 is too short");
  CHECK(longest_first(8, 8, 7, TokenizerMode::hf) == std::pair<int64_t, int64_t>{3, 4});
  CHECK(longest_first(8, 8, 7, TokenizerMode::google) == std::pair<int64_t, int64_t>{4, 3});
  CHECK(longest_first(9, 2, 7, TokenizerMode::hf) == std::pair<int64_t, int64_t>{5, 2});
  CHECK(longest_first(9, 2, 7, TokenizerMode::google) == std::pair<int64_t, int64_t>{5, 2});
  CHECK(longest_first(3, 4, 7, TokenizerMode::hf) == std::pair<int64_t, int64_t>{3, 4});
  const Encoding words = tokenizer.encode_words({"unwanted", "\u200B", "low"});
  CHECK(words.words == std::vector<int32_t>{0, 0, 0, 2});
  CHECK(words.offsets == std::vector<std::pair<int32_t, int32_t>>{{0, 2}, {2, 6}, {6, 8}, {0, 3}});
}

TEST_CASE("a vocabulary: specials, duplicates, copies, errors") {
  const Scratch scratch;
  write_file(scratch / "v.txt", "[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\n[MASK]\r\na\r\nb\r\na\r\n");
  const Vocabulary vocabulary = Vocabulary::load(scratch / "v.txt");
  CHECK(vocabulary.find("a") == 7);   // the last of duplicates, as in every reference
  CHECK(vocabulary.mask() == 4);
  CHECK(vocabulary.is_special(3));
  CHECK_FALSE(vocabulary.is_special(5));
  Vocabulary copy = vocabulary;
  CHECK(copy.find("b") == 6);
  CHECK(copy.fingerprint() == vocabulary.fingerprint());
  CHECK_MENTIONS(error_of([&] { vocabulary.token(8); }), "no token 8; ids are 0..7");
  write_file(scratch / "gap.txt", "[PAD]\n\na\n");
  CHECK_MENTIONS(error_of([&] { Vocabulary::load(scratch / "gap.txt"); }), "gap.txt:2");
  write_file(scratch / "none.txt", "");
  CHECK_MENTIONS(error_of([&] { Vocabulary::load(scratch / "none.txt"); }), "empty");
  CHECK_MENTIONS(error_of([&] { Vocabulary({"a"}, "v.txt").require_special(); }), "v.txt: the vocabulary has no [PAD]");
  CHECK_MENTIONS(error_of([&] { Tokenizer(small()).encode("a\xff"); }), "UTF-8 at byte 2");
}

TEST_CASE("fingerprints tell vocabularies, casing and modes apart") {
  const Tokenizer a(small()), b(small(), {.lower_case = false}), c(small(), {.mode = TokenizerMode::google});
  CHECK(a.fingerprint() == Tokenizer(small()).fingerprint());
  CHECK(a.fingerprint() != b.fingerprint());
  CHECK(a.fingerprint() != c.fingerprint());
}

// Made by tests/fixtures/tokenizer_cases.py with the version of `tokenizers` that the file names.
TEST_CASE("the tokenizers package's ids and offsets, replayed") {
  const auto cases = nlohmann::json::parse(read_file(fs::path(GRADUS_SOURCE_ROOT) / "tests/fixtures/tokenizer_cases.json"));
  REQUIRE(cases["cases"].size() > 100);
  for (const bool lower : {true, false}) {
    const Tokenizer tokenizer(Vocabulary(cases["vocabulary"].get<std::vector<std::string>>()), {.lower_case = lower});
    for (const auto& c : cases["cases"]) {
      if (c["lower"] != lower) continue;
      const Encoding encoding = tokenizer.encode(c["text"].get<std::string>());
      CHECK_MESSAGE(encoding.ids == c["ids"].get<std::vector<int32_t>>(), c["text"].get<std::string>());
      CHECK_MESSAGE(nlohmann::json(encoding.offsets) == c["offsets"], c["text"].get<std::string>());
    }
  }
}

TEST_CASE("conformance cases of llama.cpp's BERT vocabulary") {
  const fs::path vocab = shared_data("bert-vocab/bert-base-uncased-vocab.txt"), folder = shared_data("tokenizer-fixtures/llamacpp-bert-bge");
  if (vocab.empty() || folder.empty()) return;
  const Tokenizer tokenizer(Vocabulary::load(vocab));
  fs::path inputs, outputs;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".inp") inputs = entry.path();
    if (entry.path().extension() == ".out") outputs = entry.path();
  }
  // Texts are separated by a line __ggml_vocab_test__; a line of ids each.
  const std::string text = read_file(inputs), mark = "\n__ggml_vocab_test__\n";
  std::ifstream lines(outputs);
  size_t at = 0, count = 0;
  for (std::string line; std::getline(lines, line) && at <= text.size(); ++count) {
    const size_t end = std::min(text.find(mark, at), text.size());
    std::istringstream numbers(line);
    std::vector<int32_t> expected;
    for (int32_t id; numbers >> id;)
      if (id != tokenizer.vocabulary().cls() && id != tokenizer.vocabulary().sep()) expected.push_back(id);
    CHECK_MESSAGE(tokenizer.encode(text.substr(at, end - at)).ids == expected, text.substr(at, end - at));
    at = end + mark.size();
  }
  CHECK(count > 40);
}
