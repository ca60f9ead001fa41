// Views: the same memory with another shape or other strides.
//  reshape  same elements in row-major order  dx = reshape(dy)  a copy only where the strides forbid a view
//   permute  axes in another order                       dx = permute(dy) by the inverse order
//   slice    begin <= index < end of one axis           dx = dy with zeros before and after (place)
//   expand   sizes of 1, and missing axes, repeated      dx = dy (the engine sums it)
//   place    x inside zeros along one axis               dx = slice(dy)
#include <fmt/ranges.h>
#include <algorithm>
#include <numeric>

#include "gradus/ops/elementwise.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

struct Reshape : Op<Reshape> {
  static constexpr const char* name = "reshape";
  Shape to, from;
  explicit Reshape(const Shape& to) : to(to) {}
  std::string detail() const override { return to_string(to); }
  Tensors forward(Inputs in) override {
    from = in[0].shape();
    return {in[0].view(to, contiguous_strides(to), in[0].offset())};
  }
  Tensors backward(const Tensors& dys) override { return {reshape(dys[0], from)}; }
};

struct Permute : Op<Permute> {
  static constexpr const char* name = "permute";
  std::vector<int> axes;
  explicit Permute(std::vector<int> axes) : axes(std::move(axes)) {}
  std::string detail() const override { return fmt::format("axes={}", fmt::join(axes, ",")); }
  Tensors forward(Inputs in) override {
    Shape shape, strides;
    for (const int axis : axes)
      shape.push_back(in[0].shape()[axis]), strides.push_back(in[0].strides()[axis]);
    return {in[0].view(shape, strides, in[0].offset())};
  }
  Tensors backward(const Tensors& dys) override {
    std::vector<int> inverse(axes.size());
    for (size_t i = 0; i < axes.size(); ++i)
      inverse[static_cast<size_t>(axes[i])] = static_cast<int>(i);
    return {permute(dys[0], inverse)};
  }
};

Tensor place(const Tensor& x, int axis, int64_t begin, int64_t size);

struct Slice : Op<Slice> {
  static constexpr const char* name = "slice";
  int axis;
  int64_t begin, end, size = 0;
  Slice(int axis, int64_t begin, int64_t end) : axis(axis), begin(begin), end(end) {}
  std::string detail() const override { return fmt::format("axis={} {}:{}", axis, begin, end); }
  Tensors forward(Inputs in) override {
    Shape shape = in[0].shape();
    size = shape[axis];
    shape[axis] = end - begin;
    return {in[0].view(shape, in[0].strides(), in[0].offset() + begin * in[0].strides()[axis])};
  }
  Tensors backward(const Tensors& dys) override { return {place(dys[0], axis, begin, size)}; }
};

