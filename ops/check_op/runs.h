// ops/check_op/: what check_op (../check_op.h) is made of. This is its ground: a sample run forward
// and backward in all the ways that its parts compare.
#pragma once

#include <map>

#include "gradus/autograd/engine.h"
#include "gradus/autograd/gradcheck/watch.h"
#include "gradus/ops/op_info.h"

namespace gradus::op_check {

// f(xs) and the gradients by its float inputs for random cotangents u (never ones: the gradient of
// sum(softmax(x)) is zero). Dropout always draws the same.
struct Run {
  Tensors ys, dxs;
};
Run run(const Function& f, Inputs xs, GradOptions options = {});
Run run_expanded(const Function& f, Inputs xs);  // fused ops as their references

// The inputs as leaves: floats want a gradient.
Tensors leaves_of(Inputs xs);

// Random cotangents of the float outputs, in their dtype; undefined for others.
Tensors cotangents_of(const Tensors& ys, uint64_t seed);

// The gradient of f as a function of the inputs, itself recorded.
Function gradient_of(const Function& f);

// The same inputs in another dtype of the floats; integers and booleans stay.
Tensors as_dtype(Inputs xs, DType dtype);

using gradus::same_bits;  // of two tensors
bool same_bits(const Run& a, const Run& b);
// The largest |a - b| relative to the largest |b|, over all tensors of the run; undefined counts as
// zero.
double distance(const Tensor& a, const Tensor& b);
double distance(const Run& a, const Run& b);

// A layout as a function of recorded ops, so that gradients pass through it: input(x) has x's shape
// in other strides (expanded: its first row repeated); output(y) hands the op's backward a gradient
// that lies so.
struct Layout {
  std::string name;
  Tensor (*input)(const Tensor& x);
  Tensor (*output)(const Tensor& y);
};
const std::vector<Layout>& layouts();  // contiguous, transposed, sliced, expanded
Function in_layout(const Function& f, const Layout& layout);

// The inputs with every axis of size `from` made `to` long: values repeat, or are left out. Sizes
// of a sample that must agree are equal, so it stays a legal call unless the op says otherwise.
Tensors resized(Inputs xs, const std::map<int64_t, int64_t>& sizes);

bool contains_op(const Tensors& ys, const std::string& op);

// The node of a fused op is there, and gone under Expand.
bool is_fused(const OpInfo& info, const Sample& sample);

// An Error's text begins with the name of the op, or of another that its sample uses.
bool is_named(const std::string& text, const OpInfo& info, const Sample& sample);

}  // namespace gradus::op_check
