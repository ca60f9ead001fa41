// Rows by number: x [n, ..], rows [r..].
//   take          y[i] = x[rows[i]], the embedding lookup       dx = scatter_rows(dy)
//   scatter_rows  x = zeros [n, ..], then x[rows[i]] += y[i]    dy = take(dx)
//   index_add     the same onto a tensor                        and its gradient is dx
//   index_put     y = x, then y[rows[i]] = values[i]          dvalues = take(dy), dx = dy elsewhere
//   one_hot       y [r.., classes] = (rows == class)            without gradient
// Indices are i32 or i64 and are checked before anything is read. Rows met twice are added in their
// order, whatever the number of threads; of rows put twice the last one stays.
#include <numeric>

#include "gradus/ops/elementwise.h"
#include "gradus/ops/indices.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

// The product of all sizes but the first: the length of a row.
int64_t row_width(const Shape& shape) {
  int64_t width = 1;
  for (int axis = 1; axis < shape.rank(); ++axis) width *= shape[axis];
  return width;
}

// [rows.., ..] for rows of x.
Shape shape_of_rows(const char* op, const Shape& rows, const Shape& x) {
  check(x.rank() >= 1, "{}: the tensor whose rows are meant has no axes", op);
  Shape shape = rows;
  for (int axis = 1; axis < x.rank(); ++axis) shape.push_back(x[axis]);
  return shape;
}

template <class T, class I>
void take_rows(const T* from, const I* rows, int64_t count, int64_t width, T* to) {
  const int64_t grain = std::max<int64_t>(1, element_block / width);
  parallel_for(count, grain, [&](int64_t begin, int64_t end) {
    if (width == 1)
      for (int64_t i = begin; i < end; ++i) to[i] = from[rows[i]];
    else
      for (int64_t i = begin; i < end; ++i)
        std::memcpy(to + i * width, from + static_cast<int64_t>(rows[i]) * width,
                    static_cast<size_t>(width) * sizeof(T));
  });
}

// Which positions name each row that is named, in their order: those of row named[k] are
// positions[begin[k]] .. positions[begin[k + 1] - 1].
struct ByRow {
  std::vector<int64_t> named, begin, positions;
  template <class I>
  ByRow(const I* rows, int64_t count, int64_t n) : positions(static_cast<size_t>(count)) {
    std::vector<int64_t> next(static_cast<size_t>(n) + 1);
    for (int64_t i = 0; i < count; ++i) ++next[static_cast<size_t>(rows[i]) + 1];
    for (int64_t row = 0; row < n; ++row) {
      const auto r = static_cast<size_t>(row);
      if (next[r + 1]) {
        named.push_back(row);
        begin.push_back(next[r]);
      }
      next[r + 1] += next[r];
    }
    begin.push_back(count);
    for (int64_t i = 0; i < count; ++i)
      positions[static_cast<size_t>(next[static_cast<size_t>(rows[i])]++)] = i;
  }
};

constexpr int64_t strip = 128;  // columns that are added at once

// to[rows[i]] += from[i]: threads share the rows of `to`, and strips of their columns.
template <class T, class I>
void scatter_rows_into(const T* from, const I* rows, int64_t count, int64_t n, int64_t width,
                       T* to) {
  if (count == 0 || width == 0) return;
  const ByRow by_row(rows, count, n);
  const auto named = static_cast<int64_t>(by_row.named.size());
  const int64_t strips = (width + strip - 1) / strip,
                elements = std::max<int64_t>(1, count / named) * std::min(width, strip);
  const int64_t grain = std::max<int64_t>(1, element_block / elements);
  parallel_for(named * strips, grain, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const auto k = static_cast<size_t>(task / strips);
      const int64_t first = task % strips * strip, length = std::min(strip, width - first);
      T* target = to + by_row.named[k] * width + first;
      for (int64_t i = by_row.begin[k]; i < by_row.begin[k + 1]; ++i) {
        const T* source = from + by_row.positions[static_cast<size_t>(i)] * width + first;
        for (int64_t j = 0; j < length; ++j) target[j] = static_cast<T>(target[j] + source[j]);
      }
    }
  });
}

