// y = (x - mean) * rstd * weight + bias over the last axis; rstd = 1 / sqrt(var + eps), var biased.
//                                                                            Ba et al. 2016, eq. 4
//   x [.., n]  weight, bias [n]  ->  y as x.               Saved: x, weight, mean [..], rstd [..].
//   g = dy weight,  xh = (x - mean) rstd:
//   dx = rstd (g - mean(g) - xh mean(g xh)),  dweight = sum dy xh,  dbias = sum dy
#include "gradus/kernels/kernels.h"
#include "gradus/ops/rows.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

struct LayerNorm : Fused<LayerNorm> {
  static constexpr const char* name = "layer_norm";
  double eps;
  explicit LayerNorm(double eps) : eps(eps) {}
  std::string detail() const override { return fmt::format("eps={}", eps); }

  Tensors reference(Inputs in) const {
    const Tensor c = in[0] - mean(in[0], -1, {.keep_axes = true});
    return {c * rsqrt(mean(square(c), -1, {.keep_axes = true}) + eps) * in[1] + in[2]};
  }

  Tensors forward(Inputs in) override {
    const int64_t n = filled_row_length(name, in[0]);
    for (size_t i : {size_t{1}, size_t{2}}) {
      check_same_dtype(name, in[0], in[i]);
      if (in[i].shape() != Shape{n})
        fail("layer_norm: x is {}, {} is {}; it must be [{}]", in[0].shape(),
             i == 1 ? "weight" : "bias", in[i].shape(), n);
    }
    const Tensor x = contiguous(in[0]), weight = contiguous(in[1]), bias = contiguous(in[2]);
    Tensor y = Tensor::empty(x.shape(), x.dtype()), mean = Tensor::empty({row_count(x)}, x.dtype()),
           rstd = Tensor::empty({row_count(x)}, x.dtype());
    dispatch_float(name, x.dtype(), [&]<class T>() {
      T *py = y.write<T>(), *pmean = mean.write<T>(), *prstd = rstd.write<T>();
      for_row_blocks(row_count(x), n, [&](int64_t first, int64_t rows) {
        kernels<T>().layer_norm(x.data<T>() + first * n, weight.data<T>(), bias.data<T>(),
                                py + first * n, pmean + first, prstd + first, rows, n, eps);
      });
    });
    save({x, weight, mean, rstd});
    return {y};
  }

  Tensors backward(const Tensors& dys) override {
    const Tensor x = saved(0), weight = saved(1), mean = saved(2), rstd = saved(3),
                 dy = contiguous(dys[0]);
    const int64_t n = x.shape()[-1];
    // dweight above dbias
    Tensor dx = Tensor::empty(x.shape(), x.dtype()), sums = zeros({2, n}, x.dtype());
    dispatch_float(name, x.dtype(), [&]<class T>() {
      T* to = dx.write<T>();
      for_row_blocks_summing<T>(
          row_count(x), n, 2 * n, sums.write<T>(), [&](int64_t first, int64_t rows, T* partial) {
            kernels<T>().layer_norm_backward(x.data<T>() + first * n, weight.data<T>(),
                                             mean.data<T>() + first, rstd.data<T>() + first,
                                             dy.data<T>() + first * n, to + first * n, partial,
                                             partial + n, rows, n);
          });
    });
    return {dx, reshape(slice(sums, 0, 0, 1), {n}), reshape(slice(sums, 0, 1, 2), {n})};
  }
};

}  // namespace

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps) {
  return apply<LayerNorm>({x, weight, bias}, eps)[0];
}

OpInfos layer_norm_ops() {
  const auto call = [](Inputs in) { return Tensors{layer_norm(in[0], in[1], in[2], 1e-3)}; };
  const auto inputs = [](const Shape& shape) -> SampleInputs {
    return {sample::normal(shape), sample::normal({shape[-1]}), sample::normal({shape[-1]})};
  };
  return {{.name = "layer_norm",
           .formula = "(x - mean) rstd weight + bias",
           .samples = {{"matrix", inputs({3, 4}), call},
                       {"three axes", inputs({2, 2, 5}), call},
                       {"vector tail", inputs({2, 19}), call},
                       {"one row", inputs({6}), call},
                       {"weight and bias the same",
                        {sample::normal({3, 4}), sample::normal({4})},
                        [](Inputs in) { return Tensors{layer_norm(in[0], in[1], in[1], 1e-3)}; }}},
           .errors = {{"weight",
                       [] {
                         layer_norm(ones({2, 3}), ones({2}), ones({3}), 1e-5);
                       },
                       {"layer_norm", "[2, 3]", "[2]", "weight"}},
                      {"bias",
                       [] {
                         layer_norm(ones({2, 3}), ones({3}), ones({4}), 1e-5);
                       },
                       {"layer_norm", "[4]", "bias"}}},
           .f32_tolerance = 2e-5}};
}

}  // namespace gradus
