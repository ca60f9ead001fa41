// What the tests of ops share: running a sample with its gradients, comparing tensors, and the
// transforms of a sample (another layout, other sizes).
#pragma once

#include <doctest/doctest.h>

#include <omp.h>

#include <map>

#include "gradus/autograd/graph.h"
#include "gradus/ops/table.h"

namespace gradus::testing {

// f(xs) and the gradients by its float inputs for random cotangents u (never ones: the gradient of
// sum(softmax(x)) is zero). Dropout always draws the same.
struct Run {
  Tensors ys, dxs;
};
Run run(const Function& f, Inputs xs, GradOptions options = {});

// The inputs as leaves: floats want a gradient.
Tensors leaves_of(Inputs xs);

// The same inputs in another float dtype; integers and booleans stay.
Tensors as_dtype(Inputs xs, DType dtype);

bool same_bits(const Tensor& a, const Tensor& b);
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

// Sets the number of threads, and sets it back. Samples are small and run on one thread; that many
// threads give the same bits is tested apart.
class Threads {
 public:
  explicit Threads(int count) : before_(omp_get_max_threads()) { omp_set_num_threads(count); }
  ~Threads() { omp_set_num_threads(before_); }

 private:
  int before_;
};

bool contains_op(const Tensors& ys, const std::string& op);

// Calls f(info, sample) for every sample of every row.
template <class F>
void for_each_sample(F&& f) {
  const Threads one(1);
  for (const OpInfo& info : op_table())
    for (const Sample& sample : info.samples()) {
      CAPTURE(info.name);
      CAPTURE(sample.note);
      f(info, sample);
    }
}

}  // namespace gradus::testing
