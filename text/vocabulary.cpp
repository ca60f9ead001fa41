#include "gradus/text/vocabulary.h"

#include "gradus/base/error.h"
#include "gradus/base/file.h"

namespace gradus {

Vocabulary Vocabulary::load(const std::filesystem::path& vocab_txt) {
  std::vector<std::string> tokens;
  for_each_line(vocab_txt, [&](std::string_view line, int64_t number) {
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
    if (line.empty())
      fail("{}:{}: the line is empty; a vocabulary has one token on each line", vocab_txt.string(),
           number);
    tokens.emplace_back(line);
  });
  check(!tokens.empty(), "{}: the vocabulary is empty", vocab_txt.string());
  return Vocabulary(std::move(tokens), vocab_txt.string());
}

Vocabulary::Vocabulary(std::vector<std::string> tokens, std::string origin)
    : tokens_(std::move(tokens)), origin_(std::move(origin)) {
  for (size_t id = 0; id < tokens_.size(); ++id) ids_[tokens_[id]] = static_cast<int32_t>(id);
  pad_ = find("[PAD]"), unk_ = find("[UNK]"), cls_ = find("[CLS]"), sep_ = find("[SEP]"),
  mask_ = find("[MASK]");
  fingerprint_ = hash_bytes("vocabulary");
  for (const std::string& token : tokens_) fingerprint_ = hash_bytes(token, fingerprint_);
}

Vocabulary::Vocabulary(const Vocabulary& other) : Vocabulary(other.tokens_, other.origin_) {}
Vocabulary& Vocabulary::operator=(const Vocabulary& other) {
  if (this != &other) *this = Vocabulary(other);
  return *this;
}

int32_t Vocabulary::find(std::string_view token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? -1 : found->second;
}

const std::string& Vocabulary::token(int32_t id) const {
  if (id < 0 || id >= size())
    fail("{}: there is no token {}; ids are 0..{}", origin_, id, size() - 1);
  return tokens_[static_cast<size_t>(id)];
}

void Vocabulary::require_special() const {
  for (const std::string_view token : special_tokens)
    if (find(token) < 0)
      fail(
          "{}: the vocabulary has no {}; BERT needs [PAD], [UNK], [CLS], [SEP] and [MASK], each on "
          "a line",
          origin_, token);
}

bool Vocabulary::is_special(int32_t id) const {
  return id >= 0 && (id == pad_ || id == unk_ || id == cls_ || id == sep_ || id == mask_);
}

void Vocabulary::save(const std::filesystem::path& vocab_txt) const {
  std::string text;
  for (const std::string& token : tokens_) text += token + "\n";
  write_file(vocab_txt, text);
}

}  // namespace gradus
