// Over one axis, the last unless said otherwise.                             x [.., n] -> y [.., n]
//   softmax      y = exp(x - max) / sum exp(x - max)        dx = y (dy - sum(dy y))        saved: y
//   log_softmax  y = x - max - log sum exp(x - max)        dx = dy - exp(y) sum(dy)        saved: y
//   logsumexp    y = max + log sum exp(x - max), [..]      dx = dy exp(x - y)           saved: x, y
#include <limits>

#include "gradus/kernels/kernels.h"
#include "gradus/ops/rows.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

template <class Self>
struct OverRows : Fused<Self> {
  Tensors forward(Inputs in) override {
    const int64_t n = row_length(Self::name, in[0]);
    check(n > 0, "{}: the last axis of shape {} is empty", Self::name, in[0].shape());
    const Tensor x = contiguous(in[0]);
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    dispatch_float(Self::name, x.dtype(), [&]<class T>() {
      const T* from = x.data<T>();
      T* to = y.write<T>();
      for_row_blocks(row_count(x), n, [&](int64_t first, int64_t rows) {
        Self::template run<T>(from + first * n, to + first * n, rows, n);
      });
    });
    this->save({y});
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    const Tensor y = this->saved(0), dy = contiguous(dys[0]);
    const int64_t n = y.shape()[-1];
    Tensor dx = Tensor::empty(y.shape(), y.dtype());
    dispatch_float(Self::name, y.dtype(), [&]<class T>() {
      T* to = dx.write<T>();
      for_row_blocks(row_count(y), n, [&](int64_t first, int64_t rows) {
        Self::template run_backward_kernel<T>(y.data<T>() + first * n, dy.data<T>() + first * n,
                                              to + first * n, rows, n);
      });
    });
    return {dx};
  }
};

struct Softmax : OverRows<Softmax> {
  static constexpr const char* name = "softmax";
  Tensors reference(Inputs in) const {
    const Tensor e = exp(in[0] - max(in[0].detach(), -1, {.keep_axes = true}));
    return {e / sum(e, -1, {.keep_axes = true})};
  }
  template <class T>
  static void run(const T* x, T* y, int64_t rows, int64_t n) {
    kernels<T>().softmax(x, y, rows, n);
  }
  template <class T>
  static void run_backward_kernel(const T* y, const T* dy, T* dx, int64_t rows, int64_t n) {
    kernels<T>().softmax_backward(y, dy, dx, rows, n);
  }
};

struct LogSoftmax : OverRows<LogSoftmax> {
  static constexpr const char* name = "log_softmax";
  Tensors reference(Inputs in) const {
    const Tensor z = in[0] - max(in[0].detach(), -1, {.keep_axes = true});
    return {z - log(sum(exp(z), -1, {.keep_axes = true}))};
  }
  template <class T>
  static void run(const T* x, T* y, int64_t rows, int64_t n) {
    kernels<T>().log_softmax(x, y, rows, n);
  }
  template <class T>
  static void run_backward_kernel(const T* y, const T* dy, T* dx, int64_t rows, int64_t n) {
    kernels<T>().log_softmax_backward(y, dy, dx, rows, n);
  }
};

// y [..]. The reference's maximum is kept finite, so that rows of infinities come out right.
struct Logsumexp : Fused<Logsumexp> {
  static constexpr const char* name = "logsumexp";
  Tensors reference(Inputs in) const {
    constexpr double huge = std::numeric_limits<float>::max();
    const Tensor top = clamp(max(in[0].detach(), -1, {.keep_axes = true}), -huge, huge);
    Shape shape = in[0].shape();
    shape.erase(shape.rank() - 1);
    return {reshape(top + log(sum(exp(in[0] - top), -1, {.keep_axes = true})), shape)};
  }
  Tensors forward(Inputs in) override {
    const int64_t n = row_length(name, in[0]);
    check(n > 0, "{}: the last axis of shape {} is empty", name, in[0].shape());
    const Tensor x = contiguous(in[0]);
    Shape shape = x.shape();
    shape.erase(shape.rank() - 1);
    Tensor y = Tensor::empty(shape, x.dtype());
    dispatch_float(name, x.dtype(), [&]<class T>() {
      T* to = y.write<T>();
      for_row_blocks(row_count(x), n, [&](int64_t first, int64_t rows) {
        kernels<T>().logsumexp(x.data<T>() + first * n, to + first, rows, n);
      });
    });
    save({x, y});
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    const Tensor x = saved(0), y = saved(1), dy = contiguous(dys[0]);
    const int64_t n = x.shape()[-1];
    Tensor dx = Tensor::empty(x.shape(), x.dtype());
    dispatch_float(name, x.dtype(), [&]<class T>() {
      T* to = dx.write<T>();
      for_row_blocks(row_count(x), n, [&](int64_t first, int64_t rows) {
        kernels<T>().logsumexp_backward(x.data<T>() + first * n, y.data<T>() + first,
                                        dy.data<T>() + first, to + first * n, rows, n);
      });
    });
    return {dx};
  }
};

