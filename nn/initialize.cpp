#include "gradus/nn/initialize.h"

#include <cmath>

#include "gradus/autograd/modes.h"
#include "gradus/base/file.h"
#include "gradus/base/parallel.h"
#include "gradus/base/random.h"

namespace gradus {
namespace {

double draw(const Init& from, Random& random) {
  switch (from.kind) {
    case Init::Kind::normal: return from.value * random.normal();
    case Init::Kind::truncated_normal: {
      double x = random.normal();
      while (std::abs(x) > 2) x = random.normal();
      return from.value * x;
    }
    case Init::Kind::uniform: return random.uniform(-from.value, from.value);
    default: return from.value;
  }
}

void fill(const Parameter& p, const Init& from, uint64_t seed) {
  Tensor view = p.view();
  dispatch_float("initialize", view.dtype(), [&]<class T>() {
    T* at = view.write<T>();
    const uint64_t key = hash_bytes(p.name, seed);
    constexpr int64_t block = 1 << 14;  // elements of one random stream
    parallel_for(p.numel(), block, [&](int64_t begin, int64_t end) {
      Random random(key, static_cast<uint64_t>(begin / block));
      for (int64_t i = begin; i < end; ++i) at[i] = static_cast<T>(draw(from, random));
    });
  });
}

}  // namespace

void initialize(const ParameterList& list, Init distribution, uint64_t seed) {
  if (distribution.kind == Init::Kind::drawn)
    fail("initialize: it needs a distribution to draw from, such as Normal{{0.02}}");
  const NoGrad scope;
  for (const Parameter& p : list) {
    if (p.tied || p.buffer) continue;
    const Init& from = p.init.kind == Init::Kind::drawn ? distribution : p.init;
    if (from.kind != Init::Kind::keep) fill(p, from, seed);
  }
}

}  // namespace gradus
