// Calls so large that threads share the work, of the ops whose samples cannot be enlarged to that
// (threads.cpp).
#pragma once

#include "gradus/ops/op_info.h"

namespace gradus::testing {

std::vector<std::pair<std::string, Sample>> large_samples();  // by the op's name

}  // namespace gradus::testing
