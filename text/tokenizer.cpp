#include "gradus/text/tokenizer.h"

#include <algorithm>

#include "gradus/base/error.h"
#include "gradus/base/file.h"
#include "gradus/text/normalizer.h"
#include "gradus/text/piece_trie.h"

namespace gradus {

namespace {
bool is_continuation_byte(char byte) { return (byte & 0xC0) == 0x80; }
int32_t code_points(std::string_view text) {
  return static_cast<int32_t>(std::count_if(text.begin(), text.end(),
                                            [](char byte) { return !is_continuation_byte(byte); }));
}

void require_utf8(std::string_view text) {
  const size_t invalid = find_invalid_utf8(text);
  if (invalid != std::string_view::npos)
    fail(
        "the text is not valid UTF-8 at byte {} (0x{:02x}); convert it, or replace what is invalid "
        "by U+FFFD",
        invalid + 1, static_cast<unsigned char>(text[invalid]));
}
}  // namespace

Tokenizer::Tokenizer(Vocabulary vocabulary, TokenizerOptions options)
    : vocabulary_(std::move(vocabulary)),
      options_(options),
      rules_(&Rules::of(options.mode, options.lower_case)),
      trie_(std::make_shared<PieceTrie>(vocabulary_)) {}

// Calls piece(id, begin, end) for the pieces of a word, in its bytes.
template <class Piece>
void Tokenizer::split_word(std::string_view word, Piece&& piece) const {
  // a word has at most 200 characters, so at most as many pieces
  if (const int32_t id = trie_->short_token(word); id >= 0)
    return piece(id, size_t{0}, word.size());
  constexpr size_t kMostPieces = 200;
  const size_t most = options_.mode == TokenizerMode::hf ? 100 : 200;
  PieceTrie::Match pieces[kMostPieces];
  size_t count = 0, at = 0;
  bool known = word.size() <= most || static_cast<size_t>(code_points(word)) <= most;
  while (known && at < word.size()) {
    pieces[count] = trie_->longest(word.substr(at), at > 0);
    known = pieces[count].length > 0;
    at += pieces[count++].length;
  }
  if (!known) {
    check(
        vocabulary_.unk() >= 0,
        "{}: it has no token for the word '{}' and no [UNK] either; put [UNK] on a line of its own",
        vocabulary_.origin(), word);
    piece(vocabulary_.unk(), size_t{0}, word.size());
    return;
  }
  at = 0;
  for (size_t i = 0; i < count; ++i) {
    piece(pieces[i].id, at, at + pieces[i].length);
    at += pieces[i].length;
  }
}

// Calls sink.word(scanner) for each word and, in hf mode, sink.special(id, position) for each
// special token written out in the text, which is looked for before normalisation: "x[MASK]y" has
// one, "[mask]" and "[ MASK ]" do not.
template <class Sink>
void Tokenizer::scan(std::string_view text, Sink&& sink) const {
  require_utf8(text);
  int32_t position = 0;
  const auto words = [&](std::string_view part) {
    WordScanner scanner(*rules_, part, position);
    while (scanner.next()) sink.word(scanner);
    position = scanner.position();
  };
  if (options_.mode == TokenizerMode::hf) {
    for (size_t at = text.find('['); at != std::string_view::npos; at = text.find('[', at)) {
      const auto here =
          std::find_if(special_tokens.begin(), special_tokens.end(), [&](std::string_view special) {
            return text.substr(at, special.size()) == special && vocabulary_.find(special) >= 0;
          });
      if (here == special_tokens.end()) {
        ++at;
        continue;
      }
      const std::string_view special = *here;
      words(text.substr(0, at));
      sink.special(vocabulary_.find(special), position, static_cast<int32_t>(special.size()));
      position += static_cast<int32_t>(special.size());
      text.remove_prefix(at + special.size());
      at = 0;
    }
  }
  words(text);
}

void Tokenizer::append_ids(std::string_view text, std::vector<int32_t>& ids) const {
  struct Sink {
    const Tokenizer& tokenizer;
    std::vector<int32_t>& ids;
    void word(const WordScanner& scanner) {
      tokenizer.split_word(scanner.word(), [&](int32_t id, size_t, size_t) { ids.push_back(id); });
    }
    void special(int32_t id, int32_t, int32_t) { ids.push_back(id); }
  };
  scan(text, Sink{*this, ids});
}

Encoding Tokenizer::encode(std::string_view text) const {
  struct Sink {
    const Tokenizer& tokenizer;
    Encoding& out;
    int32_t number = 0;
    void word(const WordScanner& scanner) {
      const int32_t* origins = scanner.origins();
      tokenizer.split_word(scanner.word(), [&](int32_t id, size_t begin, size_t end) {
        token(id, origins[begin], origins[end - 1] + 1);
      });
      ++number;
    }
    void special(int32_t id, int32_t position, int32_t length) {
      token(id, position, position + length);
      ++number;
    }
    void token(int32_t id, int32_t begin, int32_t end) {
      out.ids.push_back(id);
      out.offsets.emplace_back(begin, end);
      out.words.push_back(number);
    }
  };
  Encoding out;
  const size_t likely = text.size() / 4 + 4;  // English has about four bytes a token
  out.ids.reserve(likely), out.offsets.reserve(likely), out.words.reserve(likely);
  scan(text, Sink{*this, out});
  return out;
}

Encoding Tokenizer::encode_words(const std::vector<std::string>& words) const {
  Encoding out;
  for (size_t i = 0; i < words.size(); ++i) {
    const Encoding word = encode(words[i]);
    out.ids.insert(out.ids.end(), word.ids.begin(), word.ids.end());
    out.offsets.insert(out.offsets.end(), word.offsets.begin(), word.offsets.end());
    out.words.insert(out.words.end(), word.ids.size(), static_cast<int32_t>(i));
  }
  return out;
}

std::string Tokenizer::decode(const std::vector<int32_t>& ids, bool skip_special) const {
  // The list and its order are tokenizers' own; it is applied to one token with the space before
  // it, so that later rules see earlier ones' results.
  static constexpr std::pair<std::string_view, std::string_view> kCleanup[] = {
      {" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
      {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  std::string text, piece;
  bool first = true;
  for (int32_t id : ids) {
    const std::string& token = vocabulary_.token(id);
    if (skip_special && vocabulary_.is_special(id)) continue;
    if (first) piece = token;
    else if (token.starts_with("##")) piece = token.substr(2);
    else piece = " " + token;
    for (const auto& [from, to] : kCleanup)
      for (size_t at = piece.find(from); at != std::string::npos;
           at = piece.find(from, at + to.size()))
        piece.replace(at, from.size(), to);
    text += piece;
    first = false;
  }
  return text;
}

uint64_t Tokenizer::fingerprint() const {
  const uint64_t options =
      (options_.lower_case ? 1u : 0u) | (options_.mode == TokenizerMode::google ? 2u : 0u);
  return hash_bytes(&options, sizeof options, vocabulary_.fingerprint());
}

}  // namespace gradus
