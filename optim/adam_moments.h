// Adam's two moments, which AdamW, LAMB and Muon's other half share. Kingma and Ba 2015, alg. 1
//   m = beta1 m + (1 - beta1) g        v = beta2 v + (1 - beta2) g^2
//   direction = (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
// The moments begin at 0, so their means are too small by 1 - beta^t (section 3); bias_correction =
// false leaves that, as Google's BERT program does.
#pragma once

#include "gradus/optim/optimizer.h"

namespace gradus {

struct AdamMoments {
  StateBuffer &m, &v;
  double beta1, beta2, epsilon;
  bool bias_correction;

  // Updates the moments with the gradient of step t (from 1) and then
  //   target -= rate (direction + decay target)
  // on as many elements as the piece has.
  void step(const Elements& e, int64_t t, float* target, double rate, double decay) const;
};

}  // namespace gradus
