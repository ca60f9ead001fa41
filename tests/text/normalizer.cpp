#include "tests/support.h"
#include "text/tokenizer.h"

using namespace gradus;
using namespace gradus::testing;

namespace {
// Every character of the tests is a token, so that what comes out shows the words as they were normalised.
std::string words(const std::string& text, TokenizerOptions options = {}) {
  static const Vocabulary letters = [] {
    std::vector<std::string> tokens{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
    for (const char* c : {"a", "b", "c", "e", "i", "o", "s", "σ", "ς", "δ", "й", "А", "а", "É", "é", "力", "北", "!", ".", ",", "$", "€", "×", "[", "]", "x", "y", "k", "m", "‐", "H", "h"}) {
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
constexpr TokenizerOptions cased{.lower_case = false}, google{.mode = TokenizerMode::google}, google_cased{.lower_case = false, .mode = TokenizerMode::google};
}  // namespace

TEST_CASE("case and accents") {
  CHECK(words("H\xC3\x89 é") == "he e");
  CHECK(words("H\xC3\x89 é", cased) == "HÉ é");
  CHECK(words("\x65\xCC\x81") == "e");         // e and a combining acute
  CHECK(words("А") == "а");                    // Cyrillic
  CHECK(words("\xD0\xB8\xCC\x86") == "[UNK]");  // й apart: и is no token here
}

TEST_CASE("white space, control and format characters") {
  CHECK(words("a\tb\nc\r e") == "a b c e");
  CHECK(words("a\xC2\xA0""b\xE3\x80\x80""c") == "a b c");           // no-break and ideographic space
  CHECK(words("a\xE2\x80\x8B""b\xC2\xAD""c") == "abc");              // zero-width space, soft hyphen: deleted, joining
  CHECK(words(std::string("a\0b\x7F", 4) + "c") == "abc");
  CHECK(words("a\xE2\x80\xA8""b") == "a b");                        // line separator
}

TEST_CASE("punctuation and ideographs stand alone; symbols beyond ASCII do not") {
  CHECK(words("a.b,c") == "a . b , c");
  CHECK(words("a$b") == "a $ b");
  CHECK(words("a€b×c") == "a€b×c");
  CHECK(words("a力北b") == "a 力 北 b");
  CHECK(words("a‐b") == "a ‐ b");                                  // U+2010, a hyphen
}

TEST_CASE("special tokens inside text, in hf mode alone") {
  CHECK(words("x[MASK]y") == "x [MASK] y");
  CHECK(words("[mask]") == "[ mask ]");
  CHECK(words("x[MASK]y", google) == "x [ mask ] y");
  CHECK(words("x[MASK", cased) == "x [ [UNK]");
}

TEST_CASE("a code point above the words' limit makes the word unknown") {
  CHECK(words(std::string(100, 'a')) == std::string(100, 'a'));
  CHECK(words(std::string(101, 'a')) == "[UNK]");
  CHECK(words(std::string(200, 'a'), google) == std::string(200, 'a'));
  CHECK(words(std::string(201, 'a'), google_cased) == "[UNK]");
}
