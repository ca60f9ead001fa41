// The table of ops: for every op its formula and samples, on which the tests (tests/ops), `gradus
// gradcheck` and the mutation test run. An op's file defines its rows as `OpInfos FILE_ops()`; the
// list of files in ops/meson.build is the one place where a file is registered.
#pragma once

#include "gradus/autograd/gradcheck.h"
#include "gradus/autograd/random.h"
#include "gradus/ops/op_info.h"
#include "gradus/ops/ops.h"

namespace gradus {

const OpInfos& op_table();

// For samples: a fixed tensor of normal numbers (f64), different for each stream; and one of
// numbers in [low, high).
inline Tensor sample_normal(const Shape& shape, uint64_t stream) {
  return random_normal(shape, 7, stream, DType::f64);
}
inline Tensor sample_uniform(const Shape& shape, double low, double high, uint64_t stream) {
  return random_uniform(shape, low, high, 7, stream, DType::f64);
}
Tensor sample_indices(const Shape& shape, int64_t below, uint64_t stream, DType dtype = DType::i32);

}  // namespace gradus
