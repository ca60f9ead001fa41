// Sums over axes, and what is made of them.
//   sum    y = sum of x over the axes                          dx = dy, repeated
//   mean   y = sum / n                                         dx = dy / n, repeated
//   var    y = sum of (x - mean)^2 / (n - 1), or / n biased  dx = dy 2 (x - mean) / (n - 1) or n
// Sums run in double over blocks cut by size, added in order: of n floats the result is the exact
// sum rounded once, but for an error of n 2^-53 sum |x|; the same bits on any number of threads and
// any level.
#include "gradus/ops/reduce.h"

#include <fmt/ranges.h>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradus/kernels/kernels.h"
#include "gradus/ops/table.h"

namespace gradus {

std::vector<int> checked_axes(const char* op, const Axes& axes, const Shape& shape) {
  std::vector<int> sorted;
  for (const int axis : axes.list) sorted.push_back(checked_axis(op, axis, shape));
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end())
    fail("{}: axis {} of the shape {} is given twice, in [{}]", op, *twice, shape,
         fmt::join(axes.list, ", "));
  return sorted;
}

std::vector<int> all_axes(const Tensor& x) {
  std::vector<int> axes(static_cast<size_t>(x.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

Tensor keep_or_drop(const Tensor& y, const std::vector<int>& axes, bool keep_axes) {
  if (keep_axes || axes.empty()) return y;
  Shape shape = y.shape();
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) shape.erase(*axis);
  return reshape(y, shape);
}

Reduced::Reduced(const Tensor& given, const std::vector<int>& axes) : kept(given.shape()) {
  bool scattered = false;
  std::vector<int> order, last;
  for (int axis = 0; axis < given.rank(); ++axis) {
    const bool reduced = std::binary_search(axes.begin(), axes.end(), axis);
    const int64_t size = given.shape()[axis];
    (reduced ? last : order).push_back(axis);
    if (reduced) {
      kept[axis] = 1;
      scattered = scattered || (inner > 1 && size > 1);
      n *= size;
    } else {
      (n > 1 ? inner : outer) *= size;
    }
  }
  const NoGrad scope;
  if (inner > 1 && (scattered || (inner < 8 && n > 8))) {
    order.insert(order.end(), last.begin(), last.end());
    x = contiguous(permute(given, order));
    outer *= inner;
    inner = 1;
  } else {
    x = contiguous(given);
  }
}

namespace {

template <class T>
using Total = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;

template <class T>
Total<T> sum_of(const T* x, int64_t n) {
  if constexpr (std::is_floating_point_v<T>) return kernels<T>().sum_of(x, n);
  else return std::accumulate(x, x + n, int64_t{0});
}

// sums[j] += x[r, j] for rows of n that begin `step` apart, four at a time.
template <class T>
void add_rows(const T* x, int64_t step, Total<T>* sums, int64_t rows, int64_t n) {
  using S = Total<T>;
  at_level([=] {
    const T* a = x;
    int64_t r = 0;
    for (; r + 4 <= rows; r += 4, a += 4 * step) {
      const T *b = a + step, *c = b + step, *d = c + step;
#pragma omp simd
      for (int64_t j = 0; j < n; ++j)
        sums[j] += (static_cast<S>(a[j]) + static_cast<S>(b[j])) +
                   (static_cast<S>(c[j]) + static_cast<S>(d[j]));
    }
    for (; r < rows; ++r, a += step) {
#pragma omp simd
      for (int64_t j = 0; j < n; ++j) sums[j] += static_cast<S>(a[j]);
    }
  });
}

// x [outer, n] -> out [outer], sums / divisor. Long rows are cut into pieces, whose sums are added
// in order.
template <class T>
void sum_rows(const Reduced& in, Total<T> divisor, T* out) {
  const T* x = in.x.data<T>();
  const int64_t piece = 4 * element_block,
                pieces = std::max<int64_t>(1, (in.n + piece - 1) / piece);
  std::vector<Total<T>> parts(static_cast<size_t>(pieces > 1 ? in.outer * pieces : 0));
  const int64_t grain = std::max<int64_t>(1, element_block / std::max<int64_t>(1, in.n));
  parallel_for(in.outer * pieces, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = i / pieces, from = i % pieces * piece;
      const Total<T> total = sum_of(x + row * in.n + from, std::min(piece, in.n - from));
      if (pieces == 1) out[row] = static_cast<T>(total / divisor);
      else parts[static_cast<size_t>(i)] = total;
    }
  });
  for (int64_t row = 0; pieces > 1 && row < in.outer; ++row) {
    const auto first = parts.begin() + row * pieces;
    out[row] = static_cast<T>(std::accumulate(first, first + pieces, Total<T>(0)) / divisor);
  }
}

// x [outer, n, inner] -> out [outer, inner]. Columns go in strips; many rows are cut into pieces,
// whose sums are added in order.
template <class T>
void sum_columns(const Reduced& in, Total<T> divisor, T* out) {
  using S = Total<T>;
  const T* x = in.x.data<T>();
  const int64_t strip = std::min(in.inner, column_strip), strips = (in.inner + strip - 1) / strip,
                piece = std::max<int64_t>(1, 4 * element_block / strip),
                pieces = (in.n + piece - 1) / piece;
  std::vector<S> parts(static_cast<size_t>(pieces > 1 ? in.outer * pieces * in.inner : 0));
  const int64_t grain = std::max<int64_t>(1, element_block / (std::min(in.n, piece) * strip));
  parallel_for(in.outer * pieces * strips, grain, [&](int64_t begin, int64_t end) {
    S own[column_strip];
    for (int64_t i = begin; i < end; ++i) {
      const int64_t o = i / strips / pieces, p = i / strips % pieces, column = i % strips * strip,
                    width = std::min(strip, in.inner - column);
      S* sums = pieces == 1 ? own : parts.data() + (o * pieces + p) * in.inner + column;
      if (pieces == 1) std::fill_n(own, width, S(0));
      add_rows(x + (o * in.n + p * piece) * in.inner + column, in.inner, sums,
               std::min(piece, in.n - p * piece), width);
      for (int64_t j = 0; pieces == 1 && j < width; ++j)
        out[o * in.inner + column + j] = static_cast<T>(sums[j] / divisor);
    }
  });
  if (pieces == 1) return;
  parallel_for(in.outer * strips, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t o = i / strips, column = i % strips * strip,
                    width = std::min(strip, in.inner - column);
      S own[column_strip] = {};
      add_rows(parts.data() + o * pieces * in.inner + column, in.inner, own, pieces, width);
      for (int64_t j = 0; j < width; ++j)
        out[o * in.inner + column + j] = static_cast<T>(own[j] / divisor);
    }
  });
}

