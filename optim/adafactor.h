// Adafactor: the second moment of a matrix kept as the means of its rows and columns, so that the
// state is as good as nothing.         Shazeer and Stern 2018 (arXiv 1804.04235), algorithms 4 to 6
//   beta = 1 - t^-0.8                               t the step, from 1
//   r = beta r + (1 - beta) mean of g^2 over a row        c = … over a column
//   v = r c / mean(r)                               a vector keeps v itself
//   u = g / sqrt(v)        u = u / max(1, rms(u) / clip)
//   p -= max(epsilon, rms(p)) min(learning_rate, 1 / sqrt(t)) u + learning_rate decay p
// where rms is the root of the mean square. Steps are relative to the size of a parameter;
// learning_rate is their largest (the paper's is 1e-2). As in PyTorch's, whose guards against zero
// these are. A parameter of two axes or more is seen as [first, the rest]. State: r and c, or v.
#pragma once

#include "gradus/optim/optimizer.h"

namespace gradus {

struct AdafactorOptions {
  double learning_rate = 1e-2, decay_exponent = -0.8, epsilon = 1e-3, clip = 1, weight_decay = 0;
};

class Adafactor : public Optimizer {
 public:
  explicit Adafactor(const ParameterList& list, AdafactorOptions options = {});

 private:
  void update(double gradient_scale) override;
  void update_parameter(const ParameterArena::Range& range, double gradient_scale);
  AdafactorOptions options_;
  StateBuffer &r_, &c_, &v_;
};

}  // namespace gradus
