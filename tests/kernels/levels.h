// What the kernel tests share: every level in turn, inputs, and the distance of floats from the
// double result in ulps.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "gradus/base/random.h"
#include "gradus/kernels/kernels.h"

namespace gradus::testing {

// Row lengths that straddle a vector, a group of dropout and both at once.
constexpr int64_t kLengths[] = {1, 2, 15, 16, 17, 31, 63, 64, 65, 127, 128, 129, 768, 1000};

// Calls f(level) for each level; one that this processor lacks is a named skip.
template <class F>
void for_each_level(F&& f) {
  int count;
  const auto* levels = kernel_levels(&count);
  for (const char* name : {"baseline", "avx2", "avx512"}) {
    const auto* found = std::find_if(levels, levels + count, [&](const auto* level) {
      return std::string(level->level) == name;
    });
    if (found == levels + count) {
      MESSAGE("SKIPPED: level ", std::string(name), ", which this processor lacks");
      continue;
    }
    INFO("level ", std::string(name));
    f(**found);
  }
}

inline std::vector<float> uniform(int64_t n, double low, double high, uint64_t seed = 1) {
  Random random(seed);
  std::vector<float> values(static_cast<size_t>(n));
  for (float& v : values) v = static_cast<float>(random.uniform(low, high));
  return values;
}

template <class T>
std::vector<double> to_double(const std::vector<T>& values) {
  return {values.begin(), values.end()};
}

// |y - exact| in units of exact's last float bit; the unit is not below `floor` (absolute errors
// under it do not count). Equal infinities and NaN with NaN are 0.
inline double ulps(float y, double exact, double floor = 0x1p-149) {
  if (std::isnan(exact) && std::isnan(y)) return 0;
  if (y == static_cast<float>(exact)) return 0;
  if (!std::isfinite(y) || std::isnan(exact)) return std::numeric_limits<double>::infinity();
  const double unit =
      std::max({std::ldexp(1.0, std::ilogb(exact == 0 ? 0x1p-126 : exact) - 23), 0x1p-149, floor});
  return std::abs(y - exact) / unit;
}

// The greatest |y - exact| / (|exact| + scale) of a whole result; NaN anywhere is infinite.
inline double error(const std::vector<float>& y, const std::vector<double>& exact, double scale) {
  double worst = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    const double e = std::abs(y[i] - exact[i]) / (std::abs(exact[i]) + scale);
    worst = std::isnan(e) ? std::numeric_limits<double>::infinity() : std::max(worst, e);
  }
  return worst;
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace gradus::testing