struct Take : Op<Take> {
  static constexpr const char* name = "take";
  Tensors forward(Inputs in) override {
    const Shape shape = shape_of_rows(name, in[1].shape(), in[0].shape());
    const Tensor rows = checked_indices(name, in[1], in[0].shape()[0]);
    Tensor y = Tensor::empty(shape, in[0].dtype());
    save({in[1]});
    if (y.numel() == 0) return {y};
    const Tensor x = contiguous(in[0]);
    dispatch(x.dtype(), [&]<class T>() {
      dispatch_index(name, rows.dtype(), [&]<class I>() {
        take_rows(x.data<T>(), rows.data<I>(), rows.numel(), row_width(x.shape()), y.write<T>());
      });
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    const Shape& shape = edges()[0].shape;
    if (grad_enabled()) return {scatter_rows(dys[0], saved(0), shape[0]), Tensor()};
    GradientSlot dx = slot(0);
    dx.zero_unless_added_to();
    const Tensor dy = contiguous(dys[0]), rows = contiguous(saved(0));
    dispatch_float(name, dy.dtype(), [&]<class T>() {
      dispatch_index(name, rows.dtype(), [&]<class I>() {
        scatter_rows_into(dy.data<T>(), rows.data<I>(), rows.numel(), shape[0], row_width(shape),
                          dx.into.write<T>());
      });
    });
    return {dx.gradient(), Tensor()};
  }
};

// Into zeros of n rows, or onto a third input.
template <bool onto>
struct ScatterRows : Op<ScatterRows<onto>> {
  static constexpr const char* name = onto ? "index_add" : "scatter_rows";
  int64_t n;
  explicit ScatterRows(int64_t n) : n(n) {}
  std::string detail() const override { return fmt::format("rows={}", n); }
  Tensors forward(Inputs in) override {
    const Tensor y = contiguous(in[0]), rows = checked_indices(name, in[1], n);
    Shape shape{n};
    for (int axis = rows.rank(); axis < y.rank(); ++axis) shape.push_back(y.shape()[axis]);
    this->save({in[1]});
    Tensor x = onto ? clone(in[2]) : Tensor::empty(shape, y.dtype());
    dispatch_number(name, y.dtype(), [&]<class T>() {
      T* to = x.write<T>();
      if (!onto) fill_elements(to, x.numel(), T{0});
      dispatch_index(name, rows.dtype(), [&]<class I>() {
        scatter_rows_into(y.data<T>(), rows.data<I>(), rows.numel(), n, row_width(shape), to);
      });
    });
    return {x};
  }
  Tensors backward(const Tensors& dys) override {
    Tensors dxs{this->wants(0) ? take(dys[0], this->saved(0)) : Tensor(), Tensor()};
    if (onto) dxs.push_back(dys[0]);
    return dxs;
  }
};

struct IndexPut : Op<IndexPut> {
  static constexpr const char* name = "index_put";
  Tensors forward(Inputs in) override {
    const Tensor &x = in[0], values = contiguous(in[2]),
                 rows = checked_indices(name, in[1], x.shape()[0]);
    const int64_t width = row_width(x.shape()), count = rows.numel();
    Tensor y = clone(x), last = Tensor::empty({count}, DType::i64);
    int64_t* where = last.write<int64_t>();
    dispatch_index(name, rows.dtype(), [&]<class I>() {
      const ByRow by_row(rows.data<I>(), count, x.shape()[0]);
      for (size_t k = 0; k < by_row.named.size(); ++k)
        for (int64_t i = by_row.begin[k]; i < by_row.begin[k + 1]; ++i)
          where[by_row.positions[static_cast<size_t>(i)]] =
              by_row.positions[static_cast<size_t>(by_row.begin[k + 1]) - 1];
      if (width == 0) return;
      dispatch(y.dtype(), [&]<class T>() {
        T* to = y.write<T>();
        const T* from = values.data<T>();
        const auto named = static_cast<int64_t>(by_row.named.size());
        parallel_for(
            named, std::max<int64_t>(1, element_block / width), [&](int64_t begin, int64_t end) {
              for (int64_t k = begin; k < end; ++k) {
                const auto next = static_cast<size_t>(k) + 1;
                const int64_t i = by_row.positions[static_cast<size_t>(by_row.begin[next]) - 1];
                std::copy_n(from + i * width, width, to + by_row.named[next - 1] * width);
              }
            });
      });
    });
    save({in[1], last});
    return {y};
  }
  // Of values put to one row only the last is in y.
  Tensors backward(const Tensors& dys) override {
    const Tensor& dy = dys[0];
    const Tensor rows = saved(0), zero = zeros({}, dy.dtype());
    Tensors dxs(3);
    if (wants(0)) dxs[0] = index_put(dy, rows, expand(zero, edges()[2].shape));
    if (wants(2)) {
      Shape column = Shape::of_rank(edges()[2].shape.rank(), 1);
      for (int axis = 0; axis < rows.rank(); ++axis) column[axis] = rows.shape()[axis];
      const Tensor is_last = reshape(equal(saved(1), arange(rows.numel())), column);
      dxs[2] = where(is_last, take(dy, rows), zero);
    }
    return dxs;
  }
};

// The values in the shape [rows.., ..] that x[rows] has.
Tensor broadcast_values(const char* op, const Tensor& x, const Tensor& rows, const Tensor& values) {
  check_same_dtype(op, x, values);
  const Shape shape = shape_of_rows(op, rows.shape(), x.shape());
  if (values.shape() == shape) return values;
  if (broadcast_shapes(op, values.shape(), shape) != shape)
    fail("{}: values of shape {} do not broadcast to {}, the shape of x[rows] for x {} and rows {}",
         op, values.shape(), shape, x.shape(), rows.shape());
  return expand(values, shape);
}

}  // namespace

Tensor take(const Tensor& x, const Tensor& rows) { return apply<Take>({x, rows})[0]; }

Tensor scatter_rows(const Tensor& y, const Tensor& rows, int64_t n) {
  const bool leading = rows.rank() <= y.rank() &&
                       std::equal(rows.shape().begin(), rows.shape().end(), y.shape().begin());
  if (!leading || n < 0)
    fail(
        "scatter_rows: {} rows of shape {} by indices of shape {}; the tensor's first sizes must "
        "be those of the indices",
        n, y.shape(), rows.shape());
  return apply<ScatterRows<false>>({y, rows}, n)[0];
}

Tensor index_put(const Tensor& x, const Tensor& rows, const Tensor& values) {
  return apply<IndexPut>({x, rows, broadcast_values("index_put", x, rows, values)})[0];
}

Tensor index_add(const Tensor& x, const Tensor& rows, const Tensor& values) {
  const Tensor all = broadcast_values("index_add", x, rows, values);
  return apply<ScatterRows<true>>({all, rows, x}, x.shape()[0])[0];
}

Tensor one_hot(const Tensor& ids, int64_t classes, DType dtype) {
  check(classes >= 0, "one_hot: {} classes for ids of shape {}", classes, ids.shape());
  const NoGrad scope;
  const Tensor index = checked_indices("one_hot", ids, classes);
  Shape shape = ids.shape();
  shape.push_back(classes);
  Tensor y = Tensor::empty(shape, dtype);
  dispatch(dtype, [&]<class T>() {
    T* to = y.write<T>();
    dispatch_index("one_hot", index.dtype(), [&]<class I>() {
      const I* at = index.data<I>();
      parallel_for(index.numel(),
                   std::max<int64_t>(1, element_block / std::max<int64_t>(1, classes)),
                   [&](int64_t begin, int64_t end) {
                     std::fill(to + begin * classes, to + end * classes, T{0});
                     for (int64_t i = begin; i < end; ++i)
                       to[i * classes + static_cast<int64_t>(at[i])] = T{1};
                   });
    });
  });
  return y;
}

OpInfos index_ops() {
  using sample::indices;
  using sample::normal;
  const auto taken = [](Inputs in) { return Tensors{take(in[0], in[1])}; };
  const auto put = [](Inputs in) { return Tensors{index_put(in[0], in[1], in[2])}; };
  const auto added = [](Inputs in) { return Tensors{index_add(in[0], in[1], in[2])}; };
  return {
      {.name = "take",
       .formula = "x[rows]",
       .samples = {{"rows met twice", {normal({4, 3}), indices({6}, 4)}, taken},
                   {"a matrix of rows", {normal({5, 2}), indices({2, 3}, 5, DType::i64)}, taken},
                   {"single elements", {normal({5}), indices({2, 4}, 5)}, taken},
                   {"two strips of columns", {normal({2, strip + 2}), indices({3}, 2)}, taken}},
       .errors = {{"index",
                   [] {
                     take(ones({3, 2}), tensor({0, 3}, DType::i32));
                   },
                   {"take", "index 3", "position 1", "0..2"}},
                  {"negative",
                   [] {
                     take(ones({3, 2}), tensor({-1}, DType::i64));
                   },
                   {"take", "index -1", "0..2"}},
                  {"of nothing",
                   [] {
                     take(ones({0, 2}), tensor({0}, DType::i64));
                   },
                   {"take", "index 0", "0..-1"}},
                  {"dtype",
                   [] {
                     take(ones({3, 2}), tensor({0.0}));
                   },
                   {"take", "f32", "i64"}},
                  {"no axes",
                   [] { take(scalar(1), tensor({0}, DType::i32)); },
                   {"take", "no axes"}}}},
      {.name = "scatter_rows",
       .formula = "x[rows[i]] += y[i]",
       .samples = {{"rows met twice",
                    {normal({6, 3}), indices({6}, 4)},
                    [](Inputs in) { return Tensors{scatter_rows(in[0], in[1], 4)}; }},
                   {"a matrix of rows",
                    {normal({2, 3}), indices({2, 3}, 4, DType::i64)},
                    [](Inputs in) { return Tensors{scatter_rows(in[0], in[1], 4)}; }}},
       .errors = {{"index",
                   [] {
                     scatter_rows(ones({2, 2}), tensor({0, 4}, DType::i32), 4);
                   },
                   {"scatter_rows", "index 4", "0..3"}},
                  {"shapes",
                   [] {
                     scatter_rows(ones({3, 2}), tensor({0, 1}, DType::i32), 4);
                   },
                   {"scatter_rows", "[3, 2]", "[2]"}}}},
      {.name = "index_put",
       .formula = "x with x[rows] = values",
       .samples = {{"rows put twice", {normal({4, 3}), indices({6}, 4), normal({6, 3})}, put},
                   {"one row for all", {normal({5, 2}), indices({3}, 5), normal({2})}, put},
                   {"a matrix of rows",
                    {normal({7, 2}), indices({2, 3}, 7, DType::i64), normal({2, 3, 2})},
                    put}},
       .errors = {{"index",
                   [] {
                     index_put(ones({3, 2}), tensor({3}, DType::i32), ones({2}));
                   },
                   {"index_put", "index 3", "0..2"}},
                  {"shape",
                   [] {
                     index_put(ones({3, 2}), tensor({1}, DType::i32), ones({4, 2}));
                   },
                   {"index_put", "[4, 2]", "[1, 2]", "[3, 2]"}},
                  {"dtypes",
                   [] { index_put(ones({3}), tensor({1}, DType::i32), ones({1}, DType::f64)); },
                   {"index_put", "f32", "f64"}}}},
      {.name = "index_add",
       .formula = "x with x[rows] += values",
       .samples = {{"rows met twice", {normal({4, 3}), indices({6}, 4), normal({6, 3})}, added},
                   {"one row for all", {normal({5, 2}), indices({3}, 5), normal({2})}, added}},
       .errors = {{"index",
                   [] {
                     index_add(ones({3, 2}), tensor({3}, DType::i32), ones({2}));
                   },
                   {"index_add", "index 3", "0..2"}},
                  {"shape",
                   [] {
                     index_add(ones({3, 2}), tensor({1}, DType::i32), ones({3}));
                   },
                   {"index_add", "[3]", "[1, 2]"}}}},
      {.name = "one_hot",
       .formula = "ids == class",
       .samples = {{"vector",
                    {indices({5}, 4)},
                    [](Inputs in) { return Tensors{one_hot(in[0], 4)}; }},
                   {"matrix, boolean",
                    {indices({2, 3}, 3, DType::i64)},
                    [](Inputs in) { return Tensors{one_hot(in[0], 3, DType::boolean)}; }}},
       .errors = {{"id",
                   [] { one_hot(tensor({4}, DType::i32), 4); },
                   {"one_hot", "index 4", "0..3"}},
                  {"dtype", [] { one_hot(ones({2}), 4); }, {"one_hot", "f32", "i64"}}},
       .differentiable = false},
  };
}

}  // namespace gradus
