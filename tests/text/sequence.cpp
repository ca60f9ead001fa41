#include "gradus/text/sequence.h"

#include "gradus/text/tokenizer.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {
using Ids = std::vector<int32_t>;
Tokenizer small(TokenizerOptions options = {}) {
  return Tokenizer(Vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##want", "##ed",
                               "low", "a", "b", "c", "d", "e"}),
                   options);
}
std::vector<Ids> ids(const std::vector<Sequence>& sequences) {
  std::vector<Ids> all;
  for (const Sequence& s : sequences) all.push_back(s.ids);
  return all;
}
}  // namespace

TEST_CASE("pairs: types, special mask, words, truncation") {
  const Tokenizer tokenizer = small();
  const Encoding first = tokenizer.encode("unwanted ["), second = tokenizer.encode("low [MASK]");
  const Sequence pair = tokenizer.sequence(first, second);
  CHECK(pair.ids == Ids{2, 5, 6, 7, 1, 3, 8, 4, 3});
  CHECK(pair.types == Ids{0, 0, 0, 0, 0, 0, 1, 1, 1});
  // the [MASK] of the text is text
  CHECK(pair.special == std::vector<uint8_t>{1, 0, 0, 0, 0, 1, 0, 0, 1});
  CHECK(pair.words == Ids{-1, 0, 0, 0, 1, -1, 0, 1, -1});
  // 4 and 2 to 3: the odd one to the longer
  CHECK(tokenizer.sequence(first, second, 6).ids == Ids{2, 5, 6, 3, 8, 3});
  CHECK(tokenizer.sequence(first, 4).ids == Ids{2, 5, 6, 3});
  CHECK(tokenizer.sequence(first, Encoding{}).ids == Ids{2, 5, 6, 7, 1, 3, 3});
  CHECK_MENTIONS(error_of([&] { tokenizer.sequence(first, second, 2); }),
                 "max_length 2 is too short");
}

TEST_CASE(
    "the odd token of two equally long texts: hf gives it to the second, google to the first") {
  const Encoding first = small().encode("a b c d"), second = small().encode("b c d e");
  CHECK(small().sequence(first, second, 8).ids == Ids{2, 9, 10, 3, 10, 11, 12, 3});
  CHECK(small({.mode = TokenizerMode::google}).sequence(first, second, 8).ids ==
        Ids{2, 9, 10, 11, 3, 10, 11, 3});
  CHECK(longest_first(8, 8, 7, TokenizerMode::hf) == std::pair<int64_t, int64_t>{3, 4});
  CHECK(longest_first(9, 2, 7, TokenizerMode::hf) == std::pair<int64_t, int64_t>{5, 2});
  CHECK(longest_first(3, 4, 7, TokenizerMode::hf) == std::pair<int64_t, int64_t>{3, 4});
}

TEST_CASE("windows share their stride; only the text that is asked for is cut") {
  const Tokenizer tokenizer = small();
  const Encoding question = tokenizer.encode("low a"), text = tokenizer.encode("a b c d e");
  CHECK(ids(tokenizer.windows(question, text, 8, 1, Truncation::only_second)) ==
        std::vector<Ids>{{2, 8, 9, 3, 9, 10, 11, 3}, {2, 8, 9, 3, 11, 12, 13, 3}});
  CHECK(ids(tokenizer.windows(text, 5, 2)) ==
        std::vector<Ids>{{2, 9, 10, 11, 3}, {2, 10, 11, 12, 3}, {2, 11, 12, 13, 3}});
  CHECK(tokenizer.windows(text, 0, 2).size() == 1);
  CHECK(tokenizer.sequence(question, text, 8, Truncation::only_second).ids ==
        Ids{2, 8, 9, 3, 9, 10, 11, 3});
  CHECK_MENTIONS(error_of([&] { tokenizer.sequence(question, text, 8, Truncation::only_first); }),
                 "2 and 5 tokens");
  CHECK_MENTIONS(error_of([&] { tokenizer.windows(text, 5, 3); }),
                 "stride 3 is too long: a window has only 3");
  CHECK_MENTIONS(error_of([&] { tokenizer.windows(text, 5, -1); }), "stride is -1");
  CHECK_MENTIONS(error_of([&] {
                   tokenizer.join(text, {2, 6});
                 }),
                 "tokens 2 to 6 are not a part of a text of 5");
  CHECK_MENTIONS(error_of([&] { window_ranges(10, 4, 0); }), "never reach the end");
}
