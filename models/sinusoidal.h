// Positions as sines and cosines (Vaswani et al. 2017, section 3.5).
#pragma once

#include <cmath>
#include <numbers>
#include <span>
#include <vector>

#include "gradus/autograd/tensor.h"

namespace gradus {

// The paper's: 10000^(2 i / width), for i below width / 2.
inline std::vector<double> vaswani_periods(int64_t width) {
  std::vector<double> periods;
  for (int64_t i = 0; i + 1 < width + width % 2; i += 2)
    periods.push_back(std::pow(10000.0, static_cast<double>(i) / static_cast<double>(width)));
  return periods;
}

// Row t gets sin(t / periods[i]), cos(t / periods[i]) as its features 2 i and 2 i + 1, of this root
// mean square.                                                         table [positions, features]
inline void fill_sinusoidal(Tensor table, std::span<const double> periods, double rms) {
  const int64_t positions = table.shape()[0], n = table.shape()[1];
  float* to = table.write<float>();
  for (int64_t t = 0; t < positions; ++t)
    for (int64_t i = 0; i < n; ++i) {
      const double angle = static_cast<double>(t) / periods[static_cast<size_t>(i / 2)];
      to[t * n + i] = static_cast<float>(rms * std::numbers::sqrt2 *
                                         (i % 2 ? std::cos(angle) : std::sin(angle)));
    }
}

}  // namespace gradus
