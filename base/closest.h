// Names near a mistyped one.
#pragma once

#include <string>
#include <vector>

namespace gradus {

// "; the closest are a, b, c": up to three of `names` that hold the wanted name, are part of it, or
// differ from it in less than half of its letters; "" where none does. Dashes do not count.
std::string closest(const std::string& wanted, const std::vector<std::string>& names);

// All of them, those first that differ in the fewest letters.
std::vector<std::string> by_distance(const std::string& wanted, std::vector<std::string> names);

}  // namespace gradus
