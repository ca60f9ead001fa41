// The dense layer.                        x [.., in]  weight [out, in]  bias [out]  ->  y [.., out]
//   y = x W^T + b        dx = dy W        dW = dy^T x        db = sum of dy over rows
// Saved: x, W. dW and db are added straight into the leaves' gradients where there is a place for
// them (GEMM with beta = 1).
#include "gradus/kernels/gemm.h"
#include "gradus/kernels/kernels.h"
#include "gradus/ops/rows.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

struct Linear : Fused<Linear> {
  static constexpr const char* name = "linear";

  Tensors reference(Inputs in) const {
    Shape shape = in[0].shape();
    shape[-1] = in[1].shape()[0];
    const Tensor y = reshape(
        matmul(reshape(in[0], {leading_size(in[0].shape()), in[1].shape()[1]}), transpose(in[1])),
        shape);
    return {in.size() > 2 ? y + in[2] : y};
  }

  Tensors forward(Inputs in) override {
    const Tensor &x = in[0], &weight = in[1];
    check_same_dtype(name, x, weight);
    if (in.size() > 2) check_same_dtype(name, x, in[2]);
    if (weight.rank() != 2 || x.rank() < 1 || x.shape()[-1] != weight.shape()[1])
      fail(
          "linear: x {} does not go through weight {}; x's last size must be the weight's second "
          "(weight is [out, in])",
          x.shape(), weight.shape());
    const int64_t out = weight.shape()[0], n = weight.shape()[1];
    if (in.size() > 2 && in[2].shape() != Shape{out})
      fail("linear: bias {} does not fit weight {}; it must be [{}]", in[2].shape(), weight.shape(),
           out);
    const Tensor rows = contiguous(x), w = contiguous(weight),
                 b = in.size() > 2 ? contiguous(in[2]) : Tensor();
    save({rows, w});
    Shape shape = x.shape();
    shape[-1] = out;
    Tensor y = Tensor::empty(shape, x.dtype());
    dispatch_float(name, x.dtype(), [&]<class T>() {
      struct AddBias {
        const T* bias;
        T* y;
        int64_t out;
      } add_bias{b.defined() ? b.data<T>() : nullptr, y.write<T>(), out};
      const Epilogue epilogue{
          [](const void* context, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
            const auto& [bias, y, width] = *static_cast<const AddBias*>(context);
            for (int64_t i = i0; i < i1; ++i)
              kernels<T>().add(bias + j0, y + i * width + j0, j1 - j0);
          },
          &add_bias};
      gemm<T>(false, true, leading_size(shape), out, n, 1, rows.data<T>(), n, w.data<T>(), n, 0,
              add_bias.y, out, b.defined() ? epilogue : Epilogue{});
    });
    return {y};
  }

  Tensors backward(const Tensors& dys) override {
    const Tensor x = saved(0), w = saved(1), dy = contiguous(dys[0]);
    const int64_t out = w.shape()[0], n = w.shape()[1], rows = leading_size(dy.shape());
    Tensors dxs(edges().size());
    dispatch_float(name, dy.dtype(), [&]<class T>() {
      const T* g = dy.data<T>();
      if (wants(0)) {
        dxs[0] = Tensor::empty(x.shape(), x.dtype());
        gemm<T>(false, false, rows, n, out, 1, g, out, w.data<T>(), n, 0, dxs[0].write<T>(), n);
      }
      if (wants(1)) {
        GradientSlot dw = slot(1);
        gemm<T>(true, false, out, n, rows, 1, g, out, x.data<T>(), n, dw.add ? 1 : 0,
                dw.into.template write<T>(), n);
        dxs[1] = dw.gradient();
      }
      if (edges().size() > 2 && wants(2)) {
        GradientSlot db = slot(2);
        db.zero_unless_added_to();
        for_row_blocks_summing<T>(rows, out, out, db.into.template write<T>(),
                                  [&](int64_t first, int64_t count, T* sums) {
                                    kernels<T>().column_sums(g + first * out, sums, count, out);
                                  });
        dxs[2] = db.gradient();
      }
    });
    return dxs;
  }
};

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return apply<Linear>(bias.defined() ? Tensors{x, weight, bias} : Tensors{x, weight})[0];
}

OpInfos linear_ops() {
  const auto call = [](Inputs in) {
    return Tensors{linear(in[0], in[1], in.size() > 2 ? in[2] : Tensor())};
  };
  return {
      {.name = "linear",
       .formula = "x W^T + b",
       .samples =
           {{"matrix", {sample::normal({3, 4}), sample::normal({2, 4}), sample::normal({2})}, call},
            {"without bias", {sample::normal({3, 4}), sample::normal({2, 4})}, call},
            {"three axes",
             {sample::normal({2, 3, 4}), sample::normal({5, 4}), sample::normal({5})},
             call},
            {"one row", {sample::normal({4}), sample::normal({17, 4}), sample::normal({17})}, call},
            {"its own weight",
             {sample::normal({3, 3}), sample::normal({3})},
             [](Inputs in) { return Tensors{linear(in[0], in[0], in[1])}; }}},
       .errors = {{"sizes",
                   [] {
                     linear(ones({2, 3}), ones({4, 5}));
                   },
                   {"linear", "[2, 3]", "[4, 5]", "[out, in]"}},
                  {"bias",
                   [] {
                     linear(ones({2, 3}), ones({4, 3}), ones({3}));
                   },
                   {"linear", "[3]", "[4]"}}}}};
}

}  // namespace gradus
