// Views: the same memory with another shape or other strides.
//   reshape  same elements in row-major order; a copy only where the strides forbid a view
//                                                           dx = reshape(dy)
//   permute  axes in another order                          dx = permute(dy) by the inverse order
//   expand   sizes of 1, and missing axes, repeated         dx = dy (the engine sums it)
// Ranges of an axis are in slice.cpp, cuts into several in split.cpp.
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

Tensor expand(const Tensor& x, const Shape& shape) {
  if (broadcast_shapes("expand", x.shape(), shape) != shape)
    fail("expand: shape {} does not expand to {}", x.shape(), shape);
  return apply<ExpandTo>({x}, shape)[0];
}

OpInfos view_ops() {
  using sample::normal;
  return {{.name = "reshape",
           .formula = "the same elements in another shape",
           .samples = {{"one size unknown",
                        {normal({3, 4})},
                        [](Inputs in) {
                          return Tensors{reshape(in[0], {2, -1, 3})};
                        }},
                       {"of a transposed tensor",
                        {normal({3, 4})},
                        [](Inputs in) { return Tensors{reshape(transpose(in[0]), {-1})}; }}},
           .errors = {{"size",
                       [] {
                         reshape(ones({3, 4}), {5, 2});
                       },
                       {"reshape", "[3, 4]", "[5, 2]"}}}},
          {.name = "permute",
           .formula = "axes in another order",
           .samples = {{"three axes",
                        {normal({2, 3, 4})},
                        [](Inputs in) {
                          return Tensors{permute(in[0], {2, 0, 1})};
                        }}},
           .errors = {{"axes",
                       [] {
                         permute(ones({2, 3}), {0, 0});
                       },
                       {"permute", "0, 0", "[2, 3]"}}}},
          {.name = "expand",
           .formula = "x repeated",
           .samples = {{"a column",
                        {normal({3, 1})},
                        [](Inputs in) {
                          return Tensors{expand(in[0], {2, 3, 4})};
                        }}},
           .errors = {{"shape", [] { expand(ones({3}), {4}); }, {"expand", "[3]", "[4]"}}}}};
}

}  // namespace gradus
