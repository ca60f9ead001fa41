// Differences: derivatives from values alone, one element of a tensor moved at a time, for
// gradcheck. Elements are moved in place and put back, also where an exception passes.
#pragma once

#include <functional>
#include <vector>

#include "gradus/autograd/tensor.h"

namespace gradus {

// sum of u * y over all pairs of which both are defined
double dot(const Tensors& us, const Tensors& ys);

enum class Verdict { right, kink, wrong };

// The derivatives of s by single elements of x (f64, no two of them the same memory), which s reads
// at each call.
class Differences {
 public:
  Differences(std::function<double()> s, const Tensor& x, double step);

  // (-s(2h) + 8 s(h) - 8 s(-h) + s(-2h)) / 12h by one element (in row-major order); by all
  double central(size_t element) { return central(element, step_); }
  std::vector<double> central();

  // From each side alone, with far smaller steps; they differ at a kink. NaN: that side has none,
  // two steps do not agree (a jump, or values that are rounded coarsely or random).
  struct Sides {
    double left, right;
  };
  Sides sides(size_t element);

  // Each value that is said to be a derivative, beside the central difference: right within the
  // tolerance, relative to max(1, the largest of all). A difference that is a little off is taken
  // again with half the step, by which its error falls to a sixteenth, and stays so in `numeric`.
  // At a kink, or so near that a step crosses it, the central difference is off; a value that is
  // one of the one-sided derivatives, or between them, is then a right one.
  std::vector<Verdict> judge(const std::vector<double>& analytic, std::vector<double>& numeric,
                             double tolerance);

 private:
  double at(size_t element, double by);
  double central(size_t element, double step);
  double one_sided(size_t element, double step);
  double settled(size_t element, double direction);
  std::function<double()> s_;
  Tensor x_;
  double step_;
};

// While it lives, x has other values.
class Replaced {
 public:
  Replaced(const Tensor& x, const std::vector<double>& values);
  ~Replaced();
  Replaced(const Replaced&) = delete;
  Replaced& operator=(const Replaced&) = delete;

 private:
  Tensor x_;
  uint32_t version_;
  std::vector<double> before_;
};

}  // namespace gradus