// The sums of x over the axes, which keep size 1, divided by `divisor`; x is not empty.
Tensor sums_over(const char* op, const Tensor& x, const std::vector<int>& axes, int64_t divisor) {
  const Reduced reduced(x, axes);
  Tensor y = Tensor::empty(reduced.kept, x.dtype());
  const auto run = [&]<class T>() {
    const auto by = static_cast<Total<T>>(divisor);
    if (reduced.inner == 1) sum_rows(reduced, by, y.write<T>());
    else sum_columns(reduced, by, y.write<T>());
  };
  if (x.dtype() == DType::i64) run.operator()<int64_t>();
  else dispatch_float(op, x.dtype(), run);
  return y;
}

struct OverAxes {
  std::vector<int> axes;
  explicit OverAxes(std::vector<int> axes) : axes(std::move(axes)) {}
  Shape kept(Shape shape) const {
    for (const int axis : axes) shape[axis] = 1;
    return shape;
  }
  int64_t count(const Shape& shape) const {
    int64_t n = 1;
    for (const int axis : axes) n *= shape[axis];
    return n;
  }
  // That a mean of floats exists.
  void check_count(const char* op, const Tensor& x, int64_t least) const {
    if (!is_float(x.dtype()))
      fail("{}: needs an f32 or f64 tensor, got {}; cast it first", op, to_string(x.dtype()));
    if (const int64_t n = count(x.shape()); n < least)
      fail("{}: over axes [{}] of the shape {} there are {} elements; it needs at least {}", op,
           fmt::join(axes, ", "), x.shape(), n, least);
  }
};

