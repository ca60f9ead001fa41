// The largest and the smallest over axes.
//   max, min         y = largest (smallest)         dx = dy at the first of them, zero elsewhere
//   argmax, argmin   where the first of them is     i64, without gradient
// Both are NaN where an element is: the first NaN counts as the largest, and as the smallest.
#include <fmt/ranges.h>

#include <cmath>

#include "gradus/kernels/kernels.h"
#include "gradus/ops/reduce.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

template <bool larger, class T>
bool is_beyond(T a, T b) {
  return (larger ? a > b : a < b) || (std::isnan(a) && !std::isnan(b));
}

// The largest (smallest) of a row, n > 0.
template <bool larger, class T>
T find_extremum(const T* x, int64_t n) {
  if constexpr (std::is_floating_point_v<T>)
    return larger ? kernels<T>().max_of(x, n) : kernels<T>().min_of(x, n);
  else return larger ? *std::max_element(x, x + n) : *std::min_element(x, x + n);
}

// Where the first of them is: of `best`, or of NaN.
template <class T>
int64_t find_first(const T* x, int64_t n, T best) {
  if constexpr (std::is_floating_point_v<T>) {
    constexpr int64_t block = 64;
    int64_t i = 0;
    at_level([&] {
      for (; i + block <= n; i += block) {
        int found = 0;
#pragma omp simd reduction(| : found)
        for (int64_t j = 0; j < block; ++j) found |= (x[i + j] == best) | std::isnan(x[i + j]);
        if (found) break;
      }
    });
    while (!(x[i] == best || std::isnan(x[i]))) ++i;
    return i;
  } else {
    return std::find(x, x + n, best) - x;
  }
}

// x [outer, n] -> y and, unless null, index [outer].
template <bool larger, class T>
void extremum_of_rows(const Reduced& in, T* y, int64_t* index) {
  const T* x = in.x.data<T>();
  parallel_for(in.outer, std::max<int64_t>(1, element_block / in.n),
               [&](int64_t begin, int64_t end) {
                 for (int64_t row = begin; row < end; ++row) {
                   const T* from = x + row * in.n;
                   y[row] = find_extremum<larger>(from, in.n);
                   if (index) index[row] = find_first(from, in.n, y[row]);
                 }
               });
}

// x [outer, n, inner] -> y, index [outer, inner].
template <bool larger, class T>
void extremum_of_columns(const Reduced& in, T* y, int64_t* index) {
  const T* x = in.x.data<T>();
  const int64_t strip = std::min(in.inner, column_strip), strips = (in.inner + strip - 1) / strip;
  const int64_t grain = std::max<int64_t>(1, element_block / (in.n * strip));
  parallel_for(in.outer * strips, grain, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t o = task / strips, column = task % strips * strip,
                    width = std::min(strip, in.inner - column);
      const T* from = x + o * in.n * in.inner + column;
      T* best = y + o * in.inner + column;
      int64_t* where = index + o * in.inner + column;
      std::copy_n(from, width, best);
      std::fill_n(where, width, 0);
      const auto run = [&] {
        for (int64_t i = 1; i < in.n; ++i) {
          const T* row = from + i * in.inner;
#pragma omp simd
          for (int64_t j = 0; j < width; ++j) {
            const bool take = is_beyond<larger>(row[j], best[j]);
            best[j] = take ? row[j] : best[j];
            where[j] = take ? i : where[j];
          }
        }
      };
      at_level(std::is_floating_point_v<T> ? level() : Level::baseline, run);
    }
  });
}

// Size 1 in the axes reduced. The index counts along all of them, row-major; of rows, it takes a
// pass of its own, and is undefined where nobody wants it.
struct Found {
  Tensor y, index;
};
template <bool larger>
Found find(const Tensor& x, const std::vector<int>& axes, bool index_wanted = true) {
  const Reduced reduced(x, axes);
  Found found{Tensor::empty(reduced.kept, x.dtype()), Tensor()};
  if (index_wanted || reduced.inner > 1) found.index = Tensor::empty(reduced.kept, DType::i64);
  if (x.numel() == 0) return found;
  int64_t* index = found.index.defined() ? found.index.write<int64_t>() : nullptr;
  dispatch(x.dtype(), [&]<class T>() {
    T* y = found.y.write<T>();
    if (reduced.inner == 1) extremum_of_rows<larger>(reduced, y, index);
    else extremum_of_columns<larger>(reduced, y, index);
  });
  return found;
}

