// Arguments that are lists, and numbers in them.
#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

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

}  // namespace gradus::cli
