// Functions of one element.                                                        x [..] -> y [..]
// Each is one row here: its value on numbers, and its derivative in terms of the tensors x and y.
// exp, expm1, log, log1p, tanh, sigmoid, erf and softplus run vectorised kernels; the others are
// one instruction or rare. sign and floor are recorded, and nothing flows back through them.
//   neg -x        dx = -dy        sqrt        dx = dy / (2 y)        relu       dx = dy where x > 0
//   exp      dx = dy y       rsqrt       dx = -dy y^3 / 2       sin, cos   dx = dy cos x, -dy sin x
//   log          dx = dy / x          square      dx = 2 dy x          tanh       dx = dy (1 - y^2)
//   abs         dx = dy sign(x)       reciprocal  dx = -dy y^2         sigmoid    dx = dy y (1 - y)
//   erf                 dx = dy 2/sqrt(pi) exp(-x^2)                  softplus   dx = dy sigmoid(x)
//   expm1    dx = dy (y + 1)     log1p       dx = dy / (1 + x)         sign, floor  dx = 0
#include <cmath>
#include <numbers>

#include "gradus/kernels/kernels.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

// A loop from the kernel table over contiguous memory, cut into blocks.
template <class T>
using Loop = void (*)(const T*, T*, int64_t);
template <class T>
void run_loop(Loop<T> loop, const Tensor& x, Tensor& y) {
  const T* from = x.data<T>();
  T* to = y.write<T>();
  parallel_for(x.numel(), element_block,
               [&](int64_t begin, int64_t end) { loop(from + begin, to + begin, end - begin); });
}

template <class F>
concept HasLoop = requires {
  F::template loop<float>();
};

// F: static name, saves_output, value<T>(x, y) or loop<T>(); dx(dy, x or y).
template <class F>
struct Unary : Op<Unary<F>> {
  static constexpr const char* name = F::name;
  Tensors forward(Inputs in) override {
    Tensor y = Tensor::empty(in[0].shape(), in[0].dtype());
    dispatch_float(name, y.dtype(), [&]<class T>() {
      if constexpr (HasLoop<F>) run_loop<T>(F::template loop<T>(), contiguous(in[0]), y);
      else
        elementwise<T(T)>(
            y, [](T x) { return static_cast<T>(F::value(x)); }, in[0]);
    });
    this->save({F::saves_output ? y : in[0]});
    return {y};
  }
  Tensors backward(const Tensors& dys) override { return {F::dx(dys[0], this->saved(0))}; }
};

// What backward needs.
struct SavesInput {
  static constexpr bool saves_output = false;
};
struct SavesOutput {
  static constexpr bool saves_output = true;
};

// A table, a row an op.
// clang-format off
struct Neg : SavesOutput { static constexpr auto name = "neg";
  static auto value(auto x) { return -x; }
  static Tensor dx(const Tensor& dy, const Tensor&) { return neg(dy); } };
struct Exp : SavesOutput { static constexpr auto name = "exp";
  template <class T> static Loop<T> loop() { return kernels<T>().exp; }
  static Tensor dx(const Tensor& dy, const Tensor& y) { return dy * y; } };
struct Log : SavesInput { static constexpr auto name = "log";
  template <class T> static Loop<T> loop() { return kernels<T>().log; }
  static Tensor dx(const Tensor& dy, const Tensor& x) { return dy / x; } };
struct Sqrt : SavesOutput { static constexpr auto name = "sqrt";
  static auto value(auto x) { return std::sqrt(x); }
  static Tensor dx(const Tensor& dy, const Tensor& y) { return dy / (y * 2); } };
struct Rsqrt : SavesOutput { static constexpr auto name = "rsqrt";
  static auto value(auto x) { return 1 / std::sqrt(x); }
  static Tensor dx(const Tensor& dy, const Tensor& y) { return dy * (y * square(y) * -0.5); } };
struct Square : SavesInput { static constexpr auto name = "square";
  static auto value(auto x) { return x * x; }
  static Tensor dx(const Tensor& dy, const Tensor& x) { return dy * (x * 2); } };
