// Matrix product.              a [.., m, k]  b [.., k, n]  ->  y [.., m, n]; leading axes broadcast
//   y = a b          da = dy b^T          db = a^T dy
// Transposed operands are read as they lie (a GEMM flag), not copied.
#include "gradus/kernels/gemm.h"
#include "gradus/ops/rows.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

// A matrix as GEMM reads it: row-major with a leading dimension, or the transpose of that.
struct Operand {
  Tensor tensor;
  bool transposed;
  int64_t ld;
};
Operand operand(const Tensor& x) {
  const int64_t rows = x.shape()[-2], columns = x.shape()[-1], down = x.strides()[-2],
                along = x.strides()[-1];
  if ((along == 1 || columns == 1) && (down >= std::max<int64_t>(columns, 1) || rows == 1))
    return {x, false, rows == 1 ? std::max<int64_t>(columns, 1) : down};
  if ((down == 1 || rows == 1) && (along >= std::max<int64_t>(rows, 1) || columns == 1))
    return {x, true, columns == 1 ? std::max<int64_t>(rows, 1) : along};
  const Tensor copy = contiguous(x);
  return {copy, false, std::max<int64_t>(columns, 1)};
}

struct MatMul : Op<MatMul> {
  static constexpr const char* name = "matmul";

  Tensors forward(Inputs in) override {
    const Tensor &a = in[0], &b = in[1];
    check_same_dtype(name, a, b);
    if (a.rank() < 2 || b.rank() < 2 || a.shape()[-1] != b.shape()[-2])
      fail(
          "matmul: shapes {} and {} do not multiply; the last size of the first must be the last "
          "but one of the second, and both need two "
          "axes",
          a.shape(), b.shape());
    save({a, b});
    const int64_t m = a.shape()[-2], k = a.shape()[-1], n = b.shape()[-1];
    const auto batch_of = [](const Shape& shape) {
      Shape batch = shape;
      batch.erase(batch.rank() - 1);
      batch.erase(batch.rank() - 1);
      return batch;
    };
    const Shape batch = broadcast_shapes(name, batch_of(a.shape()), batch_of(b.shape()));
    const auto with_batch = [&](const Tensor& x) {
      Shape shape = batch;
      shape.push_back(x.shape()[-2]);
      shape.push_back(x.shape()[-1]);
      return expand_view(x, shape);
    };
    const Operand left = operand(with_batch(a)), right = operand(with_batch(b));
    Shape shape = batch;
    shape.push_back(m);
    shape.push_back(n);
    Tensor y = Tensor::empty(shape, a.dtype());
    if (y.numel() == 0) return {y};
    const auto offset = [&](const Tensor& x, int64_t index) {
      int64_t offset = 0;
      for (int axis = batch.rank() - 1; axis >= 0; --axis)
        offset += index % batch[axis] * x.strides()[axis], index /= batch[axis];
      return offset;
    };
    dispatch_float(name, a.dtype(), [&]<class T>() {
      const T *pa = left.tensor.data<T>(), *pb = right.tensor.data<T>();
      T* py = y.write<T>();
      const auto run = [&](auto product, int64_t i) {
        product(left.transposed, right.transposed, m, n, k, T{1}, pa + offset(left.tensor, i),
                left.ld, pb + offset(right.tensor, i), right.ld, T{0}, py + i * m * n, n);
      };
      const int64_t count = batch.numel();
      const auto threaded = [](auto... arguments) { gemm<T>(arguments...); };
      const auto serial = [](auto... arguments) { gemm_serial<T>(arguments...); };
      // Many products share the threads; a few share their panels. The choice depends on shapes
      // alone.
      if (count < 8)
        for (int64_t i = 0; i < count; ++i) run(threaded, i);
      else
        parallel_for(count, std::max<int64_t>(1, element_block / (m * n + m * k + k * n)),
                     [&](int64_t begin, int64_t end) {
                       for (int64_t i = begin; i < end; ++i) run(serial, i);
                     });
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    return {wants(0) ? matmul(dys[0], transpose(saved(1))) : Tensor(),
            wants(1) ? matmul(transpose(saved(0)), dys[0]) : Tensor()};
  }
};

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  // [.., m, k] times one matrix is one tall product, however a lies: which products run depends on
  // shapes alone.
  if (a.rank() > 2 && b.rank() == 2 && a.shape()[-1] == b.shape()[-2]) {
    Shape shape = a.shape();
    shape[-1] = b.shape()[-1];
    return reshape(apply<MatMul>({reshape(a, {leading_size(a.shape()), a.shape()[-1]}), b})[0],
                   shape);
  }
  return apply<MatMul>({a, b})[0];
}

OpInfos matmul_ops() {
  using sample::normal;
  const auto call = [](Inputs in) { return Tensors{matmul(in[0], in[1])}; };
  return {
      {.name = "matmul",
       .formula = "a b",
       .samples = {{"matrices", {normal({3, 4}), normal({4, 2})}, call},
                   {"batch", {normal({2, 3, 4}), normal({2, 4, 2})}, call},
                   {"batch times one", {normal({2, 3, 4}), normal({4, 2})}, call},
                   {"one times batch", {normal({3, 4}), normal({2, 4, 2})}, call},
                   {"broadcast batch of many", {normal({3, 1, 2, 2}), normal({4, 2, 1})}, call},
                   {"transposed",
                    {normal({4, 3}), normal({2, 4})},
                    [](Inputs in) { return Tensors{matmul(transpose(in[0]), transpose(in[1]))}; }},
                   {"by itself",
                    {normal({3, 3})},
                    [](Inputs in) { return Tensors{matmul(in[0], in[0])}; }},
                   {"past the vector", {normal({1, 37}), normal({37, 1})}, call}},
       .errors = {{"inner sizes",
                   [] {
                     matmul(ones({2, 3}), ones({4, 5}));
                   },
                   {"matmul", "[2, 3]", "[4, 5]"}},
                  {"one axis",
                   [] {
                     matmul(ones({3}), ones({3, 2}));
                   },
                   {"matmul", "[3]"}},
                  {"dtypes",
                   [] {
                     matmul(ones({2, 2}), ones({2, 2}, DType::f64));
                   },
                   {"matmul", "f32", "f64"}}}}};
}

}  // namespace gradus
