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
  const Shape shape = broadcast_shapes(op, a.shape(), b.shape());
  Tensor y = Tensor::empty(shape, a.dtype());
  dispatch(a.dtype(), [&]<class T>() {
    map<T, T>(expand_view(a, shape), expand_view(b, shape), y,
              [f](T u, T v) { return static_cast<T>(f(u, v)); });
  });
  return {y};
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
    Tensors y = binary(name, in, [](auto a, auto b) { return a / b; });
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
  return reshape(sum(x, axes, true), shape);
}

void copy_into(const Tensor& x, Tensor& y, bool add_to_y) {
  if (x.shape() != y.shape() || x.dtype() != y.dtype())
    fail("copy_into: {} {} into {} {}; shapes and dtypes must be equal", to_string(x.dtype()),
         x.shape(), to_string(y.dtype()), y.shape());
  for (int axis = 0; axis < y.rank(); ++axis)
    if (y.strides()[axis] == 0 && y.shape()[axis] > 1)
      fail("copy_into: the target of shape {} repeats its elements along axis {}", y.shape(), axis);
  dispatch(y.dtype(), [&]<class T>() {
    if (y.is_contiguous() && !add_to_y) return map<T, T>(x, y, [](T value) { return value; });
    Tensor(y.view({}, {}, y.offset())).write<T>();  // counts the version, whatever the strides
    for_each_run<T, T>(y.shape(), {&x, &y},
                       [&](int64_t, int64_t n, const auto& runs, const auto& steps) {
                         const T* from = std::get<0>(runs);
                         T* to = const_cast<T*>(std::get<1>(runs));
                         for (int64_t i = 0; i < n; ++i) {
                           T& element = to[i * steps[1]];
                           const T value = from[i * steps[0]];
                           element = add_to_y ? static_cast<T>(element + value) : value;
                         }
                       });
  });
}

OpInfos arithmetic_ops() {
  const auto rows = [](const char* op, const char* formula,
                       Tensor (*f)(const Tensor&, const Tensor&), double low, double high) {
    const auto operand = [=](const Shape& shape, uint64_t stream) {
      return sample_uniform(shape, low, high, stream);
    };
    const auto call = [f](Inputs in) { return Tensors{f(in[0], in[1])}; };
    OpInfo info{op, formula, "arithmetic", [=]() -> std::vector<Sample> {
                  return {{"same shape", {operand({3, 4}, 1), operand({3, 4}, 2)}, call},
                          {"row", {operand({3, 4}, 3), operand({4}, 4)}, call},
                          {"column and row", {operand({3, 1}, 5), operand({1, 5}, 6)}, call},
                          {"scalar", {operand({}, 7), operand({2, 3}, 8)}, call},
                          {"three axes", {operand({2, 1, 3}, 9), operand({4, 1}, 10)}, call},
                          {"vector tail", {operand({37}, 11), operand({37}, 12)}, call},
                          {"the same tensor twice", {operand({5}, 13)}, [f](Inputs in) {
                             return Tensors{f(in[0], in[0] * in[0])};
                           }}};
                }};
    info.errors = [=]() -> std::vector<ErrorSample> {
      return {{"shapes",
               [=] {
                 f(ones({2, 3}), ones({4}));
               },
               {op, "[2, 3]", "[4]"}},
              {"dtypes", [=] { f(ones({2}), ones({2}, DType::f64)); }, {op, "f32", "f64"}}};
    };
    return info;
  };
  return {rows("add", "a + b", add, -2, 2),
          rows("sub", "a - b", sub, -2, 2),
          rows("mul", "a b", mul, -2, 2),
          rows("div", "a / b", div, 0.5, 2),
          rows("maximum", "max(a, b)", maximum, -2, 2),
          rows("minimum", "min(a, b)", minimum, -2, 2)};
}

}  // namespace gradus
