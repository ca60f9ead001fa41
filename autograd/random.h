// Randomness inside a model is a counter (base/philox.h): what is drawn depends on the seed,
// the step, the place in the model and the element, on nothing else, so nothing is stored and
// recomputation, other thread counts and other micro-batches draw the same.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "gradus/autograd/tensor.h"
#include "gradus/kernels/kernels.h"

namespace gradus {

struct RandomState {
  uint64_t seed = 0, step = 0;
  // draws so far in this step, of each module path
  std::unordered_map<std::string, uint32_t> occurrences;
};

// The scope of one step: { RandomScope random(seed, step); … }. Places count from zero in it.
// Without a scope, seed 0 and step 0 hold and places count on.
class RandomScope {
 public:
  RandomScope(uint64_t seed, uint64_t step) : RandomScope(RandomState{seed, step, {}}) {}
  // goes on from a snapshot: recomputation (checkpoint) draws what the first run drew
  explicit RandomScope(RandomState state);
  ~RandomScope();
  RandomScope(const RandomScope&) = delete;
  RandomScope& operator=(const RandomScope&) = delete;

 private:
  RandomState before_;
};
const RandomState& random_state();

// The draw for one dropout at the current module path; taken once in a forward and kept in its
// node. p outside [0, 1) is an Error.
DropoutDraw draw_dropout(double p);

// A tensor of independent normal (mean 0, variance 1) or uniform [low, high) numbers, a function of
// (seed, stream): initial values, test inputs.
Tensor random_normal(const Shape& shape, uint64_t seed, uint64_t stream = 0,
                     DType dtype = DType::f32);
Tensor random_uniform(const Shape& shape, double low, double high, uint64_t seed,
                      uint64_t stream = 0, DType dtype = DType::f32);

}  // namespace gradus
