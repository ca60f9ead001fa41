// Named numbers in the order in which they are shown and written: "accuracy" 0.91, "loss" 0.31.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace gradus {

using Metrics = std::vector<std::pair<std::string, double>>;

}  // namespace gradus
