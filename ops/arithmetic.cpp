// Elementwise arithmetic with broadcasting.                 a [..], b [..] -> y [broadcast of both]
//   add      y = a + b        da = dy,             db = dy
//   sub      y = a - b        da = dy,             db = -dy
//   mul      y = a b          da = dy b,           db = dy a
//   div      y = a / b        da = dy / b,         db = -dy y / b
//   maximum  y = max(a, b)    da = dy where a >= b, db = dy elsewhere        minimum likewise
// The engine sums each gradient to its input's shape. add, sum_to and copy_into below are also what
// the engine itself adds gradients with.
#include "gradus/ops/elementwise.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

template <class F>
Tensors binary(const char* op, Inputs in, F f) {
  const Tensor &a = in[0], &b = in[1];
  check_same_dtype(op, a, b);
  Tensor y = Tensor::empty(broadcast_shapes(op, a.shape(), b.shape()), a.dtype());
  dispatch(a.dtype(), [&]<class T>() {
    elementwise<T(T, T)>(
        y, [f](T u, T v) { return static_cast<T>(f(u, v)); }, a, b);
  });
  return {y};
}

// An integer divided by 0 would end the program; so would the lowest integer divided by -1.
void check_divisors(const Tensor& a, const Tensor& b) {
  if (is_float(b.dtype())) return;
  for (const int64_t divisor : b.to_vector<int64_t>())
    if (divisor == 0)
      fail("div: an integer is divided by 0 (dtype {}, shapes {} and {})", to_string(b.dtype()),
           a.shape(), b.shape());
}
template <class T>
T quotient(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) return a;
  else if constexpr (std::is_floating_point_v<T>) return a / b;
  else if (b != -1) return static_cast<T>(a / b);
  else return static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(a));
}

struct Add : Op<Add> {
  static constexpr const char* name = "add";
  Tensors forward(Inputs in) override {
    return binary(name, in, [](auto a, auto b) { return a + b; });
  }
  Tensors backward(const Tensors& dys) override { return {dys[0], dys[0]}; }
};

struct Sub : Op<Sub> {
  static constexpr const char* name = "sub";
  Tensors forward(Inputs in) override {
    return binary(name, in, [](auto a, auto b) { return a - b; });
  }
  Tensors backward(const Tensors& dys) override { return {dys[0], neg(dys[0])}; }
};

struct Mul : Op<Mul> {
  static constexpr const char* name = "mul";
  Tensors forward(Inputs in) override {
    save({in[0], in[1]});
    return binary(name, in, [](auto a, auto b) { return a * b; });
  }
  Tensors backward(const Tensors& dys) override {
    return {wants(0) ? dys[0] * saved(1) : Tensor(), wants(1) ? dys[0] * saved(0) : Tensor()};
  }
};

struct Div : Op<Div> {
  static constexpr const char* name = "div";
  Tensors forward(Inputs in) override {
    check_divisors(in[0], in[1]);
    Tensors y = binary(name, in, [](auto a, auto b) { return quotient(a, b); });
    save({in[1], y[0]});
    return y;
  }
  Tensors backward(const Tensors& dys) override {
    const Tensor da = dys[0] / saved(0);
    return {da, wants(1) ? neg(da * saved(1)) : Tensor()};
  }
};

template <bool larger>
struct Choose : Op<Choose<larger>> {
  static constexpr const char* name = larger ? "maximum" : "minimum";
  Tensors forward(Inputs in) override {
    this->save({in[0], in[1]});
    return binary(name, in, [](auto a, auto b) { return (larger ? a >= b : a <= b) ? a : b; });
  }
  Tensors backward(const Tensors& dys) override {
    const Tensor a = this->saved(0).detach(), b = this->saved(1).detach(),
                 zero = zeros({}, dys[0].dtype());
    const Tensor b_wins = larger ? less(a, b) : less(b, a);
    return {where(b_wins, zero, dys[0]), where(b_wins, dys[0], zero)};
  }
};

}  // namespace

Tensor add(const Tensor& a, const Tensor& b) { return apply<Add>({a, b})[0]; }
Tensor sub(const Tensor& a, const Tensor& b) { return apply<Sub>({a, b})[0]; }
Tensor mul(const Tensor& a, const Tensor& b) { return apply<Mul>({a, b})[0]; }
Tensor div(const Tensor& a, const Tensor& b) { return apply<Div>({a, b})[0]; }
Tensor maximum(const Tensor& a, const Tensor& b) { return apply<Choose<true>>({a, b})[0]; }
Tensor minimum(const Tensor& a, const Tensor& b) { return apply<Choose<false>>({a, b})[0]; }

Tensor sum_to(const Tensor& x, const Shape& shape) {
  if (!broadcasts_to(shape, x.shape()))
    fail("sum_to: {} does not broadcast to {}, the shape of x", shape, x.shape());
  std::vector<int> axes;
  for (int i = 1; i <= x.rank(); ++i)
    if (i > shape.rank() || (shape[-i] == 1 && x.shape()[-i] != 1)) axes.push_back(x.rank() - i);
  return reshape(sum(x, axes, {.keep_axes = true}), shape);
}

void copy_into(const Tensor& x, Tensor& y, bool add_to_y) {
  if (x.shape() != y.shape() || x.dtype() != y.dtype())
    fail("copy_into: {} {} into {} {}; shapes and dtypes must be equal", to_string(x.dtype()),
         x.shape(), to_string(y.dtype()), y.shape());
  if (!add_to_y) return copy_elements(x, y);
  dispatch(y.dtype(), [&]<class T>() {
    elementwise<T(T, T)>(
        y, [](T u, T v) { return static_cast<T>(u + v); }, y, x);
  });
}

OpInfos arithmetic_ops() {
  const auto row = [](const char* op, const char* formula,
                      Tensor (*f)(const Tensor&, const Tensor&), double low, double high) {
    const auto x = [=](const Shape& shape) { return sample::uniform(shape, low, high); };
    const auto call = [f](Inputs in) { return Tensors{f(in[0], in[1])}; };
    return OpInfo{
        .name = op,
        .formula = formula,
        .samples = {{"same shape", {x({3, 4}), x({3, 4})}, call},
                    {"row", {x({3, 4}), x({4})}, call},
                    {"column and row", {x({3, 1}), x({1, 5})}, call},
                    {"column", {x({3, 20}), x({3, 1})}, call},
                    {"scalar", {x({}), x({2, 3})}, call},
                    {"three axes", {x({2, 1, 3}), x({4, 1})}, call},
                    {"vector tail", {x({37}), x({37})}, call},
                    {"the same tensor twice",
                     {x({5})},
                     [f](Inputs in) { return Tensors{f(in[0], in[0] * in[0])}; }}},
        .errors = {{"shapes",
                    [f] {
                      f(ones({2, 3}), ones({4}));
                    },
                    {op, "[2, 3]", "[4]"}},
                   {"dtypes", [f] { f(ones({2}), ones({2}, DType::f64)); }, {op, "f32", "f64"}}},
    };
  };
  OpInfo divide = row("div", "a / b", div, 0.5, 2);
  divide.errors.push_back({"integers by 0",
                           [] { div(arange(3), zeros({3}, DType::i64)); },
                           {"div", "divided by 0", "i64", "[3]"}});
  return {row("add", "a + b", add, -2, 2),
          row("sub", "a - b", sub, -2, 2),
          row("mul", "a b", mul, -2, 2),
          divide,
          row("maximum", "max(a, b)", maximum, -2, 2),
          row("minimum", "min(a, b)", minimum, -2, 2)};
}

}  // namespace gradus
