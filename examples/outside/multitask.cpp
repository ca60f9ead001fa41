// Two questions about a noisy wave: is it a sine or a square one, and what is its frequency? Muon
// trains the trunk, AdamW the two heads; all their gradients are clipped by one norm.
#include <gradus/gradus.h>
using namespace gradus;

struct Residual {  // x + W2 gelu(W1 norm(x))
  LayerNorm norm;
  Linear wide, back;
  explicit Residual(int64_t n) : norm(n), wide(n, 2 * n), back(2 * n, n) {}
  Tensor operator()(const Tensor& x) const { return x + back(gelu(wide(norm(x)))); }
  void parts(Parts& p) { p("norm", norm), p("wide", wide), p("back", back); }
};
struct Trunk {
  Linear in{40, 64};
  Residual first{64}, second{64};
  Tensor operator()(const Tensor& x) const { return second(first(in(x))); }
  void parts(Parts& p) { p("in", in), p("first", first), p("second", second); }
};
struct Heads {
  Linear kind{64, 2}, frequency{64, 1};
  void parts(Parts& p) { p("kind", kind), p("frequency", frequency); }
};
struct Waves {
  Tensor samples, kind, frequency;  // [n, 40], [n], [n, 1]
  Waves(uint64_t seed, int64_t n)
      : kind(cast(random_uniform({n}, 0, 1, seed) < 0.5, DType::i64)),
        frequency(random_uniform({n, 1}, 1, 4, seed, 1)) {
    const Tensor time = cast(arange(40), DType::f32) / 6, noise = random_normal({n, 40}, seed, 3);
    const Tensor wave = sin(frequency * time + random_uniform({n, 1}, 0, 6.3, seed, 2));
    samples = where(reshape(kind, {n, 1}) > 0, sign(wave), wave) + 0.3 * noise;
  }
};
int main() {
  Trunk trunk;
  Heads heads;
  initialize(trunk, Normal{0.15}, /*seed=*/1);
  initialize(heads, Normal{0.15}, /*seed=*/2);
  Muon muon(trunk);
  AdamW adamw(heads, {.learning_rate = 3e-3});
  for (int step = 1; step <= 400; ++step) {
    const Waves waves(step, 256);
    const Tensor h = trunk(waves.samples);
    backward(cross_entropy(heads.kind(h), waves.kind) +
             mean_squared_error(heads.frequency(h), waves.frequency));
    Optimizer::step({&muon, &adamw}, /*max_norm=*/1.0);
  }
  const Waves test(0, 1000);
  const Tensor h = trunk(test.samples);
  const double right = 100 * accuracy(heads.kind(h), test.kind);
  const double off = mean(abs(heads.frequency(h) - test.frequency)).item();
  fmt::print("Kind: {:.1f} % right. Frequency, 1 to 4: {:.2f} off on average\n", right, off);
  Residual small(6);
  initialize(small, Normal{0.5}, 3);
  const auto check = gradcheck(small, {random_normal({2, 6}, 1)}, {.order = 2});
  fmt::print("{}\n", check.summary());
  return check && right > 95 && off < 0.25 ? 0 : 1;
}
