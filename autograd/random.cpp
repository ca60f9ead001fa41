#include "gradus/autograd/random.h"

#include "gradus/autograd/modes.h"
#include "gradus/base/file.h"
#include "gradus/base/random.h"

namespace gradus {
namespace {
thread_local RandomState state;

// draw(random, T{}) gives the next number of dtype T.
template <class Draw>
Tensor fill_random(const Shape& shape, uint64_t seed, uint64_t stream, DType dtype, Draw draw) {
  Tensor x = Tensor::empty(shape, dtype);
  dispatch_float("random", dtype, [&]<class T>() {
    Random random(seed, stream);
    T* at = x.write<T>();
    for (int64_t i = 0; i < x.numel(); ++i) at[i] = draw(random, T{});
  });
  return x;
}
}  // namespace

const RandomState& random_state() { return state; }
RandomScope::RandomScope(RandomState next) : before_(std::exchange(state, std::move(next))) {}
RandomScope::~RandomScope() { state = std::move(before_); }

DropoutDraw draw_dropout(double p) {
  check(p >= 0 && p < 1, "dropout: the rate {} is outside [0, 1)", p);
  const std::string& path = *current_path();
  const uint64_t place = hash_bytes(path, state.occurrences[path]++);
  uint64_t key = hash_bytes(&state.step, sizeof state.step, state.seed ^ 0x9E3779B97F4A7C15ull);
  return {p, key, static_cast<uint32_t>(place ^ (place >> 32))};
}

Tensor random_normal(const Shape& shape, uint64_t seed, uint64_t stream, DType dtype) {
  return fill_random(shape, seed, stream, dtype,
                     []<class T>(Random& random, T) { return static_cast<T>(random.normal()); });
}
Tensor random_uniform(const Shape& shape, double low, double high, uint64_t seed, uint64_t stream,
                      DType dtype) {
  return fill_random(shape, seed, stream, dtype, [=]<class T>(Random& random, T) {
    return random.uniform<T>(static_cast<T>(low), static_cast<T>(high));
  });
}

}  // namespace gradus
