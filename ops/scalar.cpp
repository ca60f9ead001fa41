// A number beside a tensor.                                                        x [..] -> y [..]
//   add_scalar  y = x + c        dx = dy
//   mul_scalar  y = c x          dx = c dy
//   pow         y = x^e          dx = e x^(e-1) dy
#include <cmath>

#include "gradus/ops/elementwise.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

template <class F>
Tensors with_scalar(const char* op, const Tensor& x, F f) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  dispatch_float(op, x.dtype(), [&]<class T>() {
    map<T, T>(x, y, [f](T value) { return static_cast<T>(f(value)); });
  });
  return {y};
}

struct WithNumber {
  double c;
  explicit WithNumber(double c) : c(c) {}
};

struct AddScalar : Op<AddScalar>, WithNumber {
  static constexpr const char* name = "add_scalar";
  using WithNumber::WithNumber;
  std::string detail() const override { return fmt::format("c={}", c); }
  Tensors forward(Inputs in) override {
    return with_scalar(name, in[0], [this](auto x) { return x + static_cast<decltype(x)>(c); });
  }
  Tensors backward(const Tensors& dys) override { return {dys[0]}; }
};

struct MulScalar : Op<MulScalar>, WithNumber {
  static constexpr const char* name = "mul_scalar";
  using WithNumber::WithNumber;
  std::string detail() const override { return fmt::format("c={}", c); }
  Tensors forward(Inputs in) override {
    return with_scalar(name, in[0], [this](auto x) { return x * static_cast<decltype(x)>(c); });
  }
  Tensors backward(const Tensors& dys) override { return {dys[0] * c}; }
};

struct Pow : Op<Pow>, WithNumber {
  static constexpr const char* name = "pow";
  using WithNumber::WithNumber;
  std::string detail() const override { return fmt::format("exponent={}", c); }
  Tensors forward(Inputs in) override {
    save({in[0]});
    return with_scalar(name, in[0],
                       [this](auto x) { return std::pow(x, static_cast<decltype(x)>(c)); });
  }
  Tensors backward(const Tensors& dys) override { return {dys[0] * (pow(saved(0), c - 1) * c)}; }
};

}  // namespace

Tensor add(const Tensor& x, double c) { return apply<AddScalar>({x}, c)[0]; }
Tensor mul(const Tensor& x, double c) { return apply<MulScalar>({x}, c)[0]; }
Tensor pow(const Tensor& x, double exponent) { return apply<Pow>({x}, exponent)[0]; }

OpInfos scalar_ops() {
  const auto row = [](const char* op, const char* formula, Tensor (*f)(const Tensor&, double),
                      double c) {
    const auto call = [=](Inputs in) { return Tensors{f(in[0], c)}; };
    OpInfo info{op, formula, "scalar", [=]() -> std::vector<Sample> {
                  return {{"matrix", {sample_uniform({3, 4}, 0.5, 2, 1)}, call},
                          {"vector tail", {sample_uniform({37}, 0.5, 2, 2)}, call}};
                }};
    info.errors = [=]() -> std::vector<ErrorSample> {
      return {{"integers", [=] { f(arange(3), c); }, {op, "i64"}}};
    };
    return info;
  };
  return {row("add_scalar", "x + c", add, 0.7), row("mul_scalar", "c x", mul, -1.3),
          row("pow", "x^e", pow, 2.5)};
}

}  // namespace gradus
