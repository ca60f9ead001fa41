// One tensor as several along an axis, and several as one. Each is the other's derivative.
//   split   x -> y_0, y_1, … of the given sizes; views          dx = concat(dys)
//   unbind  x [.., n, ..] -> n tensors [.., ..]; views          dx = stack(dys)
//   concat  x_0, x_1, … one after the other -> y                dxs = split(dy)
//   chunk, stack   expressions of these
// A split is one node with several outputs: its backward is one concat, however many there are.
#include <fmt/ranges.h>
#include <numeric>

#include "gradus/ops/elementwise.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

// Gradients of several outputs; those that nobody computed are zero.
Tensors defined(const Tensors& dys, const std::vector<Node::Output>& outputs) {
  Tensors all = dys;
  for (size_t i = 0; i < all.size(); ++i)
    if (!all[i].defined()) all[i] = zeros(outputs[i].shape, outputs[i].dtype);
  return all;
}

struct Split : Op<Split> {
  static constexpr const char* name = "split";
  std::vector<int64_t> sizes;
  int axis;
  Split(std::vector<int64_t> sizes, int axis) : sizes(std::move(sizes)), axis(axis) {}
  std::string detail() const override {
    return sizes.size() > 8 ? fmt::format("axis={} into {}", axis, sizes.size())
                            : fmt::format("axis={} into {}", axis, fmt::join(sizes, "+"));
  }
  Tensors forward(Inputs in) override {
    const Tensor& x = in[0];
    Shape shape = x.shape();
    Tensors ys;
    int64_t begin = 0;
    for (const int64_t size : sizes) {
      shape[axis] = size;
      ys.push_back(x.view(shape, x.strides(), x.offset() + begin * x.strides()[axis]));
      begin += size;
    }
    return ys;
  }
  Tensors backward(const Tensors& dys) override { return {concat(defined(dys, outputs()), axis)}; }
};

struct Unbind : Op<Unbind> {
  static constexpr const char* name = "unbind";
  int axis;
  explicit Unbind(int axis) : axis(axis) {}
  std::string detail() const override { return fmt::format("axis={}", axis); }
  Tensors forward(Inputs in) override {
    const Tensor& x = in[0];
    Shape shape = x.shape(), strides = x.strides();
    shape.erase(axis);
    strides.erase(axis);
    Tensors ys;
    for (int64_t i = 0; i < x.shape()[axis]; ++i)
      ys.push_back(x.view(shape, strides, x.offset() + i * x.strides()[axis]));
    return ys;
  }
  Tensors backward(const Tensors& dys) override { return {stack(defined(dys, outputs()), axis)}; }
};

struct Concat : Op<Concat> {
  static constexpr const char* name = "concat";
  int axis;
  std::vector<int64_t> sizes;
  explicit Concat(int axis) : axis(axis) {}
  std::string detail() const override { return fmt::format("axis={}", axis); }

