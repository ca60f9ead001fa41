#include "text/tokenizer.h"

#include <algorithm>

#include "base/error.h"
#include "base/file.h"
#include "text/normalizer.h"

namespace gradus {
namespace {

// One text's pieces: for each its id, its code points in the text and its word.
template <class Piece>
class Run {
 public:
  Run(const Vocabulary& vocabulary, const TokenizerOptions& options, Piece piece) : vocabulary_(vocabulary), options_(options), piece_(std::move(piece)) {}

  void text(std::string_view text) {
    if (const size_t bad = find_invalid_utf8(text); bad != std::string_view::npos) fail("the text is not valid UTF-8 at byte {}", bad + 1);
    if (options_.mode == TokenizerMode::google) return plain(text);
    // Special tokens inside the text come before everything else.
    while (!text.empty()) {
      size_t at = text.find('[');
      int32_t id = -1;
      size_t length = 0;
      for (; at != std::string_view::npos; at = text.find('[', at + 1)) {
        const size_t end = text.find(']', at);
        if (end == std::string_view::npos) {
          at = end;
          break;
        }
        length = end + 1 - at;
        id = length <= 6 ? vocabulary_.find(text.substr(at, length)) : -1;
        if (id >= 0 && vocabulary_.is_special(id)) break;
      }
      if (at == std::string_view::npos) return plain(text);
      plain(text.substr(0, at));
      piece_(id, index_, index_ + static_cast<int64_t>(length), words_++);
      index_ += static_cast<int64_t>(length);
      text.remove_prefix(at + length);
    }
  }

 private:
  void plain(std::string_view text) {
    index_ += for_each_word(text, options_, index_, [&](const Word& word) { pieces(word); });
  }

  // Longest match first; a word that does not come out even becomes [UNK] as a whole.
  void pieces(const Word& word) {
    const size_t count = word.starts.size();
    const auto begin_of = [&](size_t i) { return i < count ? word.starts[i] : word.bytes.size(); };
    found_.clear();
    bool known = count <= (options_.mode == TokenizerMode::google ? 200u : 100u);
    for (size_t begin = 0; known && begin < count;) {
      buffer_ = begin ? "##" : "";
      const size_t prefix = buffer_.size();
      buffer_.append(word.bytes, begin_of(begin));
      size_t end = count;
      int32_t id = -1;
      for (; end > begin; --end) {
        id = vocabulary_.find(std::string_view(buffer_).substr(0, prefix + begin_of(end) - begin_of(begin)));
        if (id >= 0) break;
      }
      known = id >= 0;
      found_.push_back({id, begin, end});
      begin = end;
    }
    if (known) {
      for (const auto& piece : found_) piece_(piece.id, word.sources[piece.begin], static_cast<int64_t>(word.sources[piece.end - 1]) + 1, words_);
    } else {
      check(vocabulary_.unk() >= 0, "{}: the word '{}' needs [UNK], which the vocabulary lacks", vocabulary_.origin(), word.bytes);
      piece_(vocabulary_.unk(), word.sources.front(), static_cast<int64_t>(word.sources.back()) + 1, words_);
    }
    ++words_;
  }

  struct Found {
    int32_t id;
    size_t begin, end;
  };
  const Vocabulary& vocabulary_;
  const TokenizerOptions& options_;
  Piece piece_;
  std::vector<Found> found_;
  std::string buffer_;
  int64_t index_ = 0;
  int32_t words_ = 0;
};

}  // namespace

Tokenizer::Tokenizer(Vocabulary vocabulary, TokenizerOptions options) : vocabulary_(std::move(vocabulary)), options_(options) {}

Encoding Tokenizer::encode(std::string_view text) const {
  Encoding encoding;
  Run run(vocabulary_, options_, [&](int32_t id, int64_t begin, int64_t end, int32_t word) {
    encoding.ids.push_back(id);
    encoding.offsets.emplace_back(static_cast<int32_t>(begin), static_cast<int32_t>(end));
    encoding.words.push_back(word);
  });
  run.text(text);
  return encoding;
}

void Tokenizer::append_ids(std::string_view text, std::vector<int32_t>& ids) const {
  Run run(vocabulary_, options_, [&](int32_t id, int64_t, int64_t, int32_t) { ids.push_back(id); });
  run.text(text);
}

std::string Tokenizer::decode(const std::vector<int32_t>& ids, bool skip_special) const {
  std::string text;
  for (const int32_t id : ids) {
    if (skip_special && vocabulary_.is_special(id)) continue;
    const std::string& token = vocabulary_.token(id);
    if (token.starts_with("##")) text += token.substr(2);
    else text += (text.empty() ? "" : " ") + token;
  }
  for (const auto& [from, to] : {std::pair{" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"}, {" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}})
    for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) text.replace(at, std::string_view(from).size(), to);
  return text;
}

uint64_t Tokenizer::fingerprint() const {
  const uint64_t options = (options_.lower_case ? 1u : 0u) | (options_.mode == TokenizerMode::google ? 2u : 0u);
  return hash_bytes(&options, sizeof options, vocabulary_.fingerprint());
}

}  // namespace gradus
