// An op of one's own: swish(x) = x / (1 + exp(-x)) (Ramachandran et al. 2017). The forward is a
// plain loop; `reference` is the expression that it must equal, and gives it derivatives of every
// order. (A Fused op has a backward() of its own beside the reference.)
// check_op holds it to all that the ops of Gradus are held to; it needs calls with inputs, and
// wrong calls with the words that their Errors say.
#include <cmath>

#include "gradus/ops/check_op.h"
#include "gradus/ops/ops.h"

using namespace gradus;

struct Swish : Composed<Swish> {
  static constexpr const char* name = "swish";
  Tensors reference(Inputs in) const { return {in[0] * sigmoid(in[0])}; }
  Tensors forward(Inputs in) override {
    const Tensor x = contiguous(in[0]);
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    dispatch_float(name, x.dtype(), [&]<class T>() {
      const T* from = x.data<T>();
      T* to = y.write<T>();
      for (int64_t i = 0; i < x.numel(); ++i) to[i] = from[i] / (1 + std::exp(-from[i]));
    });
    return {y};
  }
};

Tensor swish(const Tensor& x) { return apply<Swish>({x})[0]; }

OpInfo swish_info() {
  const auto call = [](Inputs in) { return Tensors{swish(in[0])}; };
  return {
      .name = "swish",
      .formula = "x / (1 + exp(-x))",
      .samples = {{"matrix", {sample::normal({3, 4})}, call},
                  {"far from zero", {sample::uniform({17}, -9, 9)}, call}},
      .errors = {{"integers", [] { swish(arange(3)); }, {"swish", "i64"}}},
  };
}

int main() {
  Tensor x = tensor({-20, -1, 0, 1, 20}).set_requires_grad();
  const Tensor y = swish(x);
  fmt::print("swish {}\n", y);
  backward(sum(y * y));
  fmt::print("gradient of its square {}\n", x.grad());

  const OpReport report = check_op(swish_info());
  fmt::print("{}", report.log);
  return report ? 0 : 1;
}
