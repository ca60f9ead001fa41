#include "gradus/text/domain_words.h"

#include <algorithm>

namespace gradus {

std::vector<DomainWord> domain_words(const Tokenizer& tokenizer, const WordCounts& counts,
                                     int64_t most, int64_t min_frequency) {
  const int32_t unknown = tokenizer.vocabulary().unk();
  struct Candidate {
    int64_t saved;
    DomainWord word;
  };
  std::vector<Candidate> candidates;
  for (const auto& [word, count] : counts) {
    if (count < min_frequency) continue;
    std::vector<int32_t> pieces;
    tokenizer.append_ids(word, pieces);
    const bool is_unknown = pieces.size() == 1 && pieces[0] == unknown;
    if (pieces.empty() || (pieces.size() == 1 && !is_unknown)) continue;
    const int64_t saved = count * (is_unknown ? 1 : std::ssize(pieces) - 1);
    candidates.push_back({saved, {word, count, std::move(pieces)}});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.saved > b.saved; });
  if (std::ssize(candidates) > most) candidates.resize(static_cast<size_t>(most));
  std::vector<DomainWord> words;
  for (Candidate& candidate : candidates) words.push_back(std::move(candidate.word));
  return words;
}

double tokens_per_word(const Tokenizer& tokenizer, const WordCounts& counts) {
  int64_t words = 0, tokens = 0;
  std::vector<int32_t> pieces;
  for (const auto& [word, count] : counts) {
    pieces.clear();
    tokenizer.append_ids(word, pieces);
    words += count;
    tokens += count * std::ssize(pieces);
  }
  return words ? static_cast<double>(tokens) / static_cast<double>(words) : 0;
}

}  // namespace gradus
