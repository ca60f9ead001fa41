#include "gradus/text/tokenizer.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {
// Every character of the tests is a token, so that what comes out shows the words as they were
// normalised.
std::string words(const std::string& text, TokenizerOptions options = {}) {
  static const Vocabulary letters = [] {
    std::vector<std::string> tokens{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    for (const char* c :
         {"a",      "b",      "c",          "e",          "i",          "o",      "s",
          "σ",      "ς",      "δ",          "ο",          "\u09FD",     "\u07FD", "\U0002B820",
          "\u302E", "\u0323", "\U0001D165", "\U0001D15F", "\U0001D158", "й",      "А",
          "а",      "É",      "é",          "力",         "北",         "!",      ".",
          ",",      "$",      "€",          "×",          "[",          "]",      "x",
          "y",      "k",      "m",          "‐",          "H",          "h"}) {
      tokens.emplace_back(c);
      tokens.push_back(std::string("##") + c);
    }
    return Vocabulary(tokens);
  }();
  const Tokenizer tokenizer(letters, options);
  std::string out;
  int32_t last = -1;
  const Encoding encoding = tokenizer.encode(text);
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    const std::string& token = letters.token(encoding.ids[i]);
    if (i && encoding.words[i] != last) out += ' ';
    last = encoding.words[i];
    out += token.starts_with("##") ? token.substr(2) : token;
  }
  return out;
}
constexpr TokenizerOptions cased{.lower_case = false}, google{.mode = TokenizerMode::google},
    google_cased{.lower_case = false, .mode = TokenizerMode::google};
}  // namespace

TEST_CASE("case and accents") {
  CHECK(words("H\xC3\x89 é") == "he e");
  CHECK(words("H\xC3\x89 é", cased) == "HÉ é");
  CHECK(words("\x65\xCC\x81") == "e");          // e and a combining acute
  CHECK(words("А") == "а");                     // Cyrillic
  CHECK(words("\xD0\xB8\xCC\x86") == "[UNK]");  // й apart: и is no token here
}

TEST_CASE("white space, control and format characters") {
  CHECK(words("a\tb\nc\r e") == "a b c e");
  CHECK(words("a\xC2\xA0"
              "b\xE3\x80\x80"
              "c") == "a b c");  // no-break and ideographic space
  CHECK(words("a\xE2\x80\x8B"
              "b\xC2\xAD"
              "c") == "abc");  // zero-width space, soft hyphen: deleted, joining
  CHECK(words(std::string("a\0b\x7F", 4) + "c") == "abc");
  CHECK(words("a\xE2\x80\xA8"
              "b") == "a b");  // line separator
}

TEST_CASE("punctuation and ideographs stand alone; symbols beyond ASCII do not") {
  CHECK(words("a.b,c") == "a . b , c");
  CHECK(words("a$b") == "a $ b");
  CHECK(words("a€b×c") == "a€b×c");
  CHECK(words("a力北b") == "a 力 北 b");
  CHECK(words("a‐b") == "a ‐ b");  // U+2010, a hyphen
}

TEST_CASE("special tokens inside text, in hf mode alone") {
  CHECK(words("x[MASK]y") == "x [MASK] y");
  CHECK(words("[mask]") == "[ mask ]");
  CHECK(words("x[MASK]y", google) == "x [ mask ] y");
  CHECK(words("x[MASK", cased) == "x [ [UNK]");
}

TEST_CASE("hf knows Unicode 8, google the present one") {
  CHECK(words("a\u09FDb") == "a\u09FDb");  // punctuation of Unicode 11
  CHECK(words("a\u09FDb", google) == "a \u09FD b");
  CHECK(words("a\u07FDb") == "a\u07FDb");  // an accent of Unicode 11
  CHECK(words("a\u07FDb", google) == "ab");
  // an ideograph that tokenizers' range leaves out by a slip
  CHECK(words("a\U0002B820b") == "a\U0002B820b");
  CHECK(words("a\U0002B820b", google) == "a \U0002B820 b");
}

TEST_CASE("a final sigma, in google mode alone") {
  CHECK(words("ΟΔΟΣ") == "οδοσ");
  CHECK(words("ΟΔΟΣ", google) == "οδος");
  CHECK(words("ΟΔΟΣ.", google) == "οδος .");  // case-ignorable at the end
  CHECK(words("ΟΣ.Ο", google) == "οσ . ο");   // and between letters
  CHECK(words("Σ ΟΣ Ο", google) == "σ ος ο");
  CHECK(words("ΟΣ力Ο", google) == "ος 力 ο");  // ideographs were set apart before
}

// U+302E (class 224) and U+1D165 (class 216) are marks that stay, U+0323 (220) one that goes.
TEST_CASE("marks that stay are put in canonical order, and take the places in that order") {
  CHECK(words("a\u302E\U0001D165") == "a\U0001D165\u302E");
  CHECK(words("a\u302E\U0001D165", cased) == "a\u302E\U0001D165");
  // what cleaning removes is not between them
  CHECK(words("ab\u302E\u200B\U0001D165c") == "ab\U0001D165\u302Ec");
  CHECK(words("\u302E\U0001D165") == "\U0001D165\u302E");  // no letter before them
  const Tokenizer tokenizer(Vocabulary({"[UNK]", "a", "##\u302E", "##\U0001D165"}));
  CHECK(tokenizer.encode("a\u302E\u0323\U0001D165").offsets ==
        std::vector<std::pair<int32_t, int32_t>>{{0, 1}, {1, 2}, {3, 4}});
}

TEST_CASE("a code point above the words' limit makes the word unknown") {
  CHECK(words(std::string(100, 'a')) == std::string(100, 'a'));
  CHECK(words(std::string(101, 'a')) == "[UNK]");
  CHECK(words(std::string(200, 'a'), google) == std::string(200, 'a'));
  CHECK(words(std::string(201, 'a'), google_cased) == "[UNK]");
}
