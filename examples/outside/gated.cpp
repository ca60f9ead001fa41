// A layer of one's own, from outside Gradus: its derivatives are checked, then two of it learn a
// product.
#include "nn/layers.h"

using namespace gradus;

struct Model {
  outside::Gated first{3, 16}, second{16, 1};
  Tensor operator()(const Tensor& x) const { return second(first(x)); }
  void parts(Parts& p) {
    p("first", first);
    p("second", second);
  }
};

int main() {
  Model model;
  initialize(model, Normal{0.4}, 3);

  // to learn: x0 * x1
  const Tensor x = random_normal({64, 3}, 1),
               y = reshape(slice(x, 1, 0, 1) * slice(x, 1, 1, 2), {64, 1});
  AdamW optimizer(model, {.learning_rate = 0.02});
  double loss = 0;
  for (int step = 0; step < 400; ++step) {
    const Tensor error = mean(square(model(x) - y));
    backward(error);
    optimizer.step();
    loss = error.item();
  }
  fmt::print("Gradus {}: loss after 400 steps {:.5f}\n", GRADUS_VERSION, loss);

  const auto result = gradcheck(model.first, {random_normal({2, 3}, 2)}, {.order = 2});
  fmt::print("{}", result.log);
  return result && loss < 0.05 ? 0 : 1;
}
