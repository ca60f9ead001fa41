// Derivatives of derivatives, through fused ops as well: a Hessian-vector product three ways, and a
// gradient penalty that trains.
#include "gradus/autograd/transform.h"
#include "gradus/nn/layers.h"

using namespace gradus;

int main() {
  const Tensor x = random_normal({4, 5}, 1, 0, DType::f64),
               v = random_normal({5}, 2, 0, DType::f64);
  const Tensor bias = random_normal({5}, 3, 0, DType::f64);
  Tensor w = random_normal({5}, 4, 0, DType::f64).set_requires_grad();
  const auto f = [&](Inputs in) {
    return sum(square(layer_norm(x, in[0], bias, 1e-5) * softmax(in[0])));
  };

  // 1. The gradient is itself a recorded function of w.
  const Tensor gradient = grad(f({w}), {w}, {.create_graph = true})[0];
  const Tensor by_hand = grad(sum(gradient * v), {w})[0];
  // 2. The same as one call.
  const Tensor by_call = hvp(f, {w}, {v})[0];
  // 3. By differences of gradients.
  const auto gradient_at = [&](double step) {
    return vjp([&](Inputs in) { return Tensors{f(in)}; }, {w.detach() + v * step},
               {scalar(1, DType::f64)})
        .dxs[0];
  };
  const Tensor by_difference = (gradient_at(1e-5) - gradient_at(-1e-5)) / 2e-5;

  fmt::print("H v by two walks  {}\nH v by hvp()      {}\nby differences    {}\n", by_hand, by_call,
             by_difference);
  const double gap = norm(by_hand - by_call) + norm(by_hand - by_difference);
  fmt::print("apart by {:.1e}\n", gap);

  // A penalty on the length of the gradient by the input: its own gradient reaches the parameter.
  Tensor input = x.detach().set_requires_grad();
  const Tensor slope = grad(sum(tanh(input * w)), {input}, {.create_graph = true})[0];
  backward(sum(square(slope)));
  fmt::print("d |slope|^2 / d w  {}\n", w.grad());
  return gap < 1e-6 ? 0 : 1;
}