struct Sum : Op<Sum>, OverAxes {
  static constexpr const char* name = "sum";
  Shape from;
  using OverAxes::OverAxes;
  std::string detail() const override { return fmt::format("axes={}", fmt::join(axes, ",")); }
  Tensors forward(Inputs in) override {
    from = in[0].shape();
    const Tensor x = is_float(in[0].dtype()) ? in[0] : cast(in[0], DType::i64);
    if (from.numel() == 0) return {zeros(kept(from), x.dtype())};
    return {sums_over(name, x, axes, 1)};
  }
  Tensors backward(const Tensors& dys) override { return {expand(dys[0], from)}; }
};

struct Mean : Op<Mean>, OverAxes {
  static constexpr const char* name = "mean";
  Shape from;
  using OverAxes::OverAxes;
  std::string detail() const override { return fmt::format("axes={}", fmt::join(axes, ",")); }
  Tensors forward(Inputs in) override {
    from = in[0].shape();
    check_count(name, in[0], 1);
    if (from.numel() == 0) return {zeros(kept(from), in[0].dtype())};
    return {sums_over(name, in[0], axes, count(from))};
  }
  Tensors backward(const Tensors& dys) override {
    return {expand(dys[0] / static_cast<double>(count(from)), from)};
  }
};

struct Var : Op<Var>, OverAxes {
  static constexpr const char* name = "var";
  bool unbiased;
  Var(std::vector<int> axes, bool unbiased) : OverAxes(std::move(axes)), unbiased(unbiased) {}
  std::string detail() const override {
    return fmt::format("axes={} {}", fmt::join(axes, ","), unbiased ? "unbiased" : "biased");
  }
  int64_t divisor(const Shape& shape) const { return count(shape) - (unbiased ? 1 : 0); }

  // in double, in two passes: the mean, then squares about it
  Tensors forward(Inputs in) override {
    const Shape& shape = in[0].shape();
    check_count(name, in[0], unbiased ? 2 : 1);
    save({in[0]});
    if (shape.numel() == 0) return {zeros(kept(shape), in[0].dtype())};
    std::vector<int> order;
    for (int axis = 0; axis < shape.rank(); ++axis)
      if (!std::binary_search(axes.begin(), axes.end(), axis)) order.push_back(axis);
    order.insert(order.end(), axes.begin(), axes.end());
    const Tensor rows = contiguous(permute(in[0], order));
    Tensor y = Tensor::empty(kept(shape), rows.dtype());
    const int64_t n = count(shape);
    dispatch_float(name, rows.dtype(), [&]<class T>() {
      const T* x = rows.data<T>();
      T* out = y.write<T>();
      parallel_for(y.numel(), std::max<int64_t>(1, element_block / n),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t row = begin; row < end; ++row) {
                       const T* at = x + row * n;
                       const double mean = kernels<T>().sum_of(at, n) / static_cast<double>(n);
                       out[row] = static_cast<T>(kernels<T>().squares_about(at, mean, n) /
                                                 static_cast<double>(divisor(shape)));
                     }
                   });
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    const Tensor x = saved(0), centred = x - mean(x, axes, {.keep_axes = true});
    return {dys[0] * (centred * (2 / static_cast<double>(divisor(x.shape()))))};
  }
};

}  // namespace

Tensor sum(const Tensor& x, const Axes& given, ReduceOptions options) {
  const std::vector<int> axes = checked_axes("sum", given, x.shape());
  if (axes.empty() && is_float(x.dtype())) return x;
  return keep_or_drop(apply<Sum>({x}, axes)[0], axes, options.keep_axes);
}
Tensor sum(const Tensor& x) { return sum(x, all_axes(x)); }

Tensor mean(const Tensor& x, const Axes& given, ReduceOptions options) {
  const std::vector<int> axes = checked_axes("mean", given, x.shape());
  return keep_or_drop(apply<Mean>({x}, axes)[0], axes, options.keep_axes);
}
Tensor mean(const Tensor& x) { return mean(x, all_axes(x)); }

Tensor var(const Tensor& x, const Axes& given, VarianceOptions options) {
  const std::vector<int> axes = checked_axes("var", given, x.shape());
  return keep_or_drop(apply<Var>({x}, axes, options.unbiased)[0], axes, options.keep_axes);
}
Tensor var(const Tensor& x, VarianceOptions options) { return var(x, all_axes(x), options); }

