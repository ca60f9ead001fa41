// Over the last axis.                                                        x [.., n] -> y [.., n]
//   softmax      y = exp(x - max) / sum exp(x - max)        dx = y (dy - sum(dy y))        saved: y
//   log_softmax  y = x - max - log sum exp(x - max)        dx = dy - exp(y) sum(dy)        saved: y
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
    const Tensor e = exp(in[0] - max(in[0].detach(), -1));
    return {e / sum(e, {-1}, true)};
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
    const Tensor z = in[0] - max(in[0].detach(), -1);
    return {z - log(sum(exp(z), {-1}, true))};
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

}  // namespace

Tensor softmax(const Tensor& x) { return apply<Softmax>({x})[0]; }
Tensor log_softmax(const Tensor& x) { return apply<LogSoftmax>({x})[0]; }

OpInfos softmax_ops() {
  const auto row = [](const char* op, const char* formula, Tensor (*f)(const Tensor&)) {
    const auto call = [f](Inputs in) { return Tensors{f(in[0])}; };
    OpInfo info{op, formula, "softmax", [=]() -> std::vector<Sample> {
                  return {{"matrix", {sample_normal({3, 4}, 1)}, call},
                          {"three axes", {sample_normal({2, 2, 3}, 2)}, call},
                          {"vector tail", {sample_normal({2, 19}, 3)}, call},
                          {"one element", {sample_normal({3, 1}, 4)}, call},
                          {"of itself", {sample_normal({2, 5}, 5)}, [f](Inputs in) {
                             return Tensors{f(f(in[0]) * in[0])};
                           }}};
                }};
    info.errors = [=]() -> std::vector<ErrorSample> {
      return {{"no axes", [=] { f(ones({})); }, {op, "no axes"}},
              {"integers", [=] { f(arange(3)); }, {op, "i64"}}};
    };
    return info;
  };
  return {row("softmax", "exp(x) / sum exp(x)", softmax),
          row("log_softmax", "x - log sum exp(x)", log_softmax)};
}

}  // namespace gradus
