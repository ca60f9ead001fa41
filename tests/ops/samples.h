// For the tests of ops: what check_op is made of, under the tests' names.
#pragma once

#include <doctest/doctest.h>

#include "gradus/autograd/graph.h"
#include "gradus/base/parallel.h"
#include "gradus/ops/check_op.h"
#include "gradus/ops/check_op/runs.h"
#include "gradus/ops/table.h"

namespace gradus::testing {

using namespace op_check;

}  // namespace gradus::testing
