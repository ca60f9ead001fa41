// What `gradus data inspect` shows on the terminal and on its page.
#pragma once

#include <fmt/core.h>

#include <string>

#include "gradus/data/instances.h"

namespace gradus::cli {

inline std::string percent(int64_t part, int64_t whole) {
  return fmt::format("{:.2f} %",
                     whole ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0);
}

// What stands at a place of an instance.
enum class Shown { token, masked, replaced, kept };
// Calls f(shown, token, label) for each place; label is what is predicted there, "" for none.
template <class F>
void for_each_place(const Vocabulary& vocabulary, const Instance& instance, F&& f) {
  size_t next = 0;
  for (size_t i = 0; i < instance.ids.size(); ++i) {
    const std::string& token = vocabulary.token(instance.ids[i]);
    const bool predicted =
        next < instance.positions.size() && static_cast<size_t>(instance.positions[next]) == i;
    if (!predicted) {
      f(Shown::token, i, token, std::string());
      continue;
    }
    const int32_t label = instance.labels[next++];
    const Shown shown = instance.ids[i] == vocabulary.mask() ? Shown::masked
                        : instance.ids[i] == label           ? Shown::kept
                                                             : Shown::replaced;
    f(shown, i, token, vocabulary.token(label));
  }
}

// One page: numbers, lengths, words, sources, and instances with what is hidden in colour.
// near_duplicates: how many documents are like an earlier one; below 0: not looked for.
std::string corpus_page(const CorpusFile& corpus, Split split, const InstanceSource& source,
                        int64_t epoch, int64_t instances, int64_t near_duplicates);

}  // namespace gradus::cli
