// Initial values: each parameter begins as its layer says in parts() (nn/init.h); those that say
// nothing and have two axes or more are drawn from the distribution given here. Each parameter's
// values are a function of (seed, its name) and nothing else, so adding a layer changes no other.
// Buffers are left alone.
#pragma once

#include "gradus/nn/parts.h"

namespace gradus {

//   initialize(model, Normal{0.02}, /*seed=*/1);
void initialize(const ParameterList& list, Init distribution, uint64_t seed);

}  // namespace gradus
