// Dropout with a draw that is given: what fused ops' references call, so that kernel and reference
// drop the same elements.
#pragma once

#include "gradus/kernels/kernels.h"
#include "gradus/ops/ops.h"

namespace gradus {

Tensor dropout_with(const Tensor& x, const DropoutDraw& draw, const std::optional<Ragged>& rows);

}  // namespace gradus
