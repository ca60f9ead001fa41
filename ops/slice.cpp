// A range of an axis, and its transpose: a tensor inside a larger one.
//   slice  y[i] = x[begin + i step] along one axis; a view     dx = dy padded with zeros
//   pad    y[before + i (between + 1)] = x[i] along each axis, else `value`     dx = slices of dy
// A slice's gradient is added straight into the gradient of x where that is being summed
// (Node::slot): many slices of one tensor cost what the tensor costs, not its square.
#include "gradus/ops/elementwise.h"
#include "gradus/ops/numbers.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

struct Slice : Op<Slice> {
  static constexpr const char* name = "slice";
  int axis;
  int64_t begin, end, step;
  Slice(int axis, int64_t begin, int64_t end, int64_t step)
      : axis(axis), begin(begin), end(end), step(step) {}
  std::string detail() const override {
    return step == 1 ? fmt::format("axis={} {}:{}", axis, begin, end)
                     : fmt::format("axis={} {}:{}:{}", axis, begin, end, step);
  }
  Tensor of(const Tensor& x) const {
    Shape shape = x.shape(), strides = x.strides();
    shape[axis] = (end - begin + step - 1) / step;
    strides[axis] *= step;
    return x.view(shape, strides, x.offset() + begin * x.strides()[axis]);
  }
  Tensors forward(Inputs in) override { return {of(in[0])}; }
  Tensors backward(const Tensors& dys) override {
    const Shape& from = edges()[0].shape;
    if (grad_enabled()) {
      const int64_t n = outputs()[0].shape[axis], covered = n ? (n - 1) * step + 1 : 0;
      return {pad(dys[0], axis, {begin, from[axis] - begin - covered, step - 1})};
    }
    GradientSlot dx = slot(0);
    dx.zero_unless_added_to();
    Tensor region = of(dx.into);
    copy_into(dys[0], region, true);
    return {dx.gradient()};
  }
};

struct Pad : Op<Pad> {
  static constexpr const char* name = "pad";
  std::vector<Padding> widths;  // one for each axis
  double value;
  Pad(std::vector<Padding> widths, double value) : widths(std::move(widths)), value(value) {}
  std::string detail() const override {
    std::string text;
    for (const Padding& w : widths)
      text += fmt::format("{}{}+{}", text.empty() ? "" : " ", w.before, w.after) +
              (w.between ? fmt::format(" every {}", w.between + 1) : "");
    return text;
  }
  Tensors forward(Inputs in) override {
    const Tensor& x = in[0];
    Shape shape = x.shape();
    for (int axis = 0; axis < x.rank(); ++axis) {
      const Padding& w = widths[static_cast<size_t>(axis)];
      shape[axis] = w.before + covered(x.shape()[axis], w) + w.after;
    }
    Tensor y = Tensor::empty(shape, x.dtype());
    if (y.numel() == 0) return {y};
    dispatch(x.dtype(), [&]<class T>() {
      T* to = y.write<T>();
      fill_elements(to, y.numel(), static_cast<T>(value));
      Shape strides = y.strides();
      for (int axis = 0; axis < x.rank(); ++axis) {
        const Padding& w = widths[static_cast<size_t>(axis)];
        if (x.numel()) to += w.before * strides[axis];
        strides[axis] *= w.between + 1;
      }
      copy_elements(x, to, strides);
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    Tensor dx = dys[0];
    for (int axis = 0; axis < dx.rank(); ++axis) {
      const Padding& w = widths[static_cast<size_t>(axis)];
      if (w.before || w.between || w.after)
        dx =
            slice(dx, axis, w.before, w.before + covered(edges()[0].shape[axis], w), w.between + 1);
    }
    return {dx};
  }

 private:
  // From the first element to the last.
  static int64_t covered(int64_t n, const Padding& w) {
    return n ? (n - 1) * (w.between + 1) + 1 : 0;
  }
};

}  // namespace

Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end, int64_t step) {
  axis = checked_axis("slice", axis, x.shape());
  if (begin < 0 || begin > end || end > x.shape()[axis])
    fail("slice: {}:{} is not a range of axis {} of shape {}; 0 <= begin <= end <= {} is needed",
         begin, end, axis, x.shape(), x.shape()[axis]);
  check(step >= 1, "slice: the step {} of {}:{} is not positive", step, begin, end);
  return apply<Slice>({x}, axis, begin, end, step)[0];
}

