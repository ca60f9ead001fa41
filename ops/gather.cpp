// Elements by number along one axis. The index has the tensor's shape but for that axis.
//   gather       y[.., i, ..] = x[.., index[.., i, ..], ..]               dx = scatter(dy)
//   scatter      y = zeros, then y[.., index[.., i, ..], ..] += x[.., i, ..]     dx = gather(dy)
//   scatter_add  the same onto a tensor, whose gradient is dy
// Indices are i32 or i64 and are checked before anything is read. Elements scattered to one place
// are added in the order of i, whatever the number of threads.
#include "gradus/ops/elementwise.h"
#include "gradus/ops/indices.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

// The tensor with n sizes along the axis and the index with m, both as [outer, n or m, inner].
struct Lines {
  int64_t outer = 1, n, m, inner = 1;
  Lines(const Shape& x, const Shape& index, int axis) : n(x[axis]), m(index[axis]) {
    for (int i = 0; i < axis; ++i) outer *= x[i];
    for (int i = axis + 1; i < x.rank(); ++i) inner *= x[i];
  }
};

constexpr int64_t strip = 512;  // lines side by side that one thread takes

// Calls f(element, line) for every element of the index, number `element` of its memory and index
// [o, i, k]; `line` is where the tensor's line [o, :, k] begins. Threads share lines, so of one
// line the elements come in the order of i.
template <class F>
void for_each_line_element(const Lines& l, F&& f) {
  const int64_t strips = (l.inner + strip - 1) / strip,
                elements = std::max<int64_t>(1, l.m * std::min(l.inner, strip));
  parallel_for(l.outer * strips, std::max<int64_t>(1, element_block / elements),
               [&](int64_t begin, int64_t end) {
                 for (int64_t task = begin; task < end; ++task) {
                   const int64_t o = task / strips, first = task % strips * strip,
                                 last = std::min(l.inner, first + strip);
                   if (l.inner == 1)
                     for (int64_t i = 0; i < l.m; ++i) f(o * l.m + i, o * l.n);
                   else
                     for (int64_t i = 0; i < l.m; ++i)
                       for (int64_t k = first; k < last; ++k)
                         f((o * l.m + i) * l.inner + k, o * l.n * l.inner + k);
                 }
               });
}

void check_index_shape(const char* op, const Tensor& index, const Shape& x, int axis) {
  Shape expected = x;
  if (index.rank() == x.rank()) expected[axis] = index.shape()[axis];
  if (index.shape() != expected)
    fail("{}: the index has shape {}, the tensor {}; they may differ along axis {} only", op,
         index.shape(), x, axis);
}

