// Reductions over axes.
//   sum     y = sum of x over the axes            dx = dy, repeated
//   mean    sum / count                           (an expression)
//   max     y = largest along one axis            dx = dy at the first of the largest
//   argmax  its index                             without gradient
// Sums run in double over blocks cut by size, added in order. keep_axes leaves size 1 where an axis
// was summed.
#include <fmt/ranges.h>
#include <algorithm>
#include <cmath>

#include "gradus/kernels/kernels.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

struct Sum : Op<Sum> {
  static constexpr const char* name = "sum";
  std::vector<int> axes;  // sorted, unique
  Shape from;
  explicit Sum(std::vector<int> axes) : axes(std::move(axes)) {}
  std::string detail() const override { return fmt::format("axes={}", fmt::join(axes, ",")); }

  // Kept axes first, summed axes last: then y[i] is the sum of row i.
  Tensors forward(Inputs in) override {
    // so that the order of the additions, and with it every bit, depends on the shape alone
    const Tensor x = contiguous(in[0]);
    from = x.shape();
    Shape kept = from, order_shape, order_strides;
    for (const int axis : axes) kept[axis] = 1;
    int64_t rows = 1, n = 1;
    for (const bool summed : {false, true})
      for (int axis = 0; axis < from.rank(); ++axis)
        if (std::binary_search(axes.begin(), axes.end(), axis) == summed) {
          order_shape.push_back(from[axis]), order_strides.push_back(x.strides()[axis]);
          (summed ? n : rows) *= from[axis];
        }
    Tensor y = zeros(kept, x.dtype());
    if (x.numel() == 0) return {y};
    const Tensor ordered = x.view(order_shape, order_strides, x.offset());
    dispatch_float(name, x.dtype(), [&]<class T>() {
      T* out = y.write<T>();
      if (rows > 1 && n > 1 && order_strides[-1] != 1) return sum_leading(x, out, rows, n);
      const Tensor flat = contiguous(ordered);
      const T* at = flat.data<T>();
      if (rows == 1) {
        out[0] = static_cast<T>(parallel_sum(n, element_block, [&](int64_t begin, int64_t end) {
          return sum_of(at + begin, end - begin);
        }));
        return;
      }
      parallel_for(rows, std::max<int64_t>(1, element_block / n), [&](int64_t begin, int64_t end) {
        for (int64_t row = begin; row < end; ++row)
          out[row] = static_cast<T>(sum_of(at + row * n, n));
      });
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override { return {expand(dys[0], from)}; }

 private:
  template <class T>
  static double sum_of(const T* at, int64_t n) {
    double lanes[8] = {};
    int64_t i = 0;
    for (; i + 8 <= n; i += 8)
      for (int64_t lane = 0; lane < 8; ++lane) lanes[lane] += static_cast<double>(at[i + lane]);
    for (; i < n; ++i) lanes[i % 8] += static_cast<double>(at[i]);
    return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) +
           ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
  }
  // x contiguous, the summed axes not last: each output adds its elements in order, in double;
  // threads share the outputs.
  template <class T>
  void sum_leading(const Tensor& x, T* out, int64_t rows, int64_t n) const {
    Shape shape = from;
    const T* at = x.data<T>();
    Shape kept_shape, kept_strides, sum_shape, sum_strides;
    for (int axis = 0; axis < shape.rank(); ++axis) {
      const bool summed = std::binary_search(axes.begin(), axes.end(), axis);
      (summed ? sum_shape : kept_shape).push_back(shape[axis]);
      (summed ? sum_strides : kept_strides).push_back(x.strides()[axis]);
    }
    const auto offset = [](int64_t index, const Shape& sizes, const Shape& strides) {
      int64_t offset = 0;
      for (int axis = sizes.rank() - 1; axis >= 0; --axis)
        offset += index % sizes[axis] * strides[axis], index /= sizes[axis];
      return offset;
    };
    const int64_t columns = kept_strides[-1] == 1 ? kept_shape[-1] : 1, strip = 512;
    parallel_for(rows / columns * ((columns + strip - 1) / strip),
                 std::max<int64_t>(1, element_block / (n * std::min(columns, strip))),
                 [&](int64_t begin, int64_t end) {
                   std::vector<double> sums(static_cast<size_t>(std::min(columns, strip)));
                   const int64_t strips = (columns + strip - 1) / strip;
                   for (int64_t task = begin; task < end; ++task) {
                     const int64_t first = task / strips * columns + task % strips * strip,
                                   width = std::min(strip, columns - task % strips * strip);
                     std::fill(sums.begin(), sums.end(), 0.0);
                     const T* base = at + offset(first, kept_shape, kept_strides);
                     for (int64_t i = 0; i < n; ++i) {
                       const T* row = base + offset(i, sum_shape, sum_strides);
                       for (int64_t j = 0; j < width; ++j)
                         sums[static_cast<size_t>(j)] += static_cast<double>(row[j]);
                     }
                     for (int64_t j = 0; j < width; ++j)
                       out[first + j] = static_cast<T>(sums[static_cast<size_t>(j)]);
                   }
                 });
  }
};

struct Max : Op<Max> {
  static constexpr const char* name = "max";
  int axis;
  explicit Max(int axis) : axis(axis) {}
  std::string detail() const override { return fmt::format("axis={}", axis); }
  Tensors forward(Inputs in) override {
    Shape shape = in[0].shape();
    shape[axis] = 1;
    const Tensor index = reshape(argmax(in[0], axis), shape);
    save({in[0], index});
    return {gather(in[0], axis, index)};
  }
  // dy at the index, zero elsewhere: a comparison, so that any order of derivative follows
  Tensors backward(const Tensors& dys) override {
    const Tensor index = saved(1);
    Shape line = Shape::of_rank(index.rank(), 1);
    line[axis] = saved(0).shape()[axis];
    return {
        where(equal(reshape(arange(line[axis]), line), index), dys[0], zeros({}, dys[0].dtype()))};
  }
};

}  // namespace

Tensor sum(const Tensor& x, const std::vector<int>& axes, bool keep_axes) {
  std::vector<int> sorted;
  for (const int axis : axes) sorted.push_back(checked_axis("sum", axis, x.shape()));
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  const Tensor y = sorted.empty() ? x : apply<Sum>({x}, sorted)[0];
  if (keep_axes) return y;
  Shape shape = x.shape();
  for (auto axis = sorted.rbegin(); axis != sorted.rend(); ++axis) shape.erase(*axis);
  return reshape(y, shape);
}

Tensor sum(const Tensor& x) {
  std::vector<int> all;
  for (int axis = 0; axis < x.rank(); ++axis) all.push_back(axis);
  return sum(x, all);
}

Tensor mean(const Tensor& x) { return sum(x) / static_cast<double>(x.numel()); }
Tensor mean(const Tensor& x, int axis, bool keep_axis) {
  return sum(x, {axis}, keep_axis) / static_cast<double>(x.size(axis));
}

Tensor max(const Tensor& x, int axis, bool keep_axis) {
  axis = checked_axis("max", axis, x.shape());
  check(x.size(axis) > 0, "max: axis {} of shape {} is empty", axis, x.shape());
  const Tensor y = apply<Max>({x}, axis)[0];
  if (keep_axis) return y;
  Shape shape = x.shape();
  shape.erase(axis);
  return reshape(y, shape);
}

Tensor argmax(const Tensor& x, int axis) {
  axis = checked_axis("argmax", axis, x.shape());
  const int64_t n = x.shape()[axis];
  check(n > 0 || x.numel() > 0, "argmax: axis {} of shape {} is empty", axis, x.shape());
  std::vector<int> order;
  Shape shape = x.shape();
  shape.erase(axis);
  for (int i = 0; i < x.rank(); ++i)
    if (i != axis) order.push_back(i);
  order.push_back(axis);
  const NoGrad scope;
  const Tensor rows = contiguous(permute(x, order));
  Tensor y = Tensor::empty(shape, DType::i64);
  dispatch(x.dtype(), [&]<class T>() {
    const T* at = rows.data<T>();
    int64_t* out = y.write<int64_t>();
    parallel_for(y.numel(), std::max<int64_t>(1, element_block / n),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i)
                     out[i] = std::max_element(at + i * n, at + (i + 1) * n) - (at + i * n);
                 });
  });
  return y;
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
  OpInfo sums{
      "sum", "sum of x over axes", "reduce", []() -> std::vector<Sample> {
        const auto over = [](std::vector<int> axes, bool keep) {
          return [=](Inputs in) { return Tensors{sum(in[0], axes, keep)}; };
        };
        return {{"last axis", {sample_normal({3, 5}, 1)}, over({1}, false)},
                {"first axis", {sample_normal({3, 5}, 2)}, over({0}, true)},
                {"middle axis", {sample_normal({2, 3, 4}, 3)}, over({1}, false)},
                {"two axes", {sample_normal({2, 3, 4}, 4)}, over({0, 2}, false)},
                {"all", {sample_normal({2, 3}, 5)}, [](Inputs in) { return Tensors{sum(in[0])}; }}};
      }};
  sums.errors = []() -> std::vector<ErrorSample> {
    return {{"axis", [] { sum(ones({2, 3}), {2}); }, {"sum", "axis 2", "[2, 3]"}}};
  };
  OpInfo largest{"max", "largest of x along an axis", "reduce", []() -> std::vector<Sample> {
                   return {{"last axis",
                            {sample_normal({3, 5}, 6)},
                            [](Inputs in) { return Tensors{max(in[0], -1)}; }},
                           {"first axis", {sample_normal({3, 5}, 7)}, [](Inputs in) {
                              return Tensors{max(in[0], 0, false)};
                            }}};
                 }};
  largest.errors = []() -> std::vector<ErrorSample> {
    return {{"axis", [] { max(ones({2, 3}), -3); }, {"max", "axis -3", "[2, 3]"}}};
  };
  return {sums, largest};
}

}  // namespace gradus
