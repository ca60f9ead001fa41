// The audit: after the first backward of a run, a parameter that the loss never reached, or a
// trained leaf that no module names, is an Error. A silently cut graph is the commonest bug of this
// field, and no loss curve shows it.
#pragma once

#include "gradus/autograd/engine.h"
#include "gradus/nn/parts.h"

namespace gradus {

// reached: what backward() reported. Buffers, frozen parameters and those that match a pattern of
// `unreached_on_purpose` are let pass.
void audit(const ParameterList& list, const Tensors& reached,
           const std::vector<std::string>& unreached_on_purpose = {});

}  // namespace gradus
