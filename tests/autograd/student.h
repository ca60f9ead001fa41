// Ops of the kind that people write while they learn, from two functions, for the tests of
// gradcheck.
#pragma once

#include "gradus/autograd/gradcheck.h"
#include "gradus/autograd/random.h"
#include "gradus/ops/ops.h"
#include "tests/support.h"

namespace gradus::testing {

inline Tensor normal(const Shape& shape, uint64_t stream = 0) {
  return random_normal(shape, 1, stream, DType::f64);
}

// An op from two functions: what it computes, and what its backward says of (inputs, output, dy).
using Formula = std::function<Tensor(Inputs in)>;
using Gradients = std::function<Tensors(Inputs in, const Tensor& y, const Tensor& dy)>;
struct Student : Op<Student> {
  static constexpr const char* name = "student";
  Formula formula;
  Gradients gradients;
  Student(Formula formula, Gradients gradients)
      : formula(std::move(formula)), gradients(std::move(gradients)) {}
  Tensors forward(Inputs in) override {
    Tensor y = formula(in);
    Tensors kept = in;
    kept.push_back(y);
    save(kept);
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    Tensors in;
    for (size_t i = 0; i < edges().size(); ++i) in.push_back(saved(i));
    return gradients(in, saved(edges().size()), dys[0]);
  }
};

inline Function student(const Formula& formula, const Gradients& gradients) {
  return [=](Inputs in) { return apply<Student>(in, formula, gradients); };
}

inline GradcheckResult check(const Formula& formula, const Gradients& gradients, Inputs xs,
                             GradcheckOptions options = {}) {
  return gradcheck(student(formula, gradients), xs, options);
}

inline void check_says(const GradcheckResult& result, const std::vector<std::string>& parts) {
  CHECK_FALSE(result);
  for (const std::string& part : parts) CHECK_MENTIONS(result.log, part);
}

inline Tensor triple(Inputs in) { return in[0] * 3.0; }
inline Tensors times_five(Inputs, const Tensor&, const Tensor& dy) { return {dy * 5.0}; }

}  // namespace gradus::testing
