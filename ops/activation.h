// What ops with an activation in them share: which kernel it is, and the expression it equals.
#pragma once

#include "gradus/kernels/kernels.h"
#include "gradus/ops/ops.h"

namespace gradus {

Activation activation_of(Gelu form);
const char* to_string(Activation f);
Tensor activation_reference(const Tensor& x, Activation f);

}  // namespace gradus
