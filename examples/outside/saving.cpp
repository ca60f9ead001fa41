// A run that is saved halfway, loaded into a new model and a new optimizer and finished there, ends
// where the run itself ends, bit for bit: parameters, buffers of a batch norm, moments, dropout.
#include <gradus/gradus.h>
using namespace gradus;

struct BatchNorm {  // Ioffe and Szegedy 2015, without its scale and shift
  Tensor centre = zeros({4}), spread = ones({4});
  Tensor operator()(const Tensor& x) const {
    if (!training()) return (x - centre) * rsqrt(spread + 1e-5);
    const Tensor m = mean(x, 0), v = var(x, 0, {.unbiased = false});
    assign(centre, 0.99 * centre + 0.01 * m.detach());
    assign(spread, 0.99 * spread + 0.01 * v.detach());
    return (x - m) * rsqrt(v + 1e-5);
  }
  void parts(Parts& p) { p.buffer("centre", centre), p.buffer("spread", spread); }
};
struct Network {
  BatchNorm norm;
  Linear in{4, 64}, out{64, 2};
  Dropout dropout{0.1};
  Tensor operator()(const Tensor& x) const { return out(dropout(gelu(in(norm(x))))); }
  void parts(Parts& p) { p("norm", norm), p("in", in), p("out", out); }
};
// Near the middle of a cloud, or far from it? The four columns have very different sizes.
std::pair<Tensor, Tensor> data(uint64_t seed, int64_t n) {
  const Tensor z = random_normal({n, 4}, seed);
  return {(z + 3) * tensor({1, 10, 100, 1000}), cast(sum(square(z), 1) > 3.36, DType::i64)};
}
void train(Network& model, Optimizer& optimizer, int from, int to) {
  const Training scope;
  for (int step = from; step < to; ++step) {
    const RandomScope draws(/*seed=*/1, step);  // dropout is a function of seed and step
    const auto [x, label] = data(step + 1, 128);
    backward(cross_entropy(model(x), label));
    optimizer.step(/*max_norm=*/1.0);
  }
}
int main() {
  Network model, other;
  initialize(model, Normal{0.5}, /*seed=*/1);
  AdamW optimizer(model, {.learning_rate = 1e-2}), continued(other, {.learning_rate = 1e-2});
  const auto folder = std::filesystem::temp_directory_path();
  train(model, optimizer, 0, 300);
  save(folder / "gradus_model.safetensors", model, {{"step", "300"}});
  save_optimizer(folder / "gradus_adamw.safetensors", optimizer);
  train(model, optimizer, 300, 600);
  const Metadata said = load(folder / "gradus_model.safetensors", other);
  load_optimizer(folder / "gradus_adamw.safetensors", continued);
  train(other, continued, std::stoi(said.at("step")), 600);
  double apart = 0;
  const auto a = parameters(model), b = parameters(other);
  for (size_t i = 0; i < a.size(); ++i) apart += norm(a[i].view() - b[i].view());
  const auto [x, label] = data(0, 1000);
  const double right = 100 * accuracy(model(x), label);
  const Training scope;
  const auto check = gradcheck(model.norm, {random_normal({3, 4}, 1)}, {.order = 2});
  fmt::print("{:.1f} % right; the two are {} apart\n{}\n", right, apart, check.summary());
  return check && apart == 0 && right > 90 ? 0 : 1;
}
