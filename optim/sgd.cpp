#include "gradus/optim/sgd.h"

namespace gradus {

void Sgd::rule(const Elements& e) {
  const auto momentum = static_cast<float>(momentum_), scale = static_cast<float>(e.gradient_scale),
             decay = static_cast<float>(e.weight_decay), rate = static_cast<float>(e.learning_rate);
  float* u = u_ ? u_->of(e) : nullptr;
  for (int64_t i = 0; i < e.n; ++i) {
    float step = scale * e.g[i] + decay * e.p[i];
    if (u) step = u[i] = momentum * u[i] + step;
    e.p[i] -= rate * step;
  }
}

}  // namespace gradus
