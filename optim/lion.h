// Lion: the sign of an interpolated momentum; one moment instead of two.
//                                                  Chen et al. 2023 (arXiv 2302.06675), algorithm 2
//   c = beta1 m + (1 - beta1) g        p -= learning_rate (sign(c) + decay p)
//   m = beta2 m + (1 - beta2) g
// Every element moves by learning_rate: the paper takes rates 3 to 10 times smaller than AdamW's
// and a decay as many times larger. State: m.
#pragma once

#include "gradus/optim/optimizer.h"

namespace gradus {

struct LionOptions {
  double learning_rate = 1e-4, beta1 = 0.9, beta2 = 0.99, weight_decay = 0.1;
};

class Lion : public ElementwiseOptimizer {
 public:
  explicit Lion(const ParameterList& list, LionOptions o = {})
      : ElementwiseOptimizer("lion", list, o.learning_rate, o.weight_decay), options_(o) {
    fraction("lion: beta1", o.beta1);
    fraction("lion: beta2", o.beta2);
  }

 private:
  void rule(const Elements& e) override;
  LionOptions options_;
  StateBuffer& m_ = state_buffer("m");
};

}  // namespace gradus