  Tensors forward(Inputs in) override {
    Shape shape = in[0].shape();
    shape[axis] = 0;
    for (size_t i = 0; i < in.size(); ++i) {
      check_same_dtype(name, in[0], in[i]);
      Shape other = in[i].shape();
      if (other.rank() != shape.rank())
        fail("concat: shapes {} and {} differ in their number of axes", in[0].shape(),
             in[i].shape());
      sizes.push_back(other[axis]);
      shape[axis] += other[axis];
      other[axis] = in[0].shape()[axis];
      if (other != in[0].shape())
        fail("concat: shapes {} and {} differ in more than axis {}", in[0].shape(), in[i].shape(),
             axis);
    }
    Tensor y = Tensor::empty(shape, in[0].dtype());
    if (y.numel() == 0) return {y};
    std::vector<int64_t> offsets;
    int64_t offset = 0;
    for (const Tensor& x : in) {
      offsets.push_back(offset);
      offset += x.shape()[axis] * y.strides()[axis];
    }
    const auto count = static_cast<int64_t>(in.size());
    // Many small inputs are shared by threads, and within a large one its blocks are.
    const int64_t each = y.numel() / count,
                  grain = each < element_block ? element_block / (each + 1) : count;
    dispatch(y.dtype(), [&]<class T>() {
      T* to = y.write<T>();
      parallel_for(count, grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
          copy_elements(in[static_cast<size_t>(i)], to + offsets[static_cast<size_t>(i)],
                        y.strides());
      });
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override { return split(dys[0], sizes, axis); }
};

// The shape with an axis of size 1 before `axis`; -1 is after the last.
int checked_new_axis(const char* op, int axis, const Shape& shape) {
  check(axis >= -shape.rank() - 1 && axis <= shape.rank(),
        "{}: the new axis {} is out of range for shape {}", op, axis, shape);
  return axis < 0 ? axis + shape.rank() + 1 : axis;
}

}  // namespace

Tensors split(const Tensor& x, const std::vector<int64_t>& sizes, int axis) {
  axis = checked_axis("split", axis, x.shape());
  const bool negative = std::any_of(sizes.begin(), sizes.end(), [](int64_t n) { return n < 0; });
  if (negative || std::accumulate(sizes.begin(), sizes.end(), int64_t{0}) != x.shape()[axis])
    fail("split: the sizes {} do not add up to {}, axis {} of shape {}", fmt::join(sizes, ", "),
         x.shape()[axis], axis, x.shape());
  if (sizes.empty()) return {};
  return apply<Split>({x}, sizes, axis);
}

Tensors split(const Tensor& x, int parts, int axis) {
  axis = checked_axis("split", axis, x.shape());
  const int64_t n = x.shape()[axis];
  if (parts < 1 || n % parts != 0)
    fail(
        "split: axis {} of shape {} cannot be cut into {} equal parts; chunk() allows a smaller "
        "last one",
        axis, x.shape(), parts);
  return split(x, std::vector<int64_t>(static_cast<size_t>(parts), n / parts), axis);
}

Tensors chunk(const Tensor& x, int parts, int axis) {
  axis = checked_axis("chunk", axis, x.shape());
  check(parts >= 1, "chunk: {} parts of shape {} were asked for; at least one is needed", parts,
        x.shape());
  const int64_t n = x.shape()[axis], size = std::max<int64_t>(1, (n + parts - 1) / parts);
  std::vector<int64_t> sizes;
  for (int64_t begin = 0; begin < n; begin += size) sizes.push_back(std::min(size, n - begin));
  if (sizes.empty()) sizes.push_back(0);
  return split(x, sizes, axis);
}

Tensors unbind(const Tensor& x, int axis) {
  axis = checked_axis("unbind", axis, x.shape());
  if (x.shape()[axis] == 0) return {};
  return apply<Unbind>({x}, axis);
}

Tensor concat(const Tensors& xs, int axis) {
  check(!xs.empty(), "concat: there are no tensors");
  return apply<Concat>(xs, checked_axis("concat", axis, xs[0].shape()))[0];
}

Tensor stack(const Tensors& xs, int axis) {
  check(!xs.empty(), "stack: there are no tensors");
  const Shape& from = xs[0].shape();
  axis = checked_new_axis("stack", axis, from);
  Shape shape = from;
  shape.insert(axis, 1);
  Tensors rows;
  for (const Tensor& x : xs) {
    if (x.shape() != from)
      fail("stack: shapes {} and {} differ; concat() joins along an axis that is there", from,
           x.shape());
    rows.push_back(reshape(x, shape));
  }
  return concat(rows, axis);
}

OpInfos split_ops() {
  using sample::normal;
  return {
      {.name = "split",
       .formula = "x cut along an axis",
       .samples = {{"sizes",
                    {normal({2, 6})},
                    [](Inputs in) {
                      return split(in[0], {1, 3, 2}, 1);
                    }},
                   {"equal parts, one unused",
                    {normal({6, 2})},
                    [](Inputs in) {
                      const Tensors parts = split(in[0], 3, 0);
                      return Tensors{parts[2], parts[0] * parts[2]};
                    }},
                   {"chunks, the last smaller",
                    {normal({2, 5, 3})},
                    [](Inputs in) { return chunk(in[0], 3, 1); }}},
       .errors = {{"sizes",
                   [] {
                     split(ones({2, 5}), {2, 2}, 1);
                   },
                   {"split", "2, 2", "5", "[2, 5]"}},
                  {"negative",
                   [] {
                     split(ones({2}), {3, -1}, 0);
                   },
                   {"split", "3, -1", "[2]"}},
                  {"parts", [] { split(ones({5}), 2, 0); }, {"split", "2 equal", "[5]", "chunk"}},
                  {"no parts", [] { chunk(ones({5}), 0, 0); }, {"chunk", "0 parts", "[5]"}},
                  {"axis", [] { split(ones({5}), 5, 1); }, {"split", "axis 1", "[5]"}}}},
      {.name = "unbind",
       .formula = "the tensors along an axis",
       .samples = {{"first axis", {normal({3, 4})}, [](Inputs in) { return unbind(in[0], 0); }},
                   {"middle axis, one unused",
                    {normal({2, 3, 4})},
                    [](Inputs in) {
                      const Tensors parts = unbind(in[0], 1);
                      return parts.empty() ? parts : Tensors{parts.front() * parts.back()};
                    }}},
       .errors = {{"axis", [] { unbind(scalar(1), 0); }, {"unbind", "axis 0", "[]"}}}},
      {.name = "concat",
       .formula = "inputs one after the other",
       .samples = {{"first axis",
                    {normal({2, 3}), normal({1, 3})},
                    [](Inputs in) { return Tensors{concat(in, 0)}; }},
                   {"last axis, one twice",
                    {normal({2, 3}), normal({2, 2})},
                    [](Inputs in) {
                      return Tensors{concat({in[0], in[1], in[0]}, -1)};
                    }},
                   {"stacked",
                    {normal({2, 3}), normal({2, 3})},
                    [](Inputs in) {
                      return Tensors{stack(in, 1), stack(in, -1)};
                    }}},
       .errors = {{"shapes",
                   [] {
                     concat({ones({2, 3}), ones({2, 4})}, 0);
                   },
                   {"concat", "[2, 3]", "[2, 4]"}},
                  {"axes",
                   [] {
                     concat({ones({2, 3}), ones({2})}, 0);
                   },
                   {"concat", "[2, 3]", "[2]"}},
                  {"none", [] { concat({}, 0); }, {"concat", "no tensors"}},
                  {"stacked shapes",
                   [] {
                     stack({ones({2}), ones({3})});
                   },
                   {"stack", "[2]", "[3]", "concat"}},
                  {"stacked axis",
                   [] {
                     stack({ones({2}), ones({2})}, 2);
                   },
                   {"stack", "axis 2", "[2]"}}}}};
}

}  // namespace gradus
