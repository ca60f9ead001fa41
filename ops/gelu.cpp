// The Gaussian error linear unit (Hendrycks and Gimpel 2016).                      x [..] -> y [..]
//   erf form   y = x Phi(x),  Phi(x) = (1 + erf(x / sqrt 2)) / 2;       dx = dy (Phi(x) + x phi(x))
//  tanh form  y = x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2  Google's BERT; differs by at most 4.7e-4
// bias_gelu, x [.., n], bias [n]: gelu(x + bias) in one pass; dbias = sum of dx over rows. Saved: x
// (and bias).
#include <cmath>
#include <numbers>

#include "gradus/kernels/kernels.h"
#include "gradus/ops/rows.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

Tensor gelu_reference(const Tensor& x, Gelu form) {
  const Tensor bracket =
      form == Gelu::erf ? erf(x * std::numbers::sqrt2 / 2.0)
                        : tanh((x + x * square(x) * 0.044715) * std::sqrt(2 / std::numbers::pi));
  return x * (bracket + 1) * 0.5;
}

struct GeluOp : Fused<GeluOp> {
  static constexpr const char* name = "gelu";
  Gelu form;
  explicit GeluOp(Gelu form) : form(form) {}
  std::string detail() const override { return form == Gelu::erf ? "erf" : "tanh"; }
  Tensors reference(Inputs in) const { return {gelu_reference(in[0], form)}; }

  Tensors forward(Inputs in) override {
    const Tensor x = contiguous(in[0]);
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    save({x});
    dispatch_float(name, x.dtype(), [&]<class T>() {
      const T* from = x.data<T>();
      T* to = y.write<T>();
      parallel_for(x.numel(), element_block, [&](int64_t begin, int64_t end) {
        kernels<T>().gelu(from + begin, to + begin, end - begin, form == Gelu::tanh);
      });
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    const Tensor x = saved(0), dy = contiguous(dys[0]);
    Tensor dx = Tensor::empty(x.shape(), x.dtype());
    dispatch_float(name, x.dtype(), [&]<class T>() {
      T* to = dx.write<T>();
      parallel_for(x.numel(), element_block, [&](int64_t begin, int64_t end) {
        kernels<T>().gelu_backward(x.data<T>() + begin, dy.data<T>() + begin, to + begin,
                                   end - begin, form == Gelu::tanh);
      });
    });
    return {dx};
  }
};

struct BiasGelu : Fused<BiasGelu> {
  static constexpr const char* name = "bias_gelu";
  Gelu form;
  explicit BiasGelu(Gelu form) : form(form) {}
  std::string detail() const override { return form == Gelu::erf ? "erf" : "tanh"; }
  Tensors reference(Inputs in) const { return {gelu_reference(in[0] + in[1], form)}; }

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
        kernels<T>().bias_gelu(x.data<T>() + first * n, bias.data<T>(), to + first * n, rows, n,
                               form == Gelu::tanh);
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
                                  kernels<T>().bias_gelu_backward(
                                      x.data<T>() + first * n, bias.data<T>(),
                                      dy.data<T>() + first * n, to + first * n, sums, rows, n,
                                      form == Gelu::tanh);
                                });
    });
    return {dx, dbias.gradient()};
  }
};

}  // namespace

Tensor gelu(const Tensor& x, Gelu form) { return apply<GeluOp>({x}, form)[0]; }
Tensor bias_gelu(const Tensor& x, const Tensor& bias, Gelu form) {
  return apply<BiasGelu>({x, bias}, form)[0];
}

OpInfos gelu_ops() {
  OpInfo plain{"gelu", "x Phi(x)", "gelu", []() -> std::vector<Sample> {
                 const auto call = [](Gelu form) {
                   return [form](Inputs in) { return Tensors{gelu(in[0], form)}; };
                 };
                 return {{"erf", {sample_normal({3, 7}, 1) * 2.0}, call(Gelu::erf)},
                         {"tanh", {sample_normal({3, 7}, 2) * 2.0}, call(Gelu::tanh)},
                         {"vector tail", {sample_normal({37}, 3)}, call(Gelu::erf)}};
               }};
  plain.errors = []() -> std::vector<ErrorSample> {
    return {{"integers", [] { gelu(arange(3)); }, {"gelu", "i64"}}};
  };
  OpInfo biased{
      "bias_gelu", "gelu(x + b)", "gelu", []() -> std::vector<Sample> {
        const auto call = [](Gelu form) {
          return [form](Inputs in) { return Tensors{bias_gelu(in[0], in[1], form)}; };
        };
        return {
            {"erf", {sample_normal({3, 7}, 4), sample_normal({7}, 5)}, call(Gelu::erf)},
            {"tanh", {sample_normal({2, 2, 5}, 6), sample_normal({5}, 7)}, call(Gelu::tanh)},
            {"vector tail", {sample_normal({2, 19}, 8), sample_normal({19}, 9)}, call(Gelu::erf)}};
      }};
  biased.errors = []() -> std::vector<ErrorSample> {
    return {{"bias", [] { bias_gelu(ones({2, 3}), ones({2})); }, {"bias_gelu", "[2]", "[2, 3]"}}};
  };
  return {plain, biased};
}

}  // namespace gradus