struct Reciprocal : SavesOutput { static constexpr auto name = "reciprocal";
  static auto value(auto x) { return 1 / x; }
  static Tensor dx(const Tensor& dy, const Tensor& y) { return neg(dy * square(y)); } };
struct Abs : SavesInput { static constexpr auto name = "abs";
  static auto value(auto x) { return std::abs(x); }
  static Tensor dx(const Tensor& dy, const Tensor& x) {
    const Tensor zero = zeros({}, dy.dtype()), c = x.detach();
    return where(less(c, zero), neg(dy), where(less(zero, c), dy, zero));
  } };
struct Relu : SavesInput { static constexpr auto name = "relu";
  static auto value(auto x) { return x > 0 ? x : x * 0; }   // NaN stays NaN
  static Tensor dx(const Tensor& dy, const Tensor& x) { return where(x.detach() > 0, dy, 0); } };
struct Sin : SavesInput { static constexpr auto name = "sin";
  static auto value(auto x) { return std::sin(x); }
  static Tensor dx(const Tensor& dy, const Tensor& x) { return dy * cos(x); } };
struct Cos : SavesInput { static constexpr auto name = "cos";
  static auto value(auto x) { return std::cos(x); }
  static Tensor dx(const Tensor& dy, const Tensor& x) { return neg(dy * sin(x)); } };
struct Tanh : SavesOutput { static constexpr auto name = "tanh";
  template <class T> static Loop<T> loop() { return kernels<T>().tanh; }
  static Tensor dx(const Tensor& dy, const Tensor& y) { return dy * (1 - square(y)); } };
struct Sigmoid : SavesOutput { static constexpr auto name = "sigmoid";
  template <class T> static Loop<T> loop() { return kernels<T>().sigmoid; }
  static Tensor dx(const Tensor& dy, const Tensor& y) { return dy * (y * (1 - y)); } };
struct Erf : SavesInput { static constexpr auto name = "erf";
  template <class T> static Loop<T> loop() { return kernels<T>().erf; }
  static constexpr double kScale = 2 * std::numbers::inv_sqrtpi;
  static Tensor dx(const Tensor& dy, const Tensor& x) { return dy * (exp(-square(x)) * kScale); } };
struct Softplus : SavesInput { static constexpr auto name = "softplus";
  template <class T> static Loop<T> loop() { return kernels<T>().softplus; }
  static Tensor dx(const Tensor& dy, const Tensor& x) { return dy * sigmoid(x); } };
struct Expm1 : SavesOutput { static constexpr auto name = "expm1";
  template <class T> static Loop<T> loop() { return kernels<T>().expm1; }
  static Tensor dx(const Tensor& dy, const Tensor& y) { return dy * (y + 1); } };
struct Log1p : SavesInput { static constexpr auto name = "log1p";
  template <class T> static Loop<T> loop() { return kernels<T>().log1p; }
  static Tensor dx(const Tensor& dy, const Tensor& x) { return dy / (x + 1); } };
struct Sign : SavesInput { static constexpr auto name = "sign";
  // of 0 and NaN: x
  static auto value(auto x) { const int s = (x > 0) - (x < 0); return s != 0 ? decltype(x)(s) : x; }
  static Tensor dx(const Tensor&, const Tensor&) { return {}; } };
struct Floor : SavesInput { static constexpr auto name = "floor";
  static auto value(auto x) { return std::floor(x); }
  static Tensor dx(const Tensor&, const Tensor&) { return {}; } };
// clang-format on

}  // namespace

