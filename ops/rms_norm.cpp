// y = x * rstd * weight over the last axis;  rstd = 1 / sqrt(mean(x^2) + eps).
//                                                                Zhang and Sennrich 2019, eq. 4
//   x [.., n]  weight [n]  ->  y as x.                             Saved: x, weight, rstd [..].
//   g = dy weight,  xh = x rstd:   dx = rstd (g - xh mean(g xh)),   dweight = sum dy xh
#include "gradus/kernels/kernels.h"
#include "gradus/ops/rows.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

struct RmsNorm : Fused<RmsNorm> {
  static constexpr const char* name = "rms_norm";
  double eps;
  explicit RmsNorm(double eps) : eps(eps) {}
  std::string detail() const override { return fmt::format("eps={}", eps); }

  Tensors reference(Inputs in) const {
    return {in[0] * rsqrt(mean(square(in[0]), -1, {.keep_axes = true}) + eps) * in[1]};
  }

  Tensors forward(Inputs in) override {
    const int64_t n = filled_row_length(name, in[0]);
    check_same_dtype(name, in[0], in[1]);
    if (in[1].shape() != Shape{n})
      fail("rms_norm: x is {}, weight is {}; it must be [{}]", in[0].shape(), in[1].shape(), n);
    const Tensor x = contiguous(in[0]), weight = contiguous(in[1]);
    Tensor y = Tensor::empty(x.shape(), x.dtype()), rstd = Tensor::empty({row_count(x)}, x.dtype());
    dispatch_float(name, x.dtype(), [&]<class T>() {
      T *py = y.write<T>(), *prstd = rstd.write<T>();
      for_row_blocks(row_count(x), n, [&](int64_t first, int64_t rows) {
        kernels<T>().rms_norm(x.data<T>() + first * n, weight.data<T>(), py + first * n,
                              prstd + first, rows, n, eps);
      });
    });
    save({x, weight, rstd});
    return {y};
  }

  Tensors backward(const Tensors& dys) override {
    const Tensor x = saved(0), weight = saved(1), rstd = saved(2), dy = contiguous(dys[0]);
    const int64_t n = x.shape()[-1];
    Tensor dx = Tensor::empty(x.shape(), x.dtype());
    GradientSlot dweight = slot(1);
    dweight.zero_unless_added_to();
    dispatch_float(name, x.dtype(), [&]<class T>() {
      T* to = dx.write<T>();
      for_row_blocks_summing<T>(row_count(x), n, n, dweight.into.template write<T>(),
                                [&](int64_t first, int64_t rows, T* partial) {
                                  kernels<T>().rms_norm_backward(
                                      x.data<T>() + first * n, weight.data<T>(),
                                      rstd.data<T>() + first, dy.data<T>() + first * n,
                                      to + first * n, partial, rows, n);
                                });
    });
    return {dx, dweight.gradient()};
  }
};

}  // namespace

Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps) {
  return apply<RmsNorm>({x, weight}, eps)[0];
}

OpInfos rms_norm_ops() {
  // so large that rows of one element, all but constant, are no kink to numeric differences
  const auto call = [](Inputs in) { return Tensors{rms_norm(in[0], in[1], 0.1)}; };
  return {{.name = "rms_norm",
           .formula = "x rsqrt(mean(x^2) + eps) weight",
           .samples = {{"matrix", {sample::normal({3, 4}), sample::normal({4})}, call},
                       {"three axes", {sample::normal({2, 2, 5}), sample::normal({5})}, call},
                       {"vector tail", {sample::normal({2, 19}), sample::normal({19})}, call},
                       {"one row", {sample::uniform({6}, 0.5, 2), sample::normal({6})}, call}},
           .errors = {{"weight",
                       [] {
                         rms_norm(ones({2, 3}), ones({2}), 1e-5);
                       },
                       {"rms_norm", "[2, 3]", "[2]", "weight"}},
                      {"dtype",
                       [] {
                         rms_norm(ones({2, 3}), ones({3}, DType::f64), 1e-5);
                       },
                       {"rms_norm", "f32", "f64"}}},
           .f32_tolerance = 2e-5}};
}

}  // namespace gradus
