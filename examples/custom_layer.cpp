// A layer of one's own: a gated unit, y = W x * sigmoid(G x), used like any other. Nothing is
// registered: parts() lists what it holds, and from that follow names, counting, initial values,
// the optimizer and the check of its derivatives, by its input and by every parameter.
#include "gradus/nn/gradcheck.h"
#include "gradus/nn/layers.h"
#include "gradus/optim/adamw.h"

using namespace gradus;

struct Gated {
  Linear value, gate;
  Gated(int64_t in, int64_t out) : value(in, out), gate(in, out) {}
  Tensor operator()(const Tensor& x) const { return value(x) * sigmoid(gate(x)); }
  void parts(Parts& p) {
    p("value", value);
    p("gate", gate);
  }
};

struct Model {
  Gated first{3, 16}, second{16, 1};
  Tensor operator()(const Tensor& x) const { return second(first(x)); }
  void parts(Parts& p) {
    p("first", first);
    p("second", second);
  }
};

int main() {
  Model model;
  initialize(model, Normal{0.4}, 3);
  for (const Parameter& p : parameters(model)) fmt::print("{:<20} {}\n", p.name, p.view().shape());
  fmt::print("{} parameters\n", count_parameters(parameters(model)));

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
  fmt::print("loss after 400 steps: {:.5f}\n", loss);

  const auto result = gradcheck(model.first, {random_normal({2, 3}, 2)}, {.order = 2});
  fmt::print("{}", result.log);
  return result && loss < 0.05 ? 0 : 1;
}