Tensor neg(const Tensor& x) { return apply<Unary<Neg>>({x})[0]; }
Tensor exp(const Tensor& x) { return apply<Unary<Exp>>({x})[0]; }
Tensor log(const Tensor& x) { return apply<Unary<Log>>({x})[0]; }
Tensor sqrt(const Tensor& x) { return apply<Unary<Sqrt>>({x})[0]; }
Tensor rsqrt(const Tensor& x) { return apply<Unary<Rsqrt>>({x})[0]; }
Tensor square(const Tensor& x) { return apply<Unary<Square>>({x})[0]; }
Tensor reciprocal(const Tensor& x) { return apply<Unary<Reciprocal>>({x})[0]; }
Tensor abs(const Tensor& x) { return apply<Unary<Abs>>({x})[0]; }
Tensor relu(const Tensor& x) { return apply<Unary<Relu>>({x})[0]; }
Tensor sin(const Tensor& x) { return apply<Unary<Sin>>({x})[0]; }
Tensor cos(const Tensor& x) { return apply<Unary<Cos>>({x})[0]; }
Tensor tanh(const Tensor& x) { return apply<Unary<Tanh>>({x})[0]; }
Tensor sigmoid(const Tensor& x) { return apply<Unary<Sigmoid>>({x})[0]; }
Tensor erf(const Tensor& x) { return apply<Unary<Erf>>({x})[0]; }
Tensor softplus(const Tensor& x) { return apply<Unary<Softplus>>({x})[0]; }
Tensor expm1(const Tensor& x) { return apply<Unary<Expm1>>({x})[0]; }
Tensor log1p(const Tensor& x) { return apply<Unary<Log1p>>({x})[0]; }
Tensor sign(const Tensor& x) { return apply<Unary<Sign>>({x})[0]; }
Tensor floor(const Tensor& x) { return apply<Unary<Floor>>({x})[0]; }

OpInfos unary_ops() {
  // x from [low, high), and from its negative where the domain has two halves with a kink (or a
  // step, or a pole) between them: samples keep off it.
  const auto row = [](const char* op, const char* formula, Tensor (*f)(const Tensor&), double low,
                      double high, bool two_halves = false) {
    const auto call = [f](Inputs in) { return Tensors{f(in[0])}; };
    OpInfo info{.name = op,
                .formula = formula,
                .samples = {{"matrix", {sample::uniform({3, 4}, low, high)}, call},
                            {"vector tail", {sample::uniform({37}, low, high)}, call}},
                .errors = {{"integers", [=] { f(arange(3)); }, {op, "i64"}}}};
    if (two_halves)
      info.samples.push_back({"negative", {sample::uniform({17}, -high, -low)}, call});
    return info;
  };
  constexpr bool two_halves = true;
  const auto flat = [&](const char* op, const char* formula, Tensor (*f)(const Tensor&), double low,
                        double high) {
    OpInfo info = row(op, formula, f, low, high, two_halves);
    info.zero_gradients = {0};
    return info;
  };
  return {row("neg", "-x", neg, -2, 2),
          row("exp", "e^x", exp, -2, 2),
          row("expm1", "e^x - 1", expm1, -2, 2),
          row("log", "ln x", log, 0.3, 3),
          row("log1p", "ln(1 + x)", log1p, -0.6, 3),
          row("sqrt", "sqrt(x)", sqrt, 0.3, 3),
          row("rsqrt", "1 / sqrt(x)", rsqrt, 0.3, 3),
          row("square", "x^2", square, -2, 2),
          row("reciprocal", "1 / x", reciprocal, 0.4, 2, two_halves),
          row("abs", "|x|", abs, 0.1, 2, two_halves),
          row("relu", "max(x, 0)", relu, 0.1, 2, two_halves),
          flat("sign", "-1, 0 or 1", sign, 0.1, 2),
          flat("floor", "largest integer <= x", floor, 1.1, 1.9),
          row("sin", "sin x", sin, -3, 3),
          row("cos", "cos x", cos, -3, 3),
          row("tanh", "tanh x", tanh, -2, 2),
          row("sigmoid", "1 / (1 + e^-x)", sigmoid, -3, 3),
          row("erf", "erf x", erf, -2, 2),
          row("softplus", "ln(1 + e^x)", softplus, -3, 3)};
}

}  // namespace gradus
