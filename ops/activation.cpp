// The activations that have kernels.                                               x [..] -> y [..]
//   gelu  Hendrycks and Gimpel 2016, the Gaussian error linear unit
//     erf form   y = x Phi(x),  Phi(x) = (1 + erf(x / sqrt 2)) / 2;     dx = dy (Phi(x) + x phi(x))
//     tanh form  y = x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2
//                Google's BERT; differs from the erf form by at most 4.7e-4
//   silu  Elfwing et al. 2017, also called swish
//                y = x s,  s = sigmoid(x);                              dx = dy (s + x s (1 - s))
// bias_gelu, x [.., n], bias [n]: gelu(x + bias) in one pass; dbias = sum of dx over rows. Saved: x
// (and bias).
#include "gradus/ops/activation.h"

#include <cmath>
#include <numbers>

#include "gradus/ops/rows.h"
#include "gradus/ops/table.h"

namespace gradus {

Activation activation_of(Gelu form) {
  return form == Gelu::erf ? Activation::gelu : Activation::gelu_tanh;
}

const char* to_string(Activation f) {
  constexpr const char* names[] = {"erf", "tanh", "silu"};
  return names[static_cast<int>(f)];
}

namespace {

Tensor activation_reference(const Tensor& x, Activation f) {
  if (f == Activation::silu) return x * sigmoid(x);
  const Tensor bracket =
      f == Activation::gelu
          ? erf(x * std::numbers::sqrt2 / 2.0)
          : tanh((x + x * square(x) * 0.044715) * std::sqrt(2 / std::numbers::pi));
  return x * (bracket + 1) * 0.5;
}

template <class Self>
struct OfOneElement : Fused<Self> {
  Activation f;
  explicit OfOneElement(Activation f) : f(f) {}
  Tensors reference(Inputs in) const { return {activation_reference(in[0], f)}; }

  Tensors forward(Inputs in) override {
    const Tensor x = contiguous(in[0]);
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    this->save({x});
    dispatch_float(Self::name, x.dtype(), [&]<class T>() {
      const T* from = x.data<T>();
      T* to = y.write<T>();
      parallel_for(x.numel(), element_block, [&](int64_t begin, int64_t end) {
        kernels<T>().activation(from + begin, to + begin, end - begin, f);
      });
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    const Tensor x = this->saved(0), dy = contiguous(dys[0]);
    Tensor dx = Tensor::empty(x.shape(), x.dtype());
    dispatch_float(Self::name, x.dtype(), [&]<class T>() {
      T* to = dx.write<T>();
      parallel_for(x.numel(), element_block, [&](int64_t begin, int64_t end) {
        kernels<T>().activation_backward(x.data<T>() + begin, dy.data<T>() + begin, to + begin,
                                         end - begin, f);
      });
    });
    return {dx};
  }
};

struct GeluOp : OfOneElement<GeluOp> {
  static constexpr const char* name = "gelu";
  using OfOneElement::OfOneElement;
  std::string detail() const override { return to_string(f); }
};
struct SiluOp : OfOneElement<SiluOp> {
  static constexpr const char* name = "silu";
  using OfOneElement::OfOneElement;
};

struct BiasGelu : Fused<BiasGelu> {
  static constexpr const char* name = "bias_gelu";
  Activation f;
  explicit BiasGelu(Activation f) : f(f) {}
  std::string detail() const override { return to_string(f); }
  Tensors reference(Inputs in) const { return {activation(in[0] + in[1], f)}; }

  Tensors forward(Inputs in) override {
    const int64_t n = row_length(name, in[0]);
    check_same_dtype(name, in[0], in[1]);
    if (in[1].shape() != Shape{n})
      fail("bias_gelu: bias {} does not fit x {}; it must be [{}]", in[1].shape(), in[0].shape(),
           n);
    const Tensor x = contiguous(in[0]), bias = contiguous(in[1]);
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    save({x, bias});
    dispatch_float(name, x.dtype(), [&]<class T>() {
      T* to = y.write<T>();
      for_row_blocks(row_count(x), n, [&](int64_t first, int64_t rows) {
        kernels<T>().bias_activation(x.data<T>() + first * n, bias.data<T>(), to + first * n, rows,
                                     n, f);
      });
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    const Tensor x = saved(0), bias = saved(1), dy = contiguous(dys[0]);
    const int64_t n = x.shape()[-1];
    Tensor dx = Tensor::empty(x.shape(), x.dtype());
    GradientSlot dbias = slot(1);
    dbias.zero_unless_added_to();
    dispatch_float(name, x.dtype(), [&]<class T>() {
      T* to = dx.write<T>();
      for_row_blocks_summing<T>(row_count(x), n, n, dbias.into.template write<T>(),
                                [&](int64_t first, int64_t rows, T* sums) {
                                  kernels<T>().bias_activation_backward(
                                      x.data<T>() + first * n, bias.data<T>(),
                                      dy.data<T>() + first * n, to + first * n, sums, rows, n, f);
                                });
    });
    return {dx, dbias.gradient()};
  }
};

}  // namespace

Tensor activation(const Tensor& x, Activation f) {
  return f == Activation::silu ? apply<SiluOp>({x}, f)[0] : apply<GeluOp>({x}, f)[0];
}
Tensor gelu(const Tensor& x, Gelu form) { return activation(x, activation_of(form)); }
Tensor silu(const Tensor& x) { return activation(x, Activation::silu); }
Tensor bias_gelu(const Tensor& x, const Tensor& bias, Gelu form) {
  return apply<BiasGelu>({x, bias}, activation_of(form))[0];
}

OpInfos activation_ops() {
  const auto call = [](Gelu form) {
    return [form](Inputs in) { return Tensors{gelu(in[0], form)}; };
  };
  const auto biased = [](Gelu form) {
    return [form](Inputs in) { return Tensors{bias_gelu(in[0], in[1], form)}; };
  };
  const auto silu_call = [](Inputs in) { return Tensors{silu(in[0])}; };
  return {
      {.name = "gelu",
       .formula = "x Phi(x)",
       .samples = {{"erf", {sample::uniform({3, 7}, -4, 4)}, call(Gelu::erf)},
                   {"tanh", {sample::uniform({3, 7}, -4, 4)}, call(Gelu::tanh)},
                   {"vector tail", {sample::normal({37})}, call(Gelu::erf)}},
       .errors = {{"integers", [] { gelu(arange(3)); }, {"gelu", "i64"}}}},
      {.name = "silu",
       .formula = "x sigmoid(x)",
       .samples = {{"matrix", {sample::uniform({3, 7}, -4, 4)}, silu_call},
                   {"vector tail", {sample::normal({37})}, silu_call}},
       .errors = {{"integers", [] { silu(arange(3)); }, {"silu", "i64"}}}},
      {.name = "bias_gelu",
       .formula = "gelu(x + b)",
       .samples = {{"erf", {sample::normal({3, 7}), sample::normal({7})}, biased(Gelu::erf)},
                   {"tanh", {sample::normal({2, 2, 5}), sample::normal({5})}, biased(Gelu::tanh)},
                   {"vector tail",
                    {sample::normal({2, 19}), sample::normal({19})},
                    biased(Gelu::erf)}},
       .errors = {{"bias",
                   [] {
                     bias_gelu(ones({2, 3}), ones({2}));
                   },
                   {"bias_gelu", "[2]", "[2, 3]"}}}}};
}

}  // namespace gradus
