// Initial values. Each parameter's is a function of (seed, its name) and nothing else, so adding a
// layer changes no other. Matrices are drawn from the distribution; of the parameters with one
// axis, those named …weight (norms) become 1 and the others (biases) 0.
#pragma once

#include "gradus/nn/parts.h"

namespace gradus {

struct Normal {
  double stddev;
};
struct TruncatedNormal {
  double stddev;
};  // cut at two standard deviations by drawing again, as TensorFlow does: the realised deviation is 0.88 of it

void initialize(const std::vector<Parameter>& list, Normal distribution, uint64_t seed);
void initialize(const std::vector<Parameter>& list, TruncatedNormal distribution, uint64_t seed);

template <class Layer, class Distribution>
requires requires(Layer& layer, Parts& p) { layer.parts(p); }
void initialize(Layer& layer, Distribution distribution, uint64_t seed) {
  initialize(parameters(layer), distribution, seed);
}

}  // namespace gradus