template <bool larger>
struct Extremum : Op<Extremum<larger>> {
  static constexpr const char* name = larger ? "max" : "min";
  std::vector<int> axes;
  Shape line;  // the axes reduced, size 1 elsewhere
  explicit Extremum(std::vector<int> axes) : axes(std::move(axes)) {}
  std::string detail() const override { return fmt::format("axes={}", fmt::join(axes, ",")); }

  Tensors forward(Inputs in) override {
    line = Shape::of_rank(in[0].rank(), 1);
    for (const int axis : axes) line[axis] = in[0].shape()[axis];
    const Found found = find<larger>(in[0], axes, this->recording());
    this->save({found.index});
    return {found.y};
  }
  // a comparison, so that any order of derivative follows
  Tensors backward(const Tensors& dys) override {
    const Tensor here = equal(reshape(arange(line.numel()), line), this->saved(0));
    return {where(here, dys[0], zeros({}, dys[0].dtype()))};
  }
};

std::vector<int> filled_axes(const char* op, const Axes& given, const Tensor& x) {
  std::vector<int> axes = checked_axes(op, given, x.shape());
  for (const int axis : axes)
    if (x.shape()[axis] == 0)
      fail("{}: axis {} of the shape {} is empty; nothing is the largest or the smallest of it", op,
           axis, x.shape());
  return axes;
}

template <bool larger>
Tensor extremum(const Tensor& x, const Axes& given, ReduceOptions options) {
  using E = Extremum<larger>;
  const std::vector<int> axes = filled_axes(E::name, given, x);
  return keep_or_drop(apply<E>({x}, axes)[0], axes, options.keep_axes);
}
template <bool larger>
Tensor arg_extremum(const Tensor& x, int axis, ReduceOptions options) {
  const std::vector<int> axes = filled_axes(larger ? "argmax" : "argmin", axis, x);
  const NoGrad scope;
  return keep_or_drop(find<larger>(x, axes).index, axes, options.keep_axes);
}

}  // namespace

Tensor max(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return extremum<true>(x, axes, options);
}
Tensor min(const Tensor& x, const Axes& axes, ReduceOptions options) {
  return extremum<false>(x, axes, options);
}
Tensor max(const Tensor& x) { return max(x, all_axes(x)); }
Tensor min(const Tensor& x) { return min(x, all_axes(x)); }
Tensor argmax(const Tensor& x, int axis, ReduceOptions options) {
  return arg_extremum<true>(x, axis, options);
}
Tensor argmin(const Tensor& x, int axis, ReduceOptions options) {
  return arg_extremum<false>(x, axis, options);
}

OpInfos extremum_ops() {
  using Function2 = Tensor (*)(const Tensor&, const Axes&, ReduceOptions);
  using Function1 = Tensor (*)(const Tensor&);
  const auto row = [](const char* op, const char* formula, Function2 f, Function1 of_all,
                      std::function<void()> arg_of_nothing) {
    const auto x = [](const Shape& shape) { return sample::normal(shape); };
    const auto over = [f](const Axes& axes, bool keep_axes) {
      return [=](Inputs in) { return Tensors{f(in[0], axes, {keep_axes})}; };
    };
    return OpInfo{
        .name = op,
        .formula = formula,
        .samples = {{"last axis", {x({3, 5})}, over(-1, true)},
                    {"last axis, long", {x({2, 133})}, over(-1, false)},
                    {"first axis", {x({3, 5})}, over(0, false)},
                    {"first axis, wide", {x({5, 37})}, over(0, true)},
                    {"middle axis", {x({2, 3, 19})}, over(1, false)},
                    {"axes 0 and 2", {x({2, 3, 4})}, over({0, 2}, false)},
                    {"two axes, last", {x({2, 3, 4})}, over({1, 2}, true)},
                    {"all", {x({2, 3})}, [=](Inputs in) { return Tensors{of_all(in[0])}; }}},
        .errors = {{"axis",
                    [=] {
                      f(ones({2, 3}), -3, {});
                    },
                    {op, "axis -3", "[2, 3]"}},
                   {"an axis twice",
                    [=] {
                      f(ones({2, 3}), {1, 1}, {});
                    },
                    {op, "axis 1", "twice"}},
                   {"empty",
                    [=] {
                      f(ones({2, 0}), 1, {});
                    },
                    {op, "axis 1", "[2, 0]", "empty"}},
                   {"arg of nothing", arg_of_nothing, {"arg", op, "axis 0", "[0, 2]", "empty"}}},
    };
  };
  return {row("max", "largest of x over axes", max, max,
              [] {
                argmax(ones({0, 2}), 0);
              }),
          row("min", "smallest of x over axes", min, min, [] {
            argmin(ones({0, 2}), 0);
          })};
}

}  // namespace gradus
