// gradcheck/: what gradcheck (../gradcheck.h) is made of. Nothing here is for users.
//
//   check.h        the state of one check, and its steps
//   inputs.cpp     what there is to differentiate by; where nothing is, that is said
//   forward.cpp    what shows without differences: two results, writing, forward = reference
//   differences    derivatives from values alone
//   gradcheck.cpp  the engine's derivatives beside them, orders 1 and 2
//   watch          an observer that sees what ops do to what they are given
//   culprits       which op's backward is wrong
//   diagnosis      and what mistake it looks like
#pragma once

#include "gradus/autograd/gradcheck.h"
#include "gradus/autograd/random.h"

namespace gradus {

// What is differentiated by: an input, or what the function holds. Its elements are moved in place.
struct Variable {
  std::string name;
  Tensor tensor;  // f64, wants a gradient
  // the rows of it that the log speaks of; empty: all of it, by its name
  std::vector<NamedLeaf> ranges;
  std::vector<NamedLeaf> lines() const {
    return ranges.empty() ? std::vector<NamedLeaf>{{name, tensor}} : ranges;
  }
};

struct Check {
  Tensors xs;
  std::vector<Variable> variables;
  // what the function holds was made before this node; its history is not the function's
  uint64_t since = 0;
  GradcheckOptions options;
  GradcheckResult result;
  size_t name_width = 12, shape_width = 10;  // of the log's columns

  Tensors evaluate(const Function& f) const {
    const RandomScope random(options.seed, 0);
    return f(xs);
  }
  Tensors evaluate_unrecorded(const Function& f) const;
  Tensors tensors() const;  // of the variables
  // lines of the log
  template <class... Args>
  void note(fmt::format_string<Args...> text, Args&&... args) {
    result.log += fmt::format("  {}\n", fmt::format(text, std::forward<Args>(args)...));
  }
  template <class... Args>
  void wrong(fmt::format_string<Args...> text, Args&&... args) {
    result.ok = false;
    result.log += fmt::format("  WRONG  {}\n", fmt::format(text, std::forward<Args>(args)...));
  }
};

bool is_f64(const Tensor& x);
Tensor f64_leaf(const Tensor& x);  // a contiguous copy

// The steps, in order; each appends to the result. False: what follows would mean nothing.
void prepare_inputs(Check& check, Inputs xs);
void add_leaves(Check& check, const std::vector<NamedLeaf>& leaves);
bool run_once(Check& check, const Function& f, bool is_layer);  // finds what f captures
bool can_be_checked(Check& check, const Function& f);
bool is_deterministic(Check& check, const Function& f);
void compare_with_reference(Check& check, const Function& f);
void compare_given_twice(Check& check, const Function& f);
void check_order(Check& check, const Function& f, int order);

// Random cotangents of the f64 outputs.
Tensors cotangents(const Tensors& ys, uint64_t seed, uint64_t stream);

// The largest difference of two lists of f64 tensors, relative to max(1, the largest of that
// tensor), and in which tensor.
double largest_gap(const Tensors& a, const Tensors& b, size_t* which);

}  // namespace gradus
