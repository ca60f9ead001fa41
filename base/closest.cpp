#include "gradus/base/closest.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <utility>

namespace gradus {
namespace {

// Levenshtein's: the fewest letters to insert, delete or change.
size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j)
      diagonal = std::exchange(
          row[j], std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])}));
  }
  return row[b.size()];
}

std::string letters(std::string name) {
  std::erase(name, '-');
  return name;
}

}  // namespace

std::vector<std::string> by_distance(const std::string& wanted, std::vector<std::string> names) {
  std::stable_sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return edit_distance(a, wanted) < edit_distance(b, wanted);
  });
  return names;
}

std::string closest(const std::string& wanted, const std::vector<std::string>& names) {
  const std::string word = letters(wanted);
  // a part of it is as near as a letter that is wrong
  std::multimap<std::pair<size_t, size_t>, std::string> near;
  for (const std::string& full : names) {
    const std::string name = letters(full);
    const size_t distance = edit_distance(name, word);
    const bool part = name.find(word) != std::string::npos || word.find(name) != std::string::npos;
    if (!word.empty() && (part || 2 * distance < word.size()))
      near.emplace(std::pair(part ? 1 : distance, distance), full);
  }
  std::vector<std::string> best;
  for (const auto& [distance, name] : near)
    if (best.size() < 3) best.push_back(name);
  if (best.empty()) return "";
  return fmt::format("; the closest {} {}", best.size() == 1 ? "is" : "are", fmt::join(best, ", "));
}

}  // namespace gradus
