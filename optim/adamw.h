// AdamW: decay is decoupled from the gradient.             Loshchilov and Hutter 2019, algorithm 2
//   m, v, direction as Adam's (optim/adam_moments.h)
//   p -= learning_rate (direction + decay p)
// State: m, v.
#pragma once

#include "gradus/optim/adam_moments.h"

namespace gradus {

struct AdamWOptions {
  double learning_rate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0.01;
  bool bias_correction = true;
  // Google's optimization.py: epsilon 1e-6 and no bias correction. For a constant gradient its
  // first steps are 3 to 6 times as long.
  static AdamWOptions google() {
    AdamWOptions options;
    options.epsilon = 1e-6;
    options.bias_correction = false;
    return options;
  }
};

class AdamW : public ElementwiseOptimizer {
 public:
  explicit AdamW(const ParameterList& list, AdamWOptions o = {})
      : ElementwiseOptimizer("adamw", list, o.learning_rate, o.weight_decay),
        moments_{state_buffer("m"),
                 state_buffer("v"),
                 fraction("adamw: beta1", o.beta1),
                 fraction("adamw: beta2", o.beta2),
                 o.epsilon,
                 o.bias_correction} {}

 private:
  void rule(const Elements& e) override {
    moments_.step(e, steps(), e.p, e.learning_rate, e.weight_decay);
  }
  AdamMoments moments_;
};

}  // namespace gradus
