#include "gradus/optim/lamb.h"

#include <algorithm>

namespace gradus {

void Lamb::update(double gradient_scale) {
  float* u = u_.write<float>();
  for_each_piece(gradient_scale, [&](const Elements& e) {
    float* direction = u + e.range.begin + e.begin;
    std::fill_n(direction, e.n, 0.0f);
    moments_.step(e, steps(), direction, -1, 0);  // 0 - (-1) direction
    const auto decay = static_cast<float>(e.weight_decay);
    for (int64_t i = 0; i < e.n; ++i) direction[i] += decay * e.p[i];
  });
  std::vector<float> rates(arena_.ranges().size());
  for (const auto& range : arena_.ranges()) {
    if (!range.updated()) continue;
    const double of_parameter = ParameterArena::norm_of(arena_.values(), range),
                 of_update = ParameterArena::norm_of(u, range);
    const double trust =
        range.decays && of_parameter > 0 && of_update > 0 ? of_parameter / of_update : 1;
    rates[range.index] = static_cast<float>(rate_of(range) * trust);
  }
  for_each_piece(gradient_scale, [&](const Elements& e) {
    const float rate = rates[e.range.index], *direction = u + e.range.begin + e.begin;
    for (int64_t i = 0; i < e.n; ++i) e.p[i] -= rate * direction[i];
  });
}

}  // namespace gradus
