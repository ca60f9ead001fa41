// What ops with an activation in them share: which kernel it is, and the expression it equals.
#pragma once

#include "gradus/kernels/kernels.h"
#include "gradus/ops/ops.h"

namespace gradus {

Activation activation_of(Gelu form);
const char* to_string(Activation f);
Tensor activation(const Tensor& x, Activation f);  // gelu or silu

}  // namespace gradus
