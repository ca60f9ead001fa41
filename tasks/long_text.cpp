#include "gradus/tasks/long_text.h"

#include <algorithm>

#include "gradus/base/error.h"

namespace gradus {
namespace {

// The tokens of the ranges, one after the other.
Encoding pick(const Encoding& text, std::initializer_list<TokenRange> ranges) {
  Encoding picked;
  for (const auto& [begin, end] : ranges)
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      picked.ids.push_back(text.ids[i]);
      picked.offsets.push_back(text.offsets[i]);
      picked.words.push_back(text.words[i]);
    }
  return picked;
}

}  // namespace

void check_long_texts(LongTexts how, bool pairs) {
  check(!pairs || how == LongTexts::head || how == LongTexts::windows,
        "options.long_texts {} is for single texts; of pairs head or windows are read",
        word_of(how));
}

FittedText fit_text(const Tokenizer& tokenizer, const Encoding& first, const Encoding* second,
                    int64_t max_length, LongTexts how, int64_t overlap) {
  const auto length = static_cast<int64_t>(first.ids.size()),
             other = second ? static_cast<int64_t>(second->ids.size()) : 0;
  const int64_t room = max_length - (second ? 3 : 2);
  if (length + other <= room)
    return {{second ? tokenizer.sequence(first, *second) : tokenizer.sequence(first)}, false};
  if (how == LongTexts::windows) {
    // A first text that leaves no room for the second is cut to half of it.
    if (second)
      return {tokenizer.windows(length > room / 2 ? pick(first, {{0, room / 2}}) : first, *second,
                                max_length, std::min(overlap, room / 4), Truncation::only_second),
              true};
    return {tokenizer.windows(first, max_length, std::min(overlap, room / 2)), true};
  }
  if (how == LongTexts::tail)
    return {{tokenizer.sequence(pick(first, {{length - room, length}}))}, true};
  if (how == LongTexts::head_tail)
    return {
        {tokenizer.sequence(pick(first, {{0, room / 4}, {length - (room - room / 4), length}}))},
        true};
  return {{second ? tokenizer.sequence(first, *second, max_length)
                  : tokenizer.sequence(first, max_length)},
          true};
}

}  // namespace gradus
