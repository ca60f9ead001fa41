#include "gradus/tasks/placed_words.h"

#include "gradus/text/code_points.h"

namespace gradus {

PlacedWords split_words(std::string text, const Tokenizer& tokenizer) {
  PlacedWords placed{std::move(text), {}, {}};
  const Encoding encoding = tokenizer.encode(placed.text);
  for (size_t i = 0; i < encoding.ids.size(); ++i) {
    if (i == 0 || encoding.words[i] != encoding.words[i - 1])
      placed.places.push_back(encoding.offsets[i]);
    placed.places.back().second = encoding.offsets[i].second;
  }
  const CodePoints points(placed.text);
  for (const auto& [begin, end] : placed.places)
    placed.words.emplace_back(points.slice(begin, end));
  return placed;
}

PlacedWords join_words(std::vector<std::string> words) {
  PlacedWords placed{"", std::move(words), {}};
  int32_t at = 0;
  for (const std::string& word : placed.words) {
    if (at > 0) placed.text += ' ';
    placed.text += word;
    const auto length = static_cast<int32_t>(CodePoints(word).size());
    placed.places.emplace_back(at, at + length);
    at += length + 1;
  }
  return placed;
}

}  // namespace gradus
