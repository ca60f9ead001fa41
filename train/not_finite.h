// Where a number that is not finite comes from.
#pragma once

#include "gradus/train/loop.h"

namespace gradus {

// Runs the batch again, and names the first op, forward or backward, that made a number which is
// not finite of numbers that are: its path, and the ranges of its inputs. Leaves gradients behind.
std::string first_not_finite(const Batch& batch, const Objective& objective, uint64_t seed,
                             int64_t step);

}  // namespace gradus
