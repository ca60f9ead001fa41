#include "gradus/ops/check_op/runs.h"

#include <algorithm>
#include <cmath>

#include "gradus/autograd/graph.h"
#include "gradus/autograd/random.h"
#include "gradus/ops/ops.h"
#include "gradus/ops/table.h"

namespace gradus::op_check {

Tensors leaves_of(Inputs xs) {
  Tensors leaves;
  for (const Tensor& x : xs) leaves.push_back(x.detach().set_requires_grad(is_float(x.dtype())));
  return leaves;
}

Tensors cotangents_of(const Tensors& ys, uint64_t seed) {
  Tensors us;
  for (size_t i = 0; i < ys.size(); ++i)
    us.push_back(is_float(ys[i].dtype())
                     ? cast(random_normal(ys[i].shape(), seed, i, DType::f64), ys[i].dtype())
                     : Tensor());
  return us;
}

Run run(const Function& f, Inputs xs, GradOptions options) {
  const RandomScope random(1, 0);
  const Tensors leaves = leaves_of(xs);
  Tensors wanted, us;
  for (const Tensor& leaf : leaves)
    if (leaf.requires_grad()) wanted.push_back(leaf);
  Run result;
  result.ys = f(leaves);
  us = cotangents_of(result.ys, 5);
  result.dxs = grad(result.ys, us, wanted, options);
  return result;
}

Run run_expanded(const Function& f, Inputs xs) {
  const Expand expand;
  return run(f, xs);
}

Function gradient_of(const Function& f) {
  return [f](Inputs in) {
    const Tensors ys = f(in);
    Tensors wanted, gradients;
    for (const Tensor& x : in)
      if (x.requires_grad()) wanted.push_back(x);
    for (const Tensor& dx : grad(ys, cotangents_of(ys, 6), wanted, {.create_graph = true}))
      if (dx.defined()) gradients.push_back(dx);
    return gradients;
  };
}

Tensors as_dtype(Inputs xs, DType dtype) {
  Tensors out;
  for (const Tensor& x : xs) out.push_back(is_float(x.dtype()) ? cast(x, dtype) : x);
  return out;
}

namespace {
bool same_bits(const Tensors& a, const Tensors& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (!gradus::same_bits(a[i], b[i])) return false;
  return true;
}
double distance(const Tensors& a, const Tensors& b) {
  if (a.size() != b.size()) return INFINITY;
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, op_check::distance(a[i], b[i]));
  return worst;
}
}  // namespace

bool same_bits(const Run& a, const Run& b) {
  return same_bits(a.ys, b.ys) && same_bits(a.dxs, b.dxs);
}

double distance(const Tensor& a, const Tensor& b) {
  if (!a.defined() && !b.defined()) return 0;
  if (a.defined() && b.defined() && a.shape() != b.shape()) return INFINITY;
  const auto n = static_cast<size_t>((a.defined() ? a : b).numel());
  const auto u = a.defined() ? a.to_vector<double>() : std::vector<double>(n),
             v = b.defined() ? b.to_vector<double>() : std::vector<double>(n);
  double gap = 0, largest = 0.05;  // a gradient that is zero, or all but zero, is compared as it is
  for (size_t i = 0; i < n; ++i) {
    if (!std::isfinite(u[i] - v[i])) return INFINITY;
    gap = std::max(gap, std::abs(u[i] - v[i]));
    largest = std::max(largest, std::abs(v[i]));
  }
  return gap / largest;
}
double distance(const Run& a, const Run& b) {
  return std::max(distance(a.ys, b.ys), distance(a.dxs, b.dxs));
}

namespace {
Tensor same(const Tensor& x) { return x; }

// A tensor of one axis cannot be transposed: it becomes every other element of a larger one.
Tensor transposed(const Tensor& x) {
  if (x.rank() == 0) return x;
  if (x.rank() >= 2) return transpose(contiguous(transpose(x)));
  const Tensor column = reshape(x, {x.numel(), 1});
  return reshape(slice(concat({column, column}, 1), 1, 0, 1), {x.numel()});
}
Tensor sliced(const Tensor& x) {
  Tensor larger = x;
  for (int axis = 0; axis < x.rank(); ++axis) larger = concat({larger, larger, larger}, axis);
  for (int axis = 0; axis < x.rank(); ++axis)
    larger = slice(larger, axis, x.size(axis), 2 * x.size(axis));
  return larger;
}
Tensor expanded(const Tensor& x) {
  if (x.rank() == 0 || x.size(0) == 0) return x;
  return expand(slice(x, 0, 0, 1), x.shape());
}
Tensor transposed_gradient(const Tensor& y) { return y.rank() >= 2 ? transpose(y) : y; }
Tensor sliced_gradient(const Tensor& y) {
  const Tensor margin = zeros(y.shape(), y.dtype());
  return y.rank() ? concat({margin, y, margin}, -1) : y;
}
Tensor expanded_gradient(const Tensor& y) { return y.rank() ? sum(y, {0}) : y; }
}  // namespace

const std::vector<Layout>& layouts() {
  static const std::vector<Layout> all{{"contiguous", same, same},
                                       {"transposed", transposed, transposed_gradient},
                                       {"sliced", sliced, sliced_gradient},
                                       {"expanded", expanded, expanded_gradient}};
  return all;
}

Function in_layout(const Function& f, const Layout& layout) {
  return [f, layout](Inputs in) {
    Tensors xs, ys;
    for (const Tensor& x : in) xs.push_back(layout.input(x));
    for (const Tensor& y : f(xs)) ys.push_back(is_float(y.dtype()) ? layout.output(y) : y);
    return ys;
  };
}

Tensors resized(Inputs xs, const std::map<int64_t, int64_t>& sizes) {
  Tensors out;
  for (const Tensor& x : xs) {
    Tensor y = x;
    for (int axis = 0; axis < x.rank(); ++axis) {
      const auto found = sizes.find(x.size(axis));
      if (found == sizes.end()) continue;
      const int64_t wanted = found->second;
      if (x.size(axis) < wanted)
        y = concat(Tensors(static_cast<size_t>(wanted / x.size(axis) + 1), y), axis);
      y = slice(y, axis, 0, wanted);
    }
    out.push_back(clone(y));
  }
  return out;
}

bool contains_op(const Tensors& ys, const std::string& op) {
  for (const Tensor& y : ys)
    for (const auto& node : nodes_of(y))
      if (node->op() == op) return true;
  return false;
}

bool is_fused(const OpInfo& info, const Sample& sample) {
  const Tensors leaves = leaves_of(sample.inputs);
  if (!contains_op(sample.call(leaves), info.name)) return false;
  const Expand expand;
  return !contains_op(sample.call(leaves), info.name);
}

bool is_named(const std::string& text, const OpInfo& info, const Sample& sample) {
  const std::string name = text.substr(0, text.find(':'));
  const auto is_row = [&](const OpInfo& row) { return row.name == name; };
  return name == info.name || contains_op(sample.call(leaves_of(sample.inputs)), name) ||
         std::any_of(op_table().begin(), op_table().end(), is_row);
}

}  // namespace gradus::op_check
