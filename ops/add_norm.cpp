// The post-norm residual of a transformer layer in one pass: y = layer_norm(x + dropout(branch)).
//                                                                         Vaswani et al. 2017, 5.4
//   x, branch [tokens, n]  weight, bias [n]  ->  y as x.
//   Saved: h = x + dropout(branch), weight, mean, rstd.
//   dh as layer_norm's dx:
//   dx = dh,  dbranch = dh m / (1 - p),  dweight = sum dy hh,  dbias = sum dy
#include "gradus/ops/dropout.h"
#include "gradus/ops/rows.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

struct AddNorm : Fused<AddNorm> {
  static constexpr const char* name = "add_norm";
  double eps;
  DropoutDraw draw;
  std::optional<Ragged> rows;
  AddNorm(double eps, const DropoutDraw& draw, std::optional<Ragged> rows)
      : eps(eps), draw(draw), rows(std::move(rows)) {}
  std::string detail() const override { return fmt::format("eps={} p={}", eps, draw.p); }

  Tensors reference(Inputs in) const {
    return {layer_norm(in[0] + dropout_with(in[1], draw, rows), in[2], in[3], eps)};
  }

  Tensors forward(Inputs in) override {
    const int64_t n = filled_row_length(name, in[0]);
    constexpr const char* names[] = {"x", "the branch", "weight", "bias"};
    for (size_t i = 1; i < in.size(); ++i) {
      check_same_dtype(name, in[0], in[i]);
      const Shape expected = i == 1 ? in[0].shape() : Shape{n};
      if (in[i].shape() != expected)
        fail("add_norm: x is {}, {} is {}; it must be {}", in[0].shape(), names[i], in[i].shape(),
             expected);
    }
    const Tensor x = contiguous(in[0]), branch = contiguous(in[1]), weight = contiguous(in[2]),
                 bias = contiguous(in[3]);
    const RowNumbers numbers(name, rows, row_count(x));
    Tensor h = Tensor::empty(x.shape(), x.dtype()), y = Tensor::empty(x.shape(), x.dtype());
    Tensor mean = Tensor::empty({row_count(x)}, x.dtype()),
           rstd = Tensor::empty({row_count(x)}, x.dtype());
    dispatch_float(name, x.dtype(), [&]<class T>() {
      T *ph = h.write<T>(), *py = y.write<T>(), *pmean = mean.write<T>(), *prstd = rstd.write<T>();
      for_row_blocks(row_count(x), n, [&](int64_t first, int64_t count) {
        const int64_t at = first * n;
        kernels<T>().add_norm(x.data<T>() + at, branch.data<T>() + at, weight.data<T>(),
                              bias.data<T>(), ph + at, py + at, pmean + first, prstd + first, count,
                              n, eps, numbers.sequence + first, numbers.position + first, draw);
      });
    });
    save({h, weight, mean, rstd});
    return {y};
  }

  Tensors backward(const Tensors& dys) override {
    const Tensor h = saved(0), weight = saved(1), mean = saved(2), rstd = saved(3),
                 dy = contiguous(dys[0]);
    const int64_t n = h.shape()[-1];
    const RowNumbers numbers(name, rows, row_count(h));
    Tensor dx = Tensor::empty(h.shape(), h.dtype()),
           dbranch = draw.p == 0 ? dx : Tensor::empty(h.shape(), h.dtype()),
           sums = zeros({2, n}, h.dtype());
    dispatch_float(name, h.dtype(), [&]<class T>() {
      T *pdx = dx.write<T>(), *pdbranch = draw.p == 0 ? nullptr : dbranch.write<T>();
      for_row_blocks_summing<T>(
          row_count(h), n, 2 * n, sums.write<T>(), [&](int64_t first, int64_t count, T* partial) {
            const int64_t at = first * n;
            kernels<T>().add_norm_backward(
                h.data<T>() + at, weight.data<T>(), mean.data<T>() + first, rstd.data<T>() + first,
                dy.data<T>() + at, pdx + at, pdbranch ? pdbranch + at : nullptr, partial,
                partial + n, count, n, numbers.sequence + first, numbers.position + first, draw);
          });
    });
    return {dx, dbranch, reshape(slice(sums, 0, 0, 1), {n}), reshape(slice(sums, 0, 1, 2), {n})};
  }
};

}  // namespace

Tensor add_norm(const Tensor& x, const Tensor& branch, const Tensor& weight, const Tensor& bias,
                double eps, double p, const std::optional<Ragged>& rows) {
  return apply<AddNorm>({x, branch, weight, bias}, eps, draw_dropout(p), rows)[0];
}

OpInfos add_norm_ops() {
  const auto inputs = [](const Shape& shape) -> SampleInputs {
    return {sample::normal(shape), sample::normal(shape), sample::normal({shape[-1]}),
            sample::normal({shape[-1]})};
  };
  const auto call = [](double p, const std::optional<Ragged>& rows = {}) {
    return [=](Inputs in) { return Tensors{add_norm(in[0], in[1], in[2], in[3], 1e-3, p, rows)}; };
  };
  return {{.name = "add_norm",
           .formula = "layer_norm(x + dropout(branch))",
           .samples = {{"without dropout", inputs({3, 4}), call(0)},
                       {"dropout, ragged", inputs({5, 4}), call(0.3, Ragged({2, 3}))},
                       {"vector tail", inputs({2, 19}), call(0.3)},
                       {"the branch depends on x", inputs({3, 4}),
                        [](Inputs in) {
                          return Tensors{
                              add_norm(in[0], in[1] * tanh(in[0]), in[2], in[3], 1e-3, 0.2)};
                        }},
                       {"x twice", inputs({3, 4}),
                        [](Inputs in) {
                          return Tensors{add_norm(in[0] * in[1], in[0], in[2], in[3], 1e-3)};
                        }}},
           .errors = {{"branch",
                       [] {
                         add_norm(ones({2, 3}), ones({3, 3}), ones({3}), ones({3}), 1e-5);
                       },
                       {"add_norm", "[2, 3]", "[3, 3]", "branch"}},
                      {"weight",
                       [] {
                         add_norm(ones({2, 3}), ones({2, 3}), ones({2}), ones({3}), 1e-5);
                       },
                       {"add_norm", "[2]", "weight"}}},
           .f32_tolerance = 2e-5}};
}

}  // namespace gradus
