#include "gradus/io/new_words.h"

#include <algorithm>
#include <set>

#include "gradus/base/error.h"
#include "gradus/models/bert_names.h"
#include "gradus/ops/ops.h"

namespace gradus {
namespace {

bool is_unused(const std::string& token) {
  return token.starts_with("[unused") && token.ends_with(']');
}

// Whether a tensor has a row for each token.
bool has_token_rows(const std::string& name) {
  for (const char* ending :
       {"word_embeddings.weight", "tok_embeddings.weight", "cls.predictions.bias", "decoder.bias"})
    if (name.ends_with(ending)) return true;
  return false;
}

Tensor with_rows(const Tensor& old, const NewWords& words, int64_t rows) {
  const int64_t width = old.shape().rank() == 2 ? old.shape()[1] : 1;
  const float* from = old.data<float>();
  std::vector<float> values(from, from + old.numel());
  values.resize(static_cast<size_t>(rows * width));
  for (size_t w = 0; w < words.ids.size(); ++w)
    for (int64_t i = 0; i < width; ++i) {
      double sum = 0;
      for (const int32_t piece : words.pieces[w])
        sum += static_cast<double>(from[piece * width + i]);
      values[static_cast<size_t>(words.ids[w] * width + i)] =
          static_cast<float>(sum / static_cast<double>(words.pieces[w].size()));
    }
  return from_vector(values, old.shape().rank() == 2 ? Shape{rows, width} : Shape{rows});
}

}  // namespace

NewWords place_new_words(const Tokenizer& tokenizer, const std::vector<std::string>& words) {
  NewWords placed{words, {}, {}, tokenizer.vocabulary().tokens(), 0};
  std::set<std::string_view> seen;
  size_t unused = 0;
  for (const std::string& word : words) {
    check(tokenizer.vocabulary().find(word) < 0, "the word '{}' is a token already", word);
    check(seen.insert(word).second, "the word '{}' is named twice", word);
    const Encoding pieces = tokenizer.encode(word);
    check(!pieces.ids.empty() && pieces.words.back() == 0,
          "'{}' is not one word: the tokenizer cuts it at white space and punctuation, so it would "
          "never find it",
          word);
    while (unused < placed.tokens.size() && !is_unused(placed.tokens[unused])) ++unused;
    if (unused < placed.tokens.size()) {
      placed.ids.push_back(static_cast<int32_t>(unused));
      placed.tokens[unused] = word;
      ++placed.reused;
    } else {
      placed.ids.push_back(static_cast<int32_t>(placed.tokens.size()));
      placed.tokens.push_back(word);
    }
    placed.pieces.push_back(pieces.ids);
  }
  return placed;
}

void add_new_words(const NewWords& words, BertConfig& config, NamedTensors& tensors) {
  config.vocab_size = std::max<int64_t>(config.vocab_size, std::ssize(words.tokens));
  for (auto& [name, tensor] : tensors)
    if (has_token_rows(name)) tensor = with_rows(contiguous(tensor), words, config.vocab_size);
}

}  // namespace gradus
