// Names near a mistyped one, for "is … meant?".
#pragma once

#include <string>
#include <vector>

namespace gradus::cli {

// The `count` nearest of `names`, the nearest first: those that hold the wanted name or are part of it, then by the fewest letters to
// insert, delete or change.
std::vector<std::string> closest(const std::string& wanted, const std::vector<std::string>& names, size_t count);

}  // namespace gradus::cli
