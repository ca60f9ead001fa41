// Rows and elements by number.
//  take  x [n, ..], rows [r..] -> y [r.., ..]:  y[i] = x[rows[i]]  dx = scatter_rows(dy)  the embedding lookup
//   scatter_rows  y [r.., ..], rows [r..] -> x [n, ..]:  x[rows[i]] += y[i]     dy = take(dx)
//   gather        y[.., i, ..] = x[.., index[.., i, ..], ..] along one axis     dx = scatter(dy)
//   scatter       x[.., index[.., i, ..], ..] += y[.., i, ..]                   dy = gather(dx)
//   concat        inputs one after the other along one axis                     dx = slices of dy
// Indices are i32 or i64 and are checked before anything is read. Rows met twice are added in their
// order: threads share columns, not rows.
#include <algorithm>
#include <cstring>

#include "gradus/ops/elementwise.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

std::vector<int64_t> checked_indices(const char* op, const Tensor& index, int64_t n) {
  if (index.dtype() != DType::i32 && index.dtype() != DType::i64)
    fail("{}: indices must be i32 or i64, got {}", op, to_string(index.dtype()));
  std::vector<int64_t> values = index.to_vector<int64_t>();
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i] < 0 || values[i] >= n)
      fail("{}: index {} at place {} is outside 0..{}", op, values[i], i, n - 1);
  return values;
}

constexpr int64_t strip = 128;  // columns a thread scatters at once

template <class T>
void scatter_rows_into(const T* from, const std::vector<int64_t>& rows, int64_t width, T* to) {
  parallel_for(width, strip, [&](int64_t begin, int64_t end) {
    for (size_t i = 0; i < rows.size(); ++i) {
      const T* source = from + static_cast<int64_t>(i) * width;
      T* target = to + rows[i] * width;
      for (int64_t j = begin; j < end; ++j) target[j] += source[j];
    }
  });
}

Tensor scatter_rows(const Tensor& y, const Tensor& rows, int64_t n);

struct Take : Op<Take> {
  static constexpr const char* name = "take";
  Tensors forward(Inputs in) override {
    const Tensor& x = in[0];
    check(x.rank() >= 1, "take: the tensor to take rows of has no axes");
    const auto rows = checked_indices(name, in[1], x.shape()[0]);
    Shape shape = in[1].shape();
    for (int axis = 1; axis < x.rank(); ++axis) shape.push_back(x.shape()[axis]);
    Tensor y = Tensor::empty(shape, x.dtype());
    save({in[1]});
    if (y.numel() == 0) return {y};
    const Tensor table = contiguous(x);
    const int64_t width = x.numel() / x.shape()[0];
    dispatch(x.dtype(), [&]<class T>() {
      const T* from = table.data<T>();
      T* to = y.write<T>();
      parallel_for(static_cast<int64_t>(rows.size()), std::max<int64_t>(1, element_block / width),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t i = begin; i < end; ++i)
                       std::memcpy(to + i * width, from + rows[static_cast<size_t>(i)] * width,
                                   static_cast<size_t>(width) * sizeof(T));
                   });
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    const Shape& shape = edges()[0].shape;
    if (grad_enabled()) return {scatter_rows(dys[0], saved(0), shape[0]), Tensor()};
    GradientSlot dx = slot(0);
    dx.zero_unless_added_to();
    dispatch_float(name, dys[0].dtype(), [&]<class T>() {
      if (shape.numel())
        scatter_rows_into(contiguous(dys[0]).data<T>(), saved(0).to_vector<int64_t>(),
                          shape.numel() / shape[0], dx.into.write<T>());
    });
    return {dx.gradient(), Tensor()};
  }
};

struct ScatterRows : Op<ScatterRows> {
  static constexpr const char* name = "scatter_rows";
  int64_t n;
  explicit ScatterRows(int64_t n) : n(n) {}
  std::string detail() const override { return fmt::format("rows={}", n); }
  Tensors forward(Inputs in) override {
    const Tensor y = contiguous(in[0]);
    const auto rows = checked_indices(name, in[1], n);
    Shape shape{n};
    for (int axis = in[1].rank(); axis < y.rank(); ++axis) shape.push_back(y.shape()[axis]);
    Tensor x = zeros(shape, y.dtype());
    save({in[1]});
    dispatch(y.dtype(), [&]<class T>() {
      if (x.numel()) scatter_rows_into(y.data<T>(), rows, x.numel() / n, x.write<T>());
    });
    return {x};
  }
  Tensors backward(const Tensors& dys) override { return {take(dys[0], saved(0)), Tensor()}; }
};
Tensor scatter_rows(const Tensor& y, const Tensor& rows, int64_t n) {
  return apply<ScatterRows>({y, rows}, n)[0];
}

