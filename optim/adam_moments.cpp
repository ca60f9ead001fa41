#include "gradus/optim/adam_moments.h"

#include <cmath>

#include "gradus/kernels/kernels.h"

namespace gradus {

void AdamMoments::step(const Elements& e, int64_t t, float* target, double rate,
                       double decay) const {
  const auto correction = [&](double beta) {
    return bias_correction ? 1 - std::pow(beta, static_cast<double>(t)) : 1;
  };
  kernels<float>().adamw(
      target, e.g, m.of(e), v.of(e), e.n,
      {rate, beta1, beta2, epsilon, decay, correction(beta1), correction(beta2), e.gradient_scale});
}

}  // namespace gradus
