// Numbers that a person gives, held to their range by name:
//
//   check_range("options.epochs", o.epochs, {.above = 0});
//   // options.epochs nan: it must be a number above 0
//
// An Error where the number is outside, not finite, or beyond 1e12.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace gradus {

struct Range {
  std::optional<double> above = {}, at_least = {}, at_most = {}, below = {};
};
void check_range(std::string_view name, double value, const Range& range);
// Nothing given is right.
void check_range(std::string_view name, const std::optional<double>& value, const Range& range);
// Something counted (steps, examples, tokens): from `least` to a million million.
void check_count(std::string_view name, int64_t value, int64_t least);

}  // namespace gradus