// Calls f(i, j) for each element of the index: i its number in row-major order, j the number in x
// that it names.
template <class F>
void for_each_named(const char* op, const Tensor& index, const Shape& x, int axis, F&& f) {
  Shape expected = x;
  if (index.rank() == x.rank()) expected[axis] = index.shape()[axis];
  if (index.shape() != expected)
    fail("{}: the index has shape {}, the tensor {}; they may differ along axis {} only", op,
         index.shape(), x, axis);
  const auto values = checked_indices(op, index, x[axis]);
  const Shape strides = contiguous_strides(x), index_strides = contiguous_strides(index.shape());
  for (int64_t i = 0; i < index.numel(); ++i) {
    int64_t rest = i, j = 0;
    for (int a = 0; a < x.rank(); ++a) {
      const int64_t at = rest / index_strides[a];
      rest %= index_strides[a];
      j += (a == axis ? values[static_cast<size_t>(i)] : at) * strides[a];
    }
    f(i, j);
  }
}

Tensor scatter(const Tensor& y, int axis, const Tensor& index, const Shape& shape);

struct Gather : Op<Gather> {
  static constexpr const char* name = "gather";
  int axis;
  explicit Gather(int axis) : axis(axis) {}
  std::string detail() const override { return fmt::format("axis={}", axis); }
  Tensors forward(Inputs in) override {
    const Tensor x = contiguous(in[0]);
    Tensor y = Tensor::empty(in[1].shape(), x.dtype());
    save({in[1]});
    dispatch(x.dtype(), [&]<class T>() {
      const T* from = x.data<T>();
      T* to = y.write<T>();
      for_each_named(name, in[1], x.shape(), axis, [&](int64_t i, int64_t j) { to[i] = from[j]; });
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    return {scatter(dys[0], axis, saved(0), edges()[0].shape), Tensor()};
  }
};

struct Scatter : Op<Scatter> {
  static constexpr const char* name = "scatter";
  int axis;
  Shape shape;
  Scatter(int axis, const Shape& shape) : axis(axis), shape(shape) {}
  std::string detail() const override { return fmt::format("axis={} into {}", axis, shape); }
  Tensors forward(Inputs in) override {
    const Tensor y = contiguous(in[0]);
    Tensor x = zeros(shape, y.dtype());
    save({in[1]});
    dispatch(y.dtype(), [&]<class T>() {
      const T* from = y.data<T>();
      T* to = x.write<T>();
      for_each_named(name, in[1], shape, axis,
                     [&](int64_t i, int64_t j) { to[j] = static_cast<T>(to[j] + from[i]); });
    });
    return {x};
  }
  Tensors backward(const Tensors& dys) override {
    return {gather(dys[0], axis, saved(0)), Tensor()};
  }
};
Tensor scatter(const Tensor& y, int axis, const Tensor& index, const Shape& shape) {
  return apply<Scatter>({y, index}, axis, shape)[0];
}

struct Concat : Op<Concat> {
  static constexpr const char* name = "concat";
  int axis;
  explicit Concat(int axis) : axis(axis) {}
  std::string detail() const override { return fmt::format("axis={}", axis); }
  Tensors forward(Inputs in) override {
    Shape shape = in[0].shape();
    for (size_t i = 1; i < in.size(); ++i) {
      check_same_dtype(name, in[0], in[i]);
      Shape other = in[i].shape();
      if (other.rank() == shape.rank())
        shape[axis] += other[axis], other[axis] = in[0].shape()[axis];
      if (other != in[0].shape())
        fail("concat: shapes {} and {} differ in more than axis {}", in[0].shape(), in[i].shape(),
             axis);
    }
    Tensor y = Tensor::empty(shape, in[0].dtype());
    dispatch(y.dtype(), [&]<class T>() {
      T* to = y.write<T>();
      const int64_t inner = y.strides()[axis];
      int64_t before = 0;  // rows of the axis already filled
      for (const Tensor& x : in) {
        const Tensor from = contiguous(x);
        const int64_t run = x.shape()[axis] * inner;
        for (int64_t i = 0; run > 0 && i < x.numel() / run; ++i)
          std::copy_n(from.data<T>() + i * run, run, to + i * shape[axis] * inner + before * inner);
        before += x.shape()[axis];
      }
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    Tensors dxs;
    int64_t before = 0;
    for (const Edge& edge : edges()) {
      dxs.push_back(edge.wanted() ? slice(dys[0], axis, before, before + edge.shape[axis])
                                  : Tensor());
      before += edge.shape[axis];
    }
    return dxs;
  }
};

}  // namespace

Tensor take(const Tensor& x, const Tensor& rows) { return apply<Take>({x, rows})[0]; }
Tensor gather(const Tensor& x, int axis, const Tensor& index) {
  return apply<Gather>({x, index}, checked_axis("gather", axis, x.shape()))[0];
}
Tensor concat(const Tensors& xs, int axis) {
  check(!xs.empty(), "concat: there are no tensors");
  return apply<Concat>(xs, checked_axis("concat", axis, xs[0].shape()))[0];
}

OpInfos index_ops() {
  const auto call_take = [](Inputs in) { return Tensors{take(in[0], in[1])}; };
  const auto call_gather = [](int axis) {
    return [=](Inputs in) { return Tensors{gather(in[0], axis, in[1])}; };
  };
  OpInfo takes{
      "take", "x[rows]", "index", [=]() -> std::vector<Sample> {
        return {
            {"rows met twice", {sample_normal({4, 3}, 1), sample_indices({6}, 4, 1)}, call_take},
            {"a matrix of rows",
             {sample_normal({5, 2}, 2), sample_indices({2, 3}, 5, 2, DType::i64)},
             call_take},
            {"two strips of columns",
             {sample_normal({2, strip + 2}, 3), sample_indices({3}, 2, 3)},
             call_take}};
      }};
  takes.errors = []() -> std::vector<ErrorSample> {
    return {{"index",
             [] {
               take(ones({3, 2}), tensor({0, 3}, DType::i32));
             },
             {"take", "index 3", "0..2"}},
            {"dtype",
             [] {
               take(ones({3, 2}), tensor({0.0}));
             },
             {"take", "f32"}}};
  };
  OpInfo scatters{"scatter_rows", "x[rows[i]] += y[i]", "index", []() -> std::vector<Sample> {
                    return {{"rows met twice",
                             {sample_normal({6, 3}, 4), sample_indices({6}, 4, 4)},
                             [](Inputs in) { return Tensors{scatter_rows(in[0], in[1], 4)}; }}};
                  }};
  OpInfo gathers{"gather", "x[.., index, ..]", "index", [=]() -> std::vector<Sample> {
                   return {{"last axis",
                            {sample_normal({3, 4}, 5), sample_indices({3, 2}, 4, 5)},
                            call_gather(-1)},
                           {"first axis",
                            {sample_normal({3, 4}, 6), sample_indices({5, 4}, 3, 6)},
                            call_gather(0)}};
                 }};
  gathers.errors = []() -> std::vector<ErrorSample> {
    return {{"shape",
             [] {
               gather(ones({3, 4}), 1, zeros({2, 4}, DType::i64));
             },
             {"gather", "[2, 4]", "[3, 4]"}},
            {"index",
             [] {
               gather(ones({3, 4}), 1, full({3, 1}, 9, DType::i64));
             },
             {"gather", "index 9", "0..3"}}};
  };
  OpInfo scatters_elements{
      "scatter", "x[.., index, ..] += y", "index", []() -> std::vector<Sample> {
        return {
            {"last axis", {sample_normal({3, 4}, 7), sample_indices({3, 4}, 2, 7)}, [](Inputs in) {
               return Tensors{scatter(in[0], 1, in[1], {3, 2})};
             }}};
      }};
  OpInfo concats{"concat", "inputs one after the other", "index", []() -> std::vector<Sample> {
                   return {{"first axis",
                            {sample_normal({2, 3}, 8), sample_normal({1, 3}, 9)},
                            [](Inputs in) { return Tensors{concat(in, 0)}; }},
                           {"last axis, one twice",
                            {sample_normal({2, 3}, 10), sample_normal({2, 2}, 11)},
                            [](Inputs in) {
                              return Tensors{concat({in[0], in[1], in[0]}, -1)};
                            }}};
                 }};
  concats.errors = []() -> std::vector<ErrorSample> {
    return {{"shapes",
             [] {
               concat({ones({2, 3}), ones({2, 4})}, 0);
             },
             {"concat", "[2, 3]", "[2, 4]"}}};
  };
  return {takes, scatters, gathers, scatters_elements, concats};
}

}  // namespace gradus
