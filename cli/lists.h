// Arguments that are lists, and numbers in them.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/base/error.h"

namespace gradus::cli {

// "a,b,c": the parts between the delimiters.
inline std::vector<std::string> split(std::string_view text, char delimiter) {
  std::vector<std::string> parts;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find(delimiter, at), text.size());
    parts.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

// Whether all of the text is a number of this type; then it is in `value`.
template <class T>
bool parse(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// "8" or "8:32": a number that stays, or goes from the first to the second.
template <class T>
void parse_range(const std::string& option, std::string_view text, T& from, std::optional<T>& to) {
  const auto parts = split(text, ':');
  T last{};
  check(parts.size() <= 2 && parse(parts[0], from) && (parts.size() < 2 || parse(parts[1], last)),
        "{} {}: it is a number, or FROM:TO", option, text);
  to = parts.size() == 2 ? std::optional<T>(last) : std::nullopt;
}

}  // namespace gradus::cli
