// Lists of lists in the fixtures' JSON, a list a sequence: what the tests that compare whole
// batches read.
#pragma once

#include <vector>

#include "gradus/base/json.h"

namespace gradus::testing {

// [[1, 2], [3]] one under the other.
template <class T>
std::vector<T> joined(const nlohmann::json& rows) {
  std::vector<T> all;
  for (const auto& row : rows)
    for (const auto& x : row) all.push_back(x.get<T>());
  return all;
}

inline std::vector<int64_t> lengths(const nlohmann::json& rows) {
  std::vector<int64_t> sizes;
  for (const auto& row : rows) sizes.push_back(static_cast<int64_t>(row.size()));
  return sizes;
}

}  // namespace gradus::testing
