// What tests of gemm() and of its bf16 products share.
#pragma once

#include <omp.h>

#include "bench/gemm_shapes.h"
#include "gradus/kernels/gemm.h"
#include "tests/kernels/levels.h"

namespace gradus::testing {

// gemm() of the shape gives the same bits on 1, 2, 3 and 4 threads; then(run, result) goes on.
template <class F>
void check_same_bits_on_threads(const GemmShape& s, F&& then) {
  INFO(std::string(s.name));
  const auto a = uniform(s.m * s.k, -1, 1, 1), b = uniform(s.k * s.n, -1, 1, 2);
  const int64_t lda = s.transpose_a ? s.m : s.k, ldb = s.transpose_b ? s.k : s.n;
  std::vector<float> one(static_cast<size_t>(s.m * s.n)), other(one.size());
  const auto run = [&](std::vector<float>& c) {
    gemm<float>(s.transpose_a, s.transpose_b, s.m, s.n, s.k, 1, a.data(), lda, b.data(), ldb, 0,
                c.data(), s.n);
  };
  omp_set_num_threads(1);
  run(one);
  for (const int count : {2, 3, 4}) {
    CAPTURE(count);
    omp_set_num_threads(count);
    run(other);
    CHECK(same_bits(one, other));
  }
  then(run, one);
}

}  // namespace gradus::testing
