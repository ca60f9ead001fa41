// A Vocabulary: the WordPiece tokens of a model, one a line in vocab.txt, the line's number (from
// 0) being the id. Continuations begin with "##".
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace gradus {

// BERT's five, in the order in which a new vocabulary lists them.
inline constexpr std::array<std::string_view, 5> special_tokens = {"[PAD]", "[UNK]", "[CLS]",
                                                                   "[SEP]", "[MASK]"};

class Vocabulary {
 public:
  // Errors name the file and line: not readable, empty, invalid UTF-8, an empty token line;
  // require_special() names a missing special token.
  static Vocabulary load(const std::filesystem::path& vocab_txt);
  explicit Vocabulary(std::vector<std::string> tokens, std::string origin = "the vocabulary");

  // the index holds views of the tokens, so a copy builds its own
  Vocabulary(const Vocabulary& other);
  Vocabulary& operator=(const Vocabulary& other);
  Vocabulary(Vocabulary&&) = default;
  Vocabulary& operator=(Vocabulary&&) = default;

  // the id, or -1. Of duplicate tokens the last wins, as in every reference
  int32_t find(std::string_view token) const;
  const std::string& token(int32_t id) const;  // an id out of range is an Error
  int32_t size() const { return static_cast<int32_t>(tokens_.size()); }
  const std::vector<std::string>& tokens() const { return tokens_; }
  const std::string& origin() const { return origin_; }  // the file it came from, for error texts

  // the ids of [PAD] [UNK] [CLS] [SEP] [MASK]: -1 where the vocabulary lacks one
  int32_t pad() const { return pad_; }
  int32_t unk() const { return unk_; }
  int32_t cls() const { return cls_; }
  int32_t sep() const { return sep_; }
  int32_t mask() const { return mask_; }
  void require_special() const;       // an Error that names the first one missing of the five
  bool is_special(int32_t id) const;  // one of the five

  void save(const std::filesystem::path& vocab_txt) const;
  uint64_t fingerprint() const { return fingerprint_; }

 private:
  std::vector<std::string> tokens_;
  std::unordered_map<std::string_view, int32_t> ids_;
  std::string origin_;
  int32_t pad_ = -1, unk_ = -1, cls_ = -1, sep_ = -1, mask_ = -1;
  uint64_t fingerprint_ = 0;
};

}  // namespace gradus
