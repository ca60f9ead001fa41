#include "cli/closest.h"

#include <algorithm>
#include <map>
#include <utility>

namespace gradus::cli {
namespace {

// Levenshtein's.
size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j)
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])}));
  }
  return row[b.size()];
}

}  // namespace

std::vector<std::string> closest(const std::string& wanted, const std::vector<std::string>& names, size_t count) {
  std::multimap<size_t, std::string> by_distance;
  for (const std::string& name : names) {
    const bool part = name.find(wanted) != std::string::npos || wanted.find(name) != std::string::npos;
    by_distance.emplace(part ? 1 : edit_distance(name, wanted), name);
  }
  std::vector<std::string> result;
  for (const auto& [distance, name] : by_distance)
    if (result.size() < count) result.push_back(name);
  return result;
}

}  // namespace gradus::cli
