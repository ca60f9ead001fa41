#include "gradus/text/sequence.h"

#include <algorithm>

#include "gradus/base/error.h"
#include "gradus/text/tokenizer.h"

namespace gradus {

std::vector<TokenRange> window_ranges(int64_t length, int64_t most, int64_t step) {
  if (length > most)
    check(most >= 0 && (most == 0 || step > 0),
          "windows of {} tokens that begin {} apart never reach the end", most, step);
  std::vector<TokenRange> ranges{{0, std::min(length, most)}};
  while (most > 0 && ranges.back().end < length) {
    // a longer step would pass over tokens
    const int64_t begin = ranges.back().begin + std::min(step, most);
    ranges.push_back({begin, std::min(begin + most, length)});
  }
  return ranges;
}

std::pair<int64_t, int64_t> longest_first(int64_t first, int64_t second, int64_t limit,
                                          TokenizerMode mode) {
  if (mode == TokenizerMode::google) {
    while (first + second > limit) --(first > second ? first : second);
    return {first, second};
  }
  if (first + second <= limit) return {first, second};
  const int64_t shorter = std::min({first, second, limit / 2}), longer = limit - shorter;
  return first > second ? std::pair{longer, shorter} : std::pair{shorter, longer};
}

namespace {

// How many tokens two texts keep.
std::pair<int64_t, int64_t> kept(int64_t first, int64_t second, int64_t limit,
                                 Truncation truncation, TokenizerMode mode) {
  const int64_t surplus = first + second - limit;
  if (surplus <= 0 || truncation == Truncation::longest_first)
    return longest_first(first, second, limit, mode);
  const bool cuts_first = truncation == Truncation::only_first;
  if ((cuts_first ? first : second) <= surplus)
    fail(
        "the texts have {} and {} tokens; to keep {}, the {} alone would lose {}: take a larger "
        "max_length, or longest_first",
        first, second, limit, cuts_first ? "first" : "second", surplus);
  return cuts_first ? std::pair{first - surplus, second} : std::pair{first, second - surplus};
}

}  // namespace

Sequence Tokenizer::join(const Encoding& first, TokenRange in_first, const Encoding* second,
                         TokenRange in_second) const {
  vocabulary_.require_special();
  Sequence out;
  const auto put_in = [&](int32_t id, int32_t type) {
    out.ids.push_back(id);
    out.types.push_back(type);
    out.special.push_back(1);
    out.offsets.emplace_back(0, 0);
    out.words.push_back(-1);
  };
  const auto put_text = [&](const Encoding& text, TokenRange range, int32_t type) {
    if (range.begin < 0 || range.begin > range.end ||
        range.end > static_cast<int64_t>(text.ids.size()))
      fail("tokens {} to {} are not a part of a text of {}", range.begin, range.end,
           text.ids.size());
    const auto copy = [&](auto& to, const auto& from) {
      to.insert(to.end(), from.begin() + range.begin, from.begin() + range.end);
    };
    copy(out.ids, text.ids);
    out.types.insert(out.types.end(), static_cast<size_t>(range.length()), type);
    out.special.insert(out.special.end(), static_cast<size_t>(range.length()), 0);
    copy(out.offsets, text.offsets);
    copy(out.words, text.words);
    put_in(vocabulary_.sep(), type);
  };
  put_in(vocabulary_.cls(), 0);
  put_text(first, in_first, 0);
  if (second) put_text(*second, in_second, 1);
  return out;
}

// The windows of each text where they are more than one; tokenizers combines them in this order.
std::vector<Sequence> Tokenizer::cut(const Encoding& first, const Encoding* second,
                                     int64_t max_length, std::optional<int64_t> stride,
                                     Truncation truncation) const {
  const auto length = [](const Encoding* text) {
    return text ? static_cast<int64_t>(text->ids.size()) : 0;
  };
  const int64_t added = second ? 3 : 2;
  std::pair most{length(&first), length(second)};
  if (max_length) {
    check(max_length >= added, "max_length {} is too short: [CLS] and [SEP] alone take {}",
          max_length, added);
    const int64_t limit = max_length - added;
    most = second ? kept(most.first, most.second, limit, truncation, options_.mode)
                  : std::pair{std::min(most.first, limit), int64_t{0}};
  }
  const auto ranges = [&](const Encoding* text, int64_t keep) -> std::vector<TokenRange> {
    if (!stride) return {{0, keep}};
    const bool windows = keep > 0 && keep < length(text);
    if (windows && *stride >= keep)
      fail("the stride {} is too long: a window has only {} tokens of the text that is cut",
           *stride, keep);
    return window_ranges(length(text), keep, keep - *stride);
  };
  if (stride)
    check(*stride >= 0,
          "the stride is {}; it is the number of tokens that two windows share, 0 or more",
          *stride);
  const std::vector<TokenRange> firsts = ranges(&first, most.first),
                                seconds = ranges(second, most.second);
  std::vector<Sequence> out{join(first, firsts[0], second, seconds[0])};
  for (size_t i = 1; i < firsts.size(); ++i)
    for (const TokenRange& in_second : seconds)
      out.push_back(join(first, firsts[i], second, in_second));
  for (size_t j = 1; j < seconds.size(); ++j)
    out.push_back(join(first, firsts[0], second, seconds[j]));
  return out;
}

Sequence Tokenizer::sequence(const Encoding& text, int64_t max_length) const {
  return std::move(cut(text, nullptr, max_length, {}, Truncation::longest_first)[0]);
}

Sequence Tokenizer::sequence(const Encoding& first, const Encoding& second, int64_t max_length,
                             Truncation truncation) const {
  return std::move(cut(first, &second, max_length, {}, truncation)[0]);
}

std::vector<Sequence> Tokenizer::windows(const Encoding& text, int64_t max_length,
                                         int64_t stride) const {
  return cut(text, nullptr, max_length, stride, Truncation::longest_first);
}

std::vector<Sequence> Tokenizer::windows(const Encoding& first, const Encoding& second,
                                         int64_t max_length, int64_t stride,
                                         Truncation truncation) const {
  return cut(first, &second, max_length, stride, truncation);
}

}  // namespace gradus
