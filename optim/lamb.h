// LAMB: Adam's direction with the decay in it, scaled for each parameter by its trust ratio, for
// large batches.                                    You et al. 2020 (arXiv 1904.00962), algorithm 2
//   m, v, direction as Adam's (optim/adam_moments.h)
//   u = direction + decay p        p -= learning_rate |p| / |u| u    (ratio 1 where a norm is 0)
// Parameters that do not decay (biases, norms) keep the ratio 1, as in Google's and NVIDIA's
// programs. Query, key and value are parameters of their own. State: m, v.
#pragma once

#include "gradus/optim/adam_moments.h"

namespace gradus {

struct LambOptions {
  double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-6, weight_decay = 0.01;
  bool bias_correction = true;
};

class Lamb : public Optimizer {
 public:
  explicit Lamb(const ParameterList& list, LambOptions o = {})
      : Optimizer("lamb", list, o.learning_rate, o.weight_decay),
        moments_{state_buffer("m"),
                 state_buffer("v"),
                 fraction("lamb: beta1", o.beta1),
                 fraction("lamb: beta2", o.beta2),
                 o.epsilon,
                 o.bias_correction},
        u_(zeros({arena_.size()})) {}

 private:
  void update(double gradient_scale) override;
  AdamMoments moments_;
  Tensor u_;  // of this step alone
};

}  // namespace gradus
