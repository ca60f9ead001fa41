// Names near a mistyped one.
#pragma once

#include <string>
#include <vector>

namespace gradus::cli {

// "; the closest are a, b, c": up to three of `names` that hold the wanted name, are part of it, or
// differ from it in less than half of its letters; "" where none does. Dashes do not count.
std::string closest(const std::string& wanted, const std::vector<std::string>& names);

}  // namespace gradus::cli
