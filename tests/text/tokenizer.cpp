#include "gradus/text/tokenizer.h"
#include "gradus/base/file.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {
Vocabulary small() {
  return Vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##aff", "##able", "want",
                     "##want", "##ed", "wa", "runn", "##ing", ",", "é", "e", "low", "."});
}
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
  CHECK(encoding.offsets ==
        std::vector<std::pair<int32_t, int32_t>>{
            {0, 1}, {1, 2}, {3, 5}, {5, 9}, {9, 11}, {12, 18}, {19, 22}, {22, 23}});
  CHECK(encoding.words == std::vector<int32_t>{0, 1, 2, 2, 2, 3, 4, 5});
  // A letter and its accent as two code points are one character of the piece.
  CHECK(tokenizer.encode("e\xCC\x81,").offsets ==
        std::vector<std::pair<int32_t, int32_t>>{{0, 1}, {2, 3}});
  std::vector<int32_t> ids{7};
  tokenizer.append_ids("low.", ids);
  CHECK(ids == std::vector<int32_t>{7, 17, 18});
}

TEST_CASE("decode joins pieces and cleans up") {
  const Tokenizer tokenizer(small());
  CHECK(tokenizer.decode({2, 5, 9, 10, 14, 12, 13, 18, 3}) == "unwanted, running.");
  CHECK(tokenizer.decode({2, 5}, false) == "[CLS] un");
}

TEST_CASE("words given one by one") {
  const Encoding words = Tokenizer(small()).encode_words({"unwanted", "\u200B", "low"});
  CHECK(words.words == std::vector<int32_t>{0, 0, 0, 2});
  CHECK(words.offsets == std::vector<std::pair<int32_t, int32_t>>{{0, 2}, {2, 6}, {6, 8}, {0, 3}});
}

TEST_CASE("a vocabulary: specials, duplicates, copies, errors") {
  const Scratch scratch;
  write_file(scratch / "v.txt", "[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\n[MASK]\r\na\r\nb\r\na\r\n");
  const Vocabulary vocabulary = Vocabulary::load(scratch / "v.txt");
  CHECK(vocabulary.find("a") == 7);  // the last of duplicates, as in every reference
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
  CHECK_MENTIONS(error_of([&] { Vocabulary({"a"}, "v.txt").require_special(); }),
                 "v.txt: the vocabulary has no [PAD]");
  CHECK_MENTIONS(error_of([&] { Tokenizer(small()).encode("a\xff"); }), "UTF-8 at byte 2");
}

TEST_CASE("fingerprints tell vocabularies, casing and modes apart") {
  const Tokenizer a(small()), b(small(), {.lower_case = false}),
      c(small(), {.mode = TokenizerMode::google});
  CHECK(a.fingerprint() == Tokenizer(small()).fingerprint());
  CHECK(a.fingerprint() != b.fingerprint());
  CHECK(a.fingerprint() != c.fingerprint());
}
