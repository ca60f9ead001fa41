// gradcheck: are the derivatives of a function right? For any op, layer or function of the user's,
// at order 1 and 2.
//
//   auto result = gradcheck([](Inputs in) { return Tensors{my_op(in[0], in[1])}; }, {x, w});
//   if (!result) fmt::print("{}", result.log);
//
// s(x) = sum of u * f(x), with a random cotangent u (never ones: the true gradient of
// sum(softmax(x)) is zero, so a backward of zeros would pass), is differentiated by the engine and
// by 4-point central differences, element by element, in f64. Order 2 does the same to the function
// that returns the gradients, also by u. Dropout draws the same in every evaluation.
#pragma once

#include "gradus/autograd/transform.h"

namespace gradus {

struct GradcheckOptions {
  int order = 1;       // 2 checks order 1, then order 2
  double step = 2e-3;  // of the differences; their error is O(step^4)
  // largest |analytic - numeric|, relative to max(1, the largest gradient of that input)
  double tolerance = 1e-7;
  uint64_t seed = 1;
};

struct GradcheckResult {
  bool ok = true;
  // a line an input; for a wrong one: the worst element, both values, and a guess at the mistake
  std::string log;
  double worst = 0;  // the largest relative difference seen
  explicit operator bool() const { return ok; }
};

// xs: f64 tensors are differentiated, others passed as they are.
GradcheckResult gradcheck(const Function& f, Inputs xs, GradcheckOptions options = {});

}  // namespace gradus
