#include "gradus/nn/initialize.h"

#include <cmath>

#include "gradus/autograd/modes.h"
#include "gradus/base/file.h"
#include "gradus/base/parallel.h"
#include "gradus/base/random.h"

namespace gradus {
namespace {

void fill(const std::vector<Parameter>& list, uint64_t seed, double (*draw)(Random&),
          double stddev) {
  const NoGrad scope;
  for (const Parameter& p : list) {
    if (p.tied) continue;
    Tensor view = p.view();
    const bool is_matrix = p.leaf.rank() >= 2;
    const double constant = p.name.ends_with("weight") ? 1 : 0;
    dispatch_float("initialize", view.dtype(), [&]<class T>() {
      T* at = view.write<T>();
      const uint64_t key = hash_bytes(p.name, seed);
      constexpr int64_t block = 1 << 14;  // elements of one random stream
      parallel_for(p.numel(), block, [&](int64_t begin, int64_t end) {
        Random random(key, static_cast<uint64_t>(begin / block));
        for (int64_t i = begin; i < end; ++i)
          at[i] = static_cast<T>(is_matrix ? stddev * draw(random) : constant);
      });
    });
  }
}

}  // namespace

void initialize(const std::vector<Parameter>& list, Normal distribution, uint64_t seed) {
  fill(
      list, seed, [](Random& random) { return random.normal(); }, distribution.stddev);
}

void initialize(const std::vector<Parameter>& list, TruncatedNormal distribution, uint64_t seed) {
  fill(
      list, seed,
      [](Random& random) {
        double x = random.normal();
        while (std::abs(x) > 2) x = random.normal();
        return x;
      },
      distribution.stddev);
}

}  // namespace gradus
