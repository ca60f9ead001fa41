#include "gradus/base/range.h"

#include <fmt/format.h>

#include <cmath>

#include "gradus/base/error.h"

namespace gradus {

namespace {
constexpr double most_of_any = 1e12;  // more is a slip of the pen
}

void check_range(std::string_view name, double value, const Range& range) {
  const bool inside =
      std::isfinite(value) && std::abs(value) <= most_of_any &&
      !(range.above && value <= *range.above) && !(range.at_least && value < *range.at_least) &&
      !(range.at_most && value > *range.at_most) && !(range.below && value >= *range.below);
  if (inside) return;
  std::string wanted;
  const auto add = [&](const std::optional<double>& limit, const char* words) {
    if (limit) wanted += fmt::format("{} {} {:.16g}", wanted.empty() ? "" : " and", words, *limit);
  };
  add(range.above, "above");
  add(range.at_least, "of at least");
  add(range.at_most, "of at most");
  add(range.below, "below");
  if (std::abs(value) > most_of_any) wanted += fmt::format(" (and not beyond {:g})", most_of_any);
  fail("{} {:.16g}: it must be a number{}", name, value, wanted);
}

void check_range(std::string_view name, const std::optional<double>& value, const Range& range) {
  if (value) check_range(name, *value, range);
}

void check_count(std::string_view name, int64_t value, int64_t least) {
  check_range(name, static_cast<double>(value),
              {.at_least = static_cast<double>(least), .at_most = 1e12});
}

}  // namespace gradus
