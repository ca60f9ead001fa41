// What the core check did, and a hash of a few products, for tests that start a process with
// another environment.
#include <cstdio>
#include <vector>

#include "gradus/base/file.h"
#include "gradus/base/random.h"
#include "gradus/kernels/gemm.h"

int main() {
  using namespace gradus;
  const BlasCore& blas = prepare_blas();
  std::printf("core %s wanted %s started %s changed %d right %d\n", blas.core, blas.wanted,
              blas.started, blas.changed, blas.right);
  uint64_t hash = 0;
  for (const int64_t n : {48, 96, 200, 700}) {
    Random random(1);
    std::vector<float> a(static_cast<size_t>(n * n)), b(a.size()), c(a.size());
    for (float& v : a) v = static_cast<float>(random.uniform(-1, 1));
    for (float& v : b) v = static_cast<float>(random.uniform(-1, 1));
    for (const bool transpose : {false, true}) {
      gemm<float>(false, transpose, n, n, n, 1, a.data(), n, b.data(), n, 0, c.data(), n);
      hash = hash_bytes(c.data(), c.size() * sizeof(float), hash);
      gemm_serial<float>(transpose, false, n, n, n, 1, a.data(), n, b.data(), n, 0, c.data(), n);
      hash = hash_bytes(c.data(), c.size() * sizeof(float), hash);
    }
  }
  std::printf("hash %016llx\n", static_cast<unsigned long long>(hash));
}