struct Gather : Op<Gather> {
  static constexpr const char* name = "gather";
  int axis;
  explicit Gather(int axis) : axis(axis) {}
  std::string detail() const override { return fmt::format("axis={}", axis); }
  Tensors forward(Inputs in) override {
    check_index_shape(name, in[1], in[0].shape(), axis);
    const Tensor x = contiguous(in[0]), index = checked_indices(name, in[1], x.shape()[axis]);
    Tensor y = Tensor::empty(index.shape(), x.dtype());
    save({in[1]});
    if (y.numel() == 0) return {y};
    const Lines lines(x.shape(), index.shape(), axis);
    dispatch(x.dtype(), [&]<class T>() {
      dispatch_index(name, index.dtype(), [&]<class I>() {
        const T* from = x.data<T>();
        const I* at = index.data<I>();
        T* to = y.write<T>();
        for_each_line_element(lines, [&, inner = lines.inner](int64_t element, int64_t line) {
          to[element] = from[line + static_cast<int64_t>(at[element]) * inner];
        });
      });
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    return {scatter(dys[0], axis, saved(0), edges()[0].shape[axis]), Tensor()};
  }
};

// Into zeros whose axis has size n, or onto a third input.
template <bool onto>
struct Scatter : Op<Scatter<onto>> {
  static constexpr const char* name = onto ? "scatter_add" : "scatter";
  int axis;
  int64_t n;
  Scatter(int axis, int64_t n) : axis(axis), n(n) {}
  std::string detail() const override { return fmt::format("axis={} into {}", axis, n); }
  Tensors forward(Inputs in) override {
    Shape shape = in[0].shape();
    shape[axis] = n;
    const Tensor x = contiguous(in[0]), index = checked_indices(name, in[1], n);
    Tensor y = onto ? clone(in[2]) : Tensor::empty(shape, x.dtype());
    this->save({in[1]});
    const Lines lines(shape, x.shape(), axis);
    dispatch_number(name, x.dtype(), [&]<class T>() {
      T* to = y.write<T>();
      if (!onto) fill_elements(to, y.numel(), T{0});
      if (x.numel() == 0) return;
      dispatch_index(name, index.dtype(), [&]<class I>() {
        const T* from = x.data<T>();
        const I* at = index.data<I>();
        for_each_line_element(lines, [&, inner = lines.inner](int64_t element, int64_t line) {
          T& sum = to[line + static_cast<int64_t>(at[element]) * inner];
          sum = static_cast<T>(sum + from[element]);
        });
      });
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    Tensors dxs{this->wants(0) ? gather(dys[0], axis, this->saved(0)) : Tensor(), Tensor()};
    if (onto) dxs.push_back(dys[0]);
    return dxs;
  }
};

}  // namespace

Tensor gather(const Tensor& x, int axis, const Tensor& index) {
  return apply<Gather>({x, index}, checked_axis("gather", axis, x.shape()))[0];
}

Tensor scatter(const Tensor& x, int axis, const Tensor& index, int64_t n) {
  axis = checked_axis("scatter", axis, x.shape());
  if (index.shape() != x.shape() || n < 0)
    fail(
        "scatter: the index has shape {}, the tensor {}, the result {} along axis {}; the shapes "
        "must be equal",
        index.shape(), x.shape(), n, axis);
  return apply<Scatter<false>>({x, index}, axis, n)[0];
}

Tensor scatter_add(const Tensor& x, int axis, const Tensor& index, const Tensor& values) {
  axis = checked_axis("scatter_add", axis, x.shape());
  check_same_dtype("scatter_add", x, values);
  check_index_shape("scatter_add", index, x.shape(), axis);
  if (values.shape() != index.shape())
    fail("scatter_add: the index has shape {}, the values {}; they must be equal", index.shape(),
         values.shape());
  return apply<Scatter<true>>({values, index, x}, axis, x.shape()[axis])[0];
}

OpInfos gather_ops() {
  using sample::indices;
  using sample::normal;
  const auto gathered = [](int axis) {
    return [=](Inputs in) { return Tensors{gather(in[0], axis, in[1])}; };
  };
  const auto scattered = [](int axis, int64_t n) {
    return [=](Inputs in) { return Tensors{scatter(in[0], axis, in[1], n)}; };
  };
  const auto added = [](int axis) {
    return [=](Inputs in) { return Tensors{scatter_add(in[0], axis, in[1], in[2])}; };
  };
  return {
      {.name = "gather",
       .formula = "x[.., index, ..]",
       .samples = {{"last axis", {normal({3, 4}), indices({3, 2}, 4)}, gathered(-1)},
                   {"first axis", {normal({3, 4}), indices({5, 4}, 3)}, gathered(0)},
                   {"middle axis",
                    {normal({2, 4, 3}), indices({2, 5, 3}, 4, DType::i64)},
                    gathered(1)}},
       .errors = {{"shape",
                   [] {
                     gather(ones({3, 4}), 1, zeros({2, 4}, DType::i64));
                   },
                   {"gather", "[2, 4]", "[3, 4]"}},
                  {"index",
                   [] {
                     gather(ones({3, 4}), 1, full({3, 1}, 9, DType::i64));
                   },
                   {"gather", "index 9", "0..3"}},
                  {"dtype",
                   [] {
                     gather(ones({3, 4}), 1, ones({3, 1}));
                   },
                   {"gather", "f32", "i64"}}}},
      {.name = "scatter",
       .formula = "x[.., index, ..] += y",
       .samples = {{"last axis", {normal({3, 4}), indices({3, 4}, 2)}, scattered(1, 2)},
                   {"middle axis",
                    {normal({2, 4, 3}), indices({2, 4, 3}, 3, DType::i64)},
                    scattered(1, 3)}},
       .errors = {{"shape",
                   [] {
                     scatter(ones({3, 4}), 1, zeros({3, 2}, DType::i64), 5);
                   },
                   {"scatter", "[3, 2]", "[3, 4]"}},
                  {"index",
                   [] {
                     scatter(ones({3, 4}), 1, full({3, 4}, 5, DType::i64), 5);
                   },
                   {"scatter", "index 5", "0..4"}}}},
      {.name = "scatter_add",
       .formula = "x with x[.., index, ..] += values",
       .samples = {{"last axis", {normal({3, 4}), indices({3, 5}, 4), normal({3, 5})}, added(-1)},
                   {"first axis", {normal({2, 3}), indices({6, 3}, 2), normal({6, 3})}, added(0)}},
       .errors = {{"values",
                   [] {
                     scatter_add(ones({3, 4}), 1, zeros({3, 2}, DType::i64), ones({3, 4}));
                   },
                   {"scatter_add", "[3, 2]", "[3, 4]"}},
                  {"index",
                   [] { scatter_add(ones({2}), 0, full({2}, 2, DType::i64), ones({2})); },
                   {"scatter_add", "index 2", "0..1"}}}},
  };
}

}  // namespace gradus