struct Place : Op<Place> {
  static constexpr const char* name = "place";
  int axis;
  int64_t begin, size;
  Place(int axis, int64_t begin, int64_t size) : axis(axis), begin(begin), size(size) {}
  std::string detail() const override {
    return fmt::format("axis={} at {} of {}", axis, begin, size);
  }
  Tensors forward(Inputs in) override {
    const Tensor& x = in[0];
    Shape shape = x.shape();
    shape[axis] = size;
    Tensor y = zeros(shape, x.dtype());
    const int64_t rows = x.shape()[axis];
    // for each index before the axis: one contiguous run of rows * inner elements
    dispatch(x.dtype(), [&]<class T>() {
      const Tensor from = contiguous(x);
      const int64_t inner = y.strides()[axis], outer = x.numel() ? x.numel() / (rows * inner) : 0;
      const T* source = from.data<T>();
      T* to = y.write<T>();
      for (int64_t i = 0; i < outer; ++i)
        std::copy_n(source + i * rows * inner, rows * inner, to + (i * size + begin) * inner);
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    return {slice(dys[0], axis, begin, begin + outputs_rows())};
  }

 private:
  int64_t outputs_rows() const { return edges()[0].shape[axis]; }
};
Tensor place(const Tensor& x, int axis, int64_t begin, int64_t size) {
  if (begin < 0 || begin + x.size(axis) > size)
    fail("place: shape {} at {} does not fit into {} along axis {}", x.shape(), begin, size, axis);
  return apply<Place>({x}, axis, begin, size)[0];
}

struct ExpandTo : Op<ExpandTo> {
  static constexpr const char* name = "expand";
  Shape to;
  explicit ExpandTo(const Shape& to) : to(to) {}
  std::string detail() const override { return to_string(to); }
  Tensors forward(Inputs in) override { return {expand_view(in[0], to)}; }
  Tensors backward(const Tensors& dys) override { return dys; }
};

}  // namespace

Tensor reshape(const Tensor& x, const Shape& shape) {
  Shape to = shape;
  int64_t known = 1, unknown = -1;
  for (int axis = 0; axis < to.rank(); ++axis) {
    if (to[axis] == -1 && unknown < 0) unknown = axis;
    else known *= to[axis];
  }
  if (unknown >= 0 && known > 0 && x.numel() % known == 0)
    to[static_cast<int>(unknown)] = x.numel() / known;
  if (to.numel() != x.numel() ||
      std::any_of(to.begin(), to.end(), [](int64_t size) { return size < 0; }))
    fail("reshape: shape {} with {} elements cannot become {}", x.shape(), x.numel(), shape);
  if (to == x.shape()) return x;
  return apply<Reshape>({contiguous(x)}, to)[0];
}

Tensor permute(const Tensor& x, const std::vector<int>& axes) {
  std::vector<int> order;
  for (const int axis : axes) order.push_back(checked_axis("permute", axis, x.shape()));
  std::vector<int> sorted = order, each_once(static_cast<size_t>(x.rank()));
  std::sort(sorted.begin(), sorted.end());
  std::iota(each_once.begin(), each_once.end(), 0);
  if (sorted != each_once)
    fail("permute: the axes {} are not each axis of shape {} once", fmt::join(axes, ", "),
         x.shape());
  return apply<Permute>({x}, order)[0];
}

Tensor transpose(const Tensor& x, int a, int b) {
  std::vector<int> axes;
  for (int i = 0; i < x.rank(); ++i) axes.push_back(i);
  std::swap(axes[static_cast<size_t>(checked_axis("transpose", a, x.shape()))],
            axes[static_cast<size_t>(checked_axis("transpose", b, x.shape()))]);
  return permute(x, axes);
}

Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end) {
  axis = checked_axis("slice", axis, x.shape());
  if (begin < 0 || begin > end || end > x.shape()[axis])
    fail("slice: {}:{} is not a range of axis {} of shape {}", begin, end, axis, x.shape());
  return apply<Slice>({x}, axis, begin, end)[0];
}

Tensor expand(const Tensor& x, const Shape& shape) {
  if (broadcast_shapes("expand", x.shape(), shape) != shape)
    fail("expand: shape {} does not expand to {}", x.shape(), shape);
  return apply<ExpandTo>({x}, shape)[0];
}

OpInfos view_ops() {
  const auto row = [](const char* op, const char* formula, const Shape& shape, Function call,
                      std::vector<ErrorSample> errors) {
    OpInfo info{op, formula, "view", [=]() -> std::vector<Sample> {
                  return {{to_string(shape), {sample_normal(shape, 1)}, call}};
                }};
    info.errors = [=] { return errors; };
    return info;
  };
  return {row("reshape", "the same elements in another shape", {3, 4},
              [](Inputs in) {
                return Tensors{reshape(in[0], {2, -1, 3})};
              },
              {{"size",
                [] {
                  reshape(ones({3, 4}), {5, 2});
                },
                {"reshape", "[3, 4]", "[5, 2]"}}}),
          row("permute", "axes in another order", {2, 3, 4},
              [](Inputs in) {
                return Tensors{permute(in[0], {2, 0, 1})};
              },
              {{"axes",
                [] {
                  permute(ones({2, 3}), {0, 0});
                },
                {"permute", "0, 0", "[2, 3]"}}}),
          row("slice", "x[begin:end]", {5, 3},
              [](Inputs in) {
                return Tensors{slice(in[0], 0, 1, 4), slice(in[0], 1, 2, 3)};
              },
              {{"range", [] { slice(ones({3}), 0, 2, 5); }, {"slice", "2:5", "[3]"}}}),
          row("expand", "x repeated", {3, 1},
              [](Inputs in) {
                return Tensors{expand(in[0], {2, 3, 4})};
              },
              {{"shape", [] { expand(ones({3}), {4}); }, {"expand", "[3]", "[4]"}}}),
          row("place", "x inside zeros", {2, 3},
              [](Inputs in) {
                return Tensors{place(in[0], 1, 1, 5), place(in[0], 0, 0, 3)};
              },
              {})};
}

}  // namespace gradus
