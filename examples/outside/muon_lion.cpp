// Two spirals, wound three halves of a turn around each other, told apart by one small network that
// three optimizers train: AdamW, Muon (matrices made orthogonal) and Lion (signs alone).
#include <gradus/gradus.h>
using namespace gradus;

struct Residual {  // x + W2 gelu(W1 norm(x))
  LayerNorm norm{32};
  Linear wide{32, 64}, back{64, 32};
  Tensor operator()(const Tensor& x) const { return x + back(gelu(wide(norm(x)))); }
  void parts(Parts& p) { p("norm", norm), p("wide", wide), p("back", back); }
};
struct Network {
  Linear in{2, 32}, out{32, 2};
  Residual first, second;
  Tensor operator()(const Tensor& x) const { return out(second(first(in(x)))); }
  void parts(Parts& p) { p("in", in), p("first", first), p("second", second), p("out", out); }
};

struct Spirals {
  Tensor points, arm;
  explicit Spirals(uint64_t seed, int64_t n = 256)
      : arm(cast(random_uniform({n}, 0, 1, seed) < 0.5, DType::i64)) {
    const Tensor turn = 9.5 * sqrt(random_uniform({n}, 0.01, 1, seed, 1));
    const Tensor angle = turn + std::numbers::pi * cast(arm, DType::f32);
    const Tensor noise = 0.05 * random_normal({n, 2}, seed, 2);
    points = stack({turn * cos(angle), turn * sin(angle)}, 1) / 5 + noise;
  }
};

int main() {
  const Spirals test(0, 2000);
  bool learned = true;
  fmt::print("loss after 50, 100, … 400 steps\n");
  const std::vector<std::pair<std::string, double>> rules{
      {"adamw", 5e-3}, {"muon", 5e-3}, {"lion", 5e-4}};
  for (const auto& [name, rate] : rules) {
    Network model;
    initialize(model, Normal{0.2}, /*seed=*/1);
    const auto optimizer = make_optimizer(name, model, {.learning_rate = rate});
    fmt::print("{:<6}", name);
    for (int step = 1; step <= 400; ++step) {
      const Spirals batch(step);
      const Tensor loss = cross_entropy(model(batch.points), batch.arm);
      backward(loss);
      optimizer->step(1.0);
      if (step % 50 == 0) fmt::print("  {:.4f}", loss.item());
    }
    const double right = accuracy(model(test.points), test.arm);
    fmt::print("  {:.1f} % of new points\n", 100 * right);
    learned = learned && right > 0.97;
  }
  Residual layer;
  initialize(layer, Normal{0.2}, 2);
  const auto check = gradcheck(layer, {random_normal({2, 32}, 1)}, {.order = 2});
  fmt::print("{}\n", check.summary());
  return check && learned ? 0 : 1;
}
