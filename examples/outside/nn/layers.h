// This project's own layers. The file has the name of one of Gradus's on purpose: that one is
// gradus/nn/layers.h, so the two do not collide.
#pragma once

#include <gradus/gradus.h>

namespace outside {

using namespace gradus;

// y = W x * sigmoid(G x): a gated linear unit (Dauphin et al. 2017).    x [.., in] -> [.., out]
struct Gated {
  Linear value, gate;
  Gated(int64_t in, int64_t out) : value(in, out), gate(in, out) {}
  Tensor operator()(const Tensor& x) const { return value(x) * sigmoid(gate(x)); }
  void parts(Parts& p) {
    p("value", value);
    p("gate", gate);
  }
};

}  // namespace outside
