// The smallest whole program: a model is a value that lists its parts, a loss is an expression, a
// step is two calls.
#include "gradus/nn/layers.h"
#include "gradus/optim/adamw.h"

using namespace gradus;

struct Xor {
  Linear hidden{2, 8}, out{8, 1};
  Tensor operator()(const Tensor& x) const { return out(tanh(hidden(x))); }
  void parts(Parts& p) {
    p("hidden", hidden);
    p("out", out);
  }
};

int main() {
  const auto x = tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}}), y = tensor({{0}, {1}, {1}, {0}});
  Xor model;
  initialize(model, Normal{0.5}, /*seed=*/1);
  AdamW optimizer(model, {.learning_rate = 0.05});
  for (int step = 0; step < 300; ++step) {
    const auto loss = mean(square(model(x) - y));
    backward(loss);
    optimizer.step();  // and clears the gradients
    if (step % 100 == 0) fmt::print("{:3}  loss {:.4f}\n", step, loss.item());
  }
  fmt::print("{}\n", model(x));
  return mean(square(model(x) - y)).item() < 0.01 ? 0 : 1;
}
