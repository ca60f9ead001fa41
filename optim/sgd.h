// SGD with momentum; the decay is added to the gradient, as in PyTorch's.    Sutskever et al. 2013
//   u = momentum u + g + decay p        p -= learning_rate u
// State: u, where there is momentum.
#pragma once

#include "gradus/optim/optimizer.h"

namespace gradus {

struct SgdOptions {
  double learning_rate = 1e-2, momentum = 0, weight_decay = 0;
};

class Sgd : public ElementwiseOptimizer {
 public:
  explicit Sgd(const ParameterList& list, SgdOptions o = {})
      : ElementwiseOptimizer("sgd", list, o.learning_rate, o.weight_decay),
        momentum_(fraction("sgd: momentum", o.momentum)) {
    if (momentum_ != 0) u_ = &state_buffer("u");
  }

 private:
  void rule(const Elements& e) override;
  double momentum_;
  StateBuffer* u_ = nullptr;
};

}  // namespace gradus
