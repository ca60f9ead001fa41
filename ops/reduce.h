// What reductions share: their axes, and x seen as [outer, n, inner] of which n is reduced.
#pragma once

#include <vector>

#include "gradus/ops/elementwise.h"
#include "gradus/ops/ops.h"

namespace gradus {

// The axes, non-negative and in order. An axis out of range or given twice is an Error.
std::vector<int> checked_axes(const char* op, const Axes& axes, const Shape& shape);
std::vector<int> all_axes(const Tensor& x);

// y, whose reduced axes have size 1, with them or without.
Tensor keep_or_drop(const Tensor& y, const std::vector<int>& axes, bool keep_axes);

// x as contiguous [outer, n, inner]: itself, or a copy with the reduced axes last where they are
// scattered, or where what follows them is too narrow to be worth a loop. Depends on the shape
// alone, so that the order of additions does.
struct Reduced {
  Tensor x;
  int64_t outer = 1;
  int64_t n = 1;
  int64_t inner = 1;
  Shape kept;  // x's shape, size 1 where it is reduced
  Reduced(const Tensor& x, const std::vector<int>& axes);
};

// Columns are reduced in strips, whose results stay in the first-level cache.
constexpr int64_t column_strip = 2048;

}  // namespace gradus