Tensor normalize_rows(const Tensor& x) {
  return x / maximum(sqrt(sum(square(x), -1, {.keep_axes = true})), 1e-12);
}

Norm norm(const Tensor& x) {
  if (!x.defined()) return {0, false};
  const NoGrad scope;
  const Tensor flat = contiguous(x);
  return {dispatch_float("norm", x.dtype(), [&]<class T>() {
    const T* at = flat.data<T>();
    return std::sqrt(parallel_sum(x.numel(), element_block, [&](int64_t begin, int64_t end) {
      return kernels<T>().sum_of_squares(at + begin, end - begin);
    }));
  })};
}

OpInfos reduce_ops() {
  using Reduction = Tensor (*)(const Tensor&, const Axes&, ReduceOptions);
  const auto x = [](const Shape& shape) { return sample::normal(shape); };
  const auto samples = [x](Reduction f, Tensor (*of_all)(const Tensor&)) {
    const auto over = [f](const Axes& axes, bool keep_axes = false) {
      return [=](Inputs in) { return Tensors{f(in[0], axes, {keep_axes})}; };
    };
    return std::vector<Sample>{
        {"last axis", {x({3, 5})}, over(1)},
        {"first axis", {x({3, 5})}, over(0, true)},
        {"first axis, wide", {x({9, 70})}, over(0)},
        {"first axis, tall", {x({37, 3})}, over(0)},
        {"middle axis", {x({2, 3, 4})}, over(1)},
        {"middle axis, wide", {x({2, 5, 19})}, over(1)},
        {"two axes apart", {x({2, 3, 4})}, over({0, 2})},
        {"two axes, first", {x({2, 3, 4})}, over({1, 0}, true)},
        {"two axes, last", {x({2, 3, 4})}, over({-1, -2})},
        {"all", {x({2, 3})}, [of_all](Inputs in) { return Tensors{of_all(in[0])}; }}};
  };
  const auto variance = [](const Axes& axes, VarianceOptions options) {
    return [=](Inputs in) { return Tensors{var(in[0], axes, options)}; };
  };
  return {
      {.name = "sum",
       .formula = "sum of x over axes",
       .samples = samples(sum, sum),
       .errors = {{"axis",
                   [] {
                     sum(ones({2, 3}), 2);
                   },
                   {"sum", "axis 2", "[2, 3]"}},
                  {"an axis twice",
                   [] {
                     sum(ones({2, 3}), {0, 1, -2});
                   },
                   {"sum", "axis 0", "twice", "[2, 3]", "[0, 1, -2]"}}}},
      {.name = "mean",
       .formula = "sum of x over axes / n",
       .samples = samples(mean, mean),
       .errors = {{"nothing",
                   [] {
                     mean(ones({2, 0}), 1);
                   },
                   {"mean", "[1]", "[2, 0]", "0 elements"}},
                  {"integers", [] { mean(arange(3)); }, {"mean", "i64", "cast"}}}},
      {.name = "var",
       .formula = "sum of (x - mean)^2 over axes / (n - 1), or / n",
       .samples = {{"all", {x({2, 3})}, [](Inputs in) { return Tensors{var(in[0])}; }},
                   {"last axis", {x({3, 5})}, variance(-1, {.keep_axes = true})},
                   {"last axis, long", {x({2, 67})}, variance(-1, {})},
                   {"first axis", {x({5, 3})}, variance(0, {})},
                   {"biased", {x({2, 3, 4})}, variance({0, 1}, {.unbiased = false})},
                   {"biased, of one", {x({3, 1, 2})}, variance(1, {.unbiased = false})}},
       .errors = {{"one element",
                   [] {
                     var(ones({3, 1}), 1);
                   },
                   {"var", "[3, 1]", "at least 2"}},
                  {"integers", [] { var(arange(3)); }, {"var", "i64", "cast"}}}},
  };
}

}  // namespace gradus

fmt::appender fmt::formatter<gradus::Norm>::format(const gradus::Norm& norm,
                                                   fmt::format_context& context) const {
  if (!norm.computed) return fmt::format_to(context.out(), "not computed");
  return fmt::formatter<double>::format(norm.value, context);
}
