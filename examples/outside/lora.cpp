// LoRA (Hu et al. 2022) as a layer: W is frozen, and W + B A is used, of which A and B alone learn.
// A network has learned sign(x0 x1); then the world turns by 45 degrees, a change of W of rank 2.
#include <gradus/gradus.h>
using namespace gradus;
struct Adapter {
  Tensor a = zeros({2, 8}), b = zeros({64, 2});
  Tensor operator()(const Tensor& x) const { return linear(linear(x, a), b); }
  void parts(Parts& p) { p("a", a), p("b", b, Init::zeros); }
};
struct Lora {
  Linear base{8, 64};
  Adapter adapter;
  Tensor operator()(const Tensor& x) const { return base(x) + adapter(x); }
  void parts(Parts& p) { p("base", base), p("adapter", adapter); }
};
struct Network {
  Lora first;
  Linear out{64, 2};
  Tensor operator()(const Tensor& x) const { return out(gelu(first(x))); }
  void parts(Parts& p) { p("first", first), p("out", out); }
};
struct World {
  Tensor x, label;
  explicit World(bool turned, uint64_t seed, int64_t n = 128) : x(random_normal({n, 8}, seed)) {
    const Tensors c = unbind(x, 1);
    label = cast((turned ? c[0] * c[0] - c[1] * c[1] : c[0] * c[1]) > 0, DType::i64);
  }
};
double learn(Network& model, bool turned) {  // returns the share of right answers
  AdamW optimizer(model, {.learning_rate = 1e-2});
  for (int step = 1; step <= 500; ++step) {
    const World world(turned, step);
    backward(cross_entropy(model(world.x), world.label));
    optimizer.step(/*max_norm=*/1.0);
  }
  const World test(turned, 0, 2000);
  return accuracy(model(test.x), test.label);
}
int main() {
  Network model;
  initialize(model, Normal{0.3}, /*seed=*/1);
  freeze(model, "*adapter*");
  const double before = learn(model, /*turned=*/false);
  Network plain = clone(model), merged = clone(model);
  freeze(model), unfreeze(model, "*adapter*");
  const double after = learn(model, /*turned=*/true);
  const auto path = std::filesystem::temp_directory_path() / "gradus_adapter.safetensors";
  save(path, model.first.adapter);  // 144 numbers
  load(path, plain.first.adapter);
  const Tensor w = model.first.base.weight, x = random_normal({100, 8}, 2), y = model(x);
  merged.first.base.weight = (w + matmul(plain.first.adapter.b, plain.first.adapter.a)).detach();
  const double moved = norm(w - plain.first.base.weight), loaded = norm(plain(x) - y);
  const double apart = norm(merged(x) - y);
  const auto check = gradcheck(model.first, {random_normal({2, 8}, 1)}, {.order = 2});
  fmt::print("right before the turn {:.3f}, after it by 144 numbers {:.3f}\n", before, after);
  fmt::print("W moved {}, answers {} (loaded) {:.0e} (merged)\n{}\n", moved, loaded, apart,
             check.summary());
  return check && before > 0.9 && after > 0.9 && moved + loaded == 0 && apart < 1e-2 ? 0 : 1;
}