// x with the axis last, as the kernels want it.
Tensor with_last(const char* op, const Tensor& x, int axis) {
  check(x.rank() >= 1, "{}: the tensor has no axes; it needs one to work along", op);
  const int last = x.rank() - 1, at = checked_axis(op, axis, x.shape());
  return at == last ? x : transpose(x, at, last);
}

}  // namespace

Tensor softmax(const Tensor& x, int axis) {
  const Tensor y = apply<Softmax>({with_last("softmax", x, axis)})[0];
  return contiguous(with_last("softmax", y, axis));
}
Tensor log_softmax(const Tensor& x, int axis) {
  const Tensor y = apply<LogSoftmax>({with_last("log_softmax", x, axis)})[0];
  return contiguous(with_last("log_softmax", y, axis));
}
Tensor logsumexp(const Tensor& x, int axis, ReduceOptions options) {
  const Tensor y = apply<Logsumexp>({with_last("logsumexp", x, axis)})[0];
  // y has the other axes, the last of x where the summed one was
  const int at = checked_axis("logsumexp", axis, x.shape()), last = x.rank() - 1;
  Shape shape = y.shape();
  shape.push_back(1);
  Tensor kept = reshape(y, shape);
  if (at != last) kept = transpose(kept, at, last);
  if (options.keep_axes) return contiguous(kept);
  shape = x.shape();
  shape.erase(at);
  return reshape(kept, shape);
}

OpInfos softmax_ops() {
  const auto row = [](const char* op, const char* formula, Tensor (*f)(const Tensor&, int)) {
    const auto call = [f](int axis) { return [=](Inputs in) { return Tensors{f(in[0], axis)}; }; };
    return OpInfo{.name = op,
                  .formula = formula,
                  .samples = {{"matrix", {sample::normal({3, 4})}, call(-1)},
                              {"three axes", {sample::normal({2, 2, 3})}, call(-1)},
                              {"middle axis", {sample::normal({2, 4, 3})}, call(1)},
                              {"vector tail", {sample::normal({2, 19})}, call(-1)},
                              {"one element", {sample::normal({3, 1})}, call(-1)},
                              {"of itself",
                               {sample::normal({2, 5})},
                               [f](Inputs in) { return Tensors{f(f(in[0], -1) * in[0], -1)}; }}},
                  .errors = {{"no axes", [=] { f(ones({}), -1); }, {op, "no axes"}},
                             {"axis", [=] { f(ones({2}), 1); }, {op, "1", "[2]"}},
                             {"integers", [=] { f(arange(3), -1); }, {op, "i64"}}}};
  };
  OpInfo sums = row("logsumexp", "log sum exp(x)", [](const Tensor& x, int axis) {
    return logsumexp(x, axis, {.keep_axes = true});
  });
  sums.samples.push_back({"axis dropped", {sample::normal({2, 3, 4})}, [](Inputs in) {
                            return Tensors{logsumexp(in[0], 0), logsumexp(in[0], -1)};
                          }});
  return {row("softmax", "exp(x) / sum exp(x)", softmax),
          row("log_softmax", "x - log sum exp(x)", log_softmax), sums};
}

}  // namespace gradus
