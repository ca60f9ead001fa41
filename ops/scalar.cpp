// A number beside a tensor.                                                        x [..] -> y [..]
//   add_scalar  y = x + c                           dx = dy
//   mul_scalar  y = c x                             dx = c dy
//   pow         y = x^e                             dx = e x^(e-1) dy
//   clamp       y = min(max(x, low), high)          dx = dy where low <= x <= high, else 0
//   leaky_relu  y = x > 0 ? x : slope x             dx = dy, slope dy         Maas et al. 2013
//   elu         y = x > 0 ? x : alpha (e^x - 1)     dx = dy, dy (y + alpha)   Clevert et al. 2016
#include <cmath>

#include "gradus/kernels/kernels.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

template <class F>
Tensors with_scalar(const char* op, const Tensor& x, F f) {
  Tensor y = Tensor::empty(x.shape(), x.dtype());
  dispatch_float(op, x.dtype(), [&]<class T>() {
    elementwise<T(T)>(
        y, [f](T value) { return static_cast<T>(f(value)); }, x);
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
  // x^0 is 1 also at 0, where 0 x^-1 would be NaN.
  Tensors backward(const Tensors& dys) override {
    return {c == 0 ? Tensor() : dys[0] * (pow(saved(0), c - 1) * c)};
  }
};

struct Clamp : Op<Clamp> {
  static constexpr const char* name = "clamp";
  double low, high;
  Clamp(double low, double high) : low(low), high(high) {}
  std::string detail() const override { return fmt::format("low={} high={}", low, high); }
  Tensors forward(Inputs in) override {
    save({in[0]});
    return with_scalar(name, in[0], [this](auto x) {
      using T = decltype(x);
      const T held = x < static_cast<T>(low) ? static_cast<T>(low) : x;  // NaN stays NaN
      return held > static_cast<T>(high) ? static_cast<T>(high) : held;
    });
  }
  Tensors backward(const Tensors& dys) override {
    const Tensor x = saved(0).detach(), zero = zeros({}, x.dtype());
    const auto at = [&](double bound) { return full({}, bound, x.dtype()); };
    return {where(less(x, at(low)), zero, where(less(at(high), x), zero, dys[0]))};
  }
};

struct LeakyRelu : Op<LeakyRelu>, WithNumber {
  static constexpr const char* name = "leaky_relu";
  using WithNumber::WithNumber;
  std::string detail() const override { return fmt::format("slope={}", c); }
  Tensors forward(Inputs in) override {
    save({in[0]});
    return with_scalar(name, in[0],
                       [this](auto x) { return x > 0 ? x : x * static_cast<decltype(x)>(c); });
  }
  Tensors backward(const Tensors& dys) override {
    const Tensor x = saved(0).detach();
    return {where(less(zeros({}, x.dtype()), x), dys[0], dys[0] * c)};
  }
};

struct Elu : Op<Elu>, WithNumber {
  static constexpr const char* name = "elu";
  using WithNumber::WithNumber;
  std::string detail() const override { return fmt::format("alpha={}", c); }
  Tensors forward(Inputs in) override {
    const Tensor x = contiguous(in[0]);
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    dispatch_float(name, x.dtype(), [&]<class T>() {
      const T *from = x.data<T>(), alpha = static_cast<T>(c);
      T* to = y.write<T>();
      parallel_for(x.numel(), element_block, [&](int64_t begin, int64_t end) {
        kernels<T>().expm1(from + begin, to + begin, end - begin);
        loop(
            end - begin, [alpha](T v, T less_one) { return v > 0 ? v : alpha * less_one; },
            to + begin, from + begin, to + begin);
      });
    });
    save({x, y});
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    const Tensor x = saved(0).detach();
    return {where(less(zeros({}, x.dtype()), x), dys[0], dys[0] * (saved(1) + c))};
  }
};

}  // namespace

Tensor add(const Tensor& x, double c) { return apply<AddScalar>({x}, c)[0]; }
Tensor mul(const Tensor& x, double c) { return apply<MulScalar>({x}, c)[0]; }
Tensor pow(const Tensor& x, double exponent) { return apply<Pow>({x}, exponent)[0]; }
Tensor clamp(const Tensor& x, std::optional<double> low, std::optional<double> high) {
  check(low || high, "clamp: neither bound is given");
  const double a = low.value_or(-INFINITY), b = high.value_or(INFINITY);
  check(a <= b, "clamp: nothing lies between {} and {}; the first is the lower bound", a, b);
  return apply<Clamp>({x}, a, b)[0];
}
Tensor leaky_relu(const Tensor& x, double slope) { return apply<LeakyRelu>({x}, slope)[0]; }
Tensor elu(const Tensor& x, double alpha) { return apply<Elu>({x}, alpha)[0]; }

OpInfos scalar_ops() {
  // x from [low, high), in which f has no kink
  const auto row = [](const char* op, const char* formula,
                      const std::function<Tensor(const Tensor&)>& f, double low = 0.5,
                      double high = 2) {
    const auto call = [=](Inputs in) { return Tensors{f(in[0])}; };
    return OpInfo{.name = op,
                  .formula = formula,
                  .samples = {{"matrix", {sample::uniform({3, 4}, low, high)}, call},
                              {"vector tail", {sample::uniform({37}, low, high)}, call}},
                  .errors = {{"integers", [=] { f(arange(3)); }, {op, "i64"}}}};
  };
  const auto also = [](OpInfo info, const char* note, double low, double high, auto f) {
    info.samples.push_back(
        {note, {sample::uniform({19}, low, high)}, [f](Inputs in) { return Tensors{f(in[0])}; }});
    return info;
  };
  OpInfo power = row("pow", "x^e", [](const Tensor& x) { return pow(x, 2.5); });
  power = also(power, "both signs", -1, 1, [](const Tensor& x) { return pow(x, 3); });
  OpInfo clamped =
      row("clamp", "min(max(x, low), high)", [](const Tensor& x) { return clamp(x, 0.1, 3); });
  clamped = also(clamped, "below", -3, -2, [](const Tensor& x) { return clamp(x, -1, {}) * x; });
  clamped = also(clamped, "above", 1, 2, [](const Tensor& x) { return clamp(x, {}, 0.9) * x; });
  clamped.errors.push_back({"none", [] { clamp(ones({2}), {}, {}); }, {"clamp", "bound"}});
  clamped.errors.push_back({"order", [] { clamp(ones({2}), 2, 1); }, {"clamp", "2", "1"}});
  OpInfo leaky =
      row("leaky_relu", "x > 0 ? x : slope x", [](const Tensor& x) { return leaky_relu(x, 0.2); });
  leaky = also(leaky, "negative", -2, -0.1, [](const Tensor& x) { return leaky_relu(x, 0.2); });
  OpInfo exponential =
      row("elu", "x > 0 ? x : alpha (e^x - 1)", [](const Tensor& x) { return elu(x, 1.5); });
  exponential =
      also(exponential, "negative", -2, -0.1, [](const Tensor& x) { return elu(x, 1.5); });
  return {row("add_scalar", "x + c", [](const Tensor& x) { return x + 0.7; }),
          row("mul_scalar", "c x", [](const Tensor& x) { return x * -1.3; }),
          power,
          clamped,
          leaky,
          exponential};
}

}  // namespace gradus
