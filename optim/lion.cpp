#include "gradus/optim/lion.h"

namespace gradus {

void Lion::rule(const Elements& e) {
  const auto beta1 = static_cast<float>(options_.beta1), beta2 = static_cast<float>(options_.beta2),
             scale = static_cast<float>(e.gradient_scale),
             rate = static_cast<float>(e.learning_rate), decay = static_cast<float>(e.weight_decay);
  float* m = m_.of(e);
  for (int64_t i = 0; i < e.n; ++i) {
    const float g = scale * e.g[i], c = beta1 * m[i] + (1 - beta1) * g;
    const auto sign = static_cast<float>((c > 0) - (c < 0));
    e.p[i] -= rate * (sign + decay * e.p[i]);
    m[i] = beta2 * m[i] + (1 - beta2) * g;
  }
}

}  // namespace gradus