Tensor pad(const Tensor& x, const std::vector<Padding>& widths, double value) {
  if (static_cast<int>(widths.size()) != x.rank())
    fail("pad: {} widths were given for shape {}; it needs one {{before, after}} for each axis",
         widths.size(), x.shape());
  for (size_t axis = 0; axis < widths.size(); ++axis) {
    const Padding& w = widths[axis];
    if (w.before < 0 || w.after < 0 || w.between < 0)
      fail("pad: the widths {}, {}, {} of axis {} of shape {} must not be negative; slice() cuts",
           w.before, w.after, w.between, axis, x.shape());
  }
  if (!is_float(x.dtype())) scalar_like("pad", x, value);
  return apply<Pad>({x}, widths, value)[0];
}

Tensor pad(const Tensor& x, int axis, Padding width, double value) {
  std::vector<Padding> widths(static_cast<size_t>(x.rank()));
  widths[static_cast<size_t>(checked_axis("pad", axis, x.shape()))] = width;
  return pad(x, widths, value);
}

OpInfos slice_ops() {
  using sample::normal;
  return {
      {.name = "slice",
       .formula = "x[begin:end:step]",
       .samples = {{"rows and columns",
                    {normal({5, 3})},
                    [](Inputs in) {
                      return Tensors{slice(in[0], 0, 1, 4), slice(in[0], 1, 2, 3)};
                    }},
                   {"every other",
                    {normal({5, 3})},
                    [](Inputs in) {
                      return Tensors{slice(in[0], 0, 0, 5, 2), slice(in[0], 0, 1, 4, 2)};
                    }},
                   {"steps along two axes",
                    {normal({4, 7})},
                    [](Inputs in) { return Tensors{slice(slice(in[0], 1, 1, 7, 3), 0, 0, 4, 3)}; }},
                   {"overlapping, of an intermediate",
                    {normal({6, 2})},
                    [](Inputs in) {
                      const Tensor x = in[0] * in[0];
                      return Tensors{slice(x, 0, 0, 4) * slice(x, 0, 2, 6), x, slice(x, -1, 1, 2)};
                    }}},
       .errors = {{"range", [] { slice(ones({3}), 0, 2, 5); }, {"slice", "2:5", "[3]"}},
                  {"backwards", [] { slice(ones({3}), 0, 2, 1); }, {"slice", "2:1", "[3]"}},
                  {"step", [] { slice(ones({3}), 0, 0, 3, 0); }, {"slice", "step 0"}},
                  {"axis", [] { slice(ones({3}), 1, 0, 1); }, {"slice", "axis 1", "[3]"}}}},
      {.name = "pad",
       .formula = "x inside a constant",
       .samples = {{"both axes",
                    {normal({2, 3})},
                    [](Inputs in) {
                      return Tensors{pad(in[0], {{1, 0}, {2, 1}}, 0.5)};
                    }},
                   {"one axis of three",
                    {normal({2, 3, 2})},
                    [](Inputs in) {
                      return Tensors{pad(in[0], 1, {0, 2})};
                    }},
                   {"between",
                    {normal({3, 2})},
                    [](Inputs in) {
                      return Tensors{pad(in[0], {{1, 1, 2}, {0, 0, 1}}, -1)};
                    }}},
       .errors = {{"one for each axis",
                   [] {
                     pad(ones({2, 3}), std::vector<Padding>{{1, 1}});
                   },
                   {"pad", "1 width", "[2, 3]"}},
                  {"negative",
                   [] {
                     pad(ones({2, 3}), 0, {-1, 0});
                   },
                   {"pad", "-1", "[2, 3]"}},
                  {"value",
                   [] {
                     pad(ones({2}, DType::i32), 0, {1, 0}, 0.5);
                   },
                   {"pad", "0.5", "i32"}}}}};
}

}  // namespace gradus
