// Dropout with a draw that is given: what fused ops' references call, so that kernel and reference drop the same elements.
#pragma once

#include "ops/kernels/kernels.h"
#include "ops/ops.h"

namespace gradus {

Tensor dropout_with(const Tensor& x, const DropoutDraw& draw, const std::optional<Ragged>& rows);

}  // namespace gradus
