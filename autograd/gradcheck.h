// gradcheck: are the derivatives of a function right? For any op or function of the user's, at
// order 1 and 2. (nn/gradcheck.h is the same for a layer, with all its parameters; ops/check_op.h
// holds an op to everything that the shipped ones are held to.)
//
//   auto result = gradcheck([](Inputs in) { return Tensors{my_op(in[0], in[1])}; }, {x, w});
//   if (!result) fmt::print("{}", result.log);
//
// s(x) = sum of u * f(x), with a random cotangent u (never ones: the true gradient of
// sum(softmax(x)) is zero, so a backward of zeros would pass), is differentiated by the engine and
// by 4-point central differences, element by element, in f64. Order 2 does the same to the function
// that returns the gradients, also by u. Dropout draws the same in every evaluation. All runs on
// one thread.
//
// What is checked: every float input (f32 ones are promoted to f64), and every f64 leaf that f
// captures and that wants a gradient (moved in place, and put back). What is refused, ok = false
// with the reason in the log: where nothing was checked (no float input or no float output), an f32
// output, a captured f32 leaf, a function that gives two results for the same inputs, an op that
// writes into an input or into the dy it is given, a fused op whose forward is not its reference.
//
// The log says of each derivative how many entries are wrong, the worst by its index in its own
// shape, both values, the op whose backward is wrong, and the likeliest mistake: only one that
// reproduces the wrong numbers is named. Where the one-sided differences disagree, the input lies
// on a kink (relu at 0): a derivative that is one of them, or between them, is right there, and the
// log says so.
#pragma once

#include "gradus/autograd/transform.h"

namespace gradus {

struct GradcheckOptions {
  int order = 1;       // 2 checks order 1, then order 2
  double step = 2e-3;  // of the differences; their error is O(step^4)
  // largest |analytic - numeric|, relative to max(1, the largest gradient of that input)
  double tolerance = 1e-7;
  // Of each input or parameter at most so many entries are compared, drawn by the seed (0: all);
  // where one of them is wrong, all are.
  int64_t max_entries = 0;
  uint64_t seed = 1;
  // false: only whether it is right; what is wrong is not looked into (for many checks in a row)
  bool explain = true;
};

struct GradcheckResult {
  bool ok = true;
  // a line per derivative and order; for a wrong one, what is said above
  std::string log;
  double worst = 0;         // the largest relative difference seen
  int64_t checked = 0;      // entries of gradients that were compared with differences
  int64_t derivatives = 0;  // lines of the log that are derivatives
  int order = 0;            // the highest that was reached
  explicit operator bool() const { return ok; }
  // In a line: "30 derivatives to order 2, 1204 entries, worst 5.1e-10: ok"; the log where it is
  // not.
  std::string summary() const;
};

// Errors: those that f itself throws for the inputs.
GradcheckResult gradcheck(const Function& f, Inputs xs, GradcheckOptions options = {});
inline GradcheckResult gradcheck(const Function& f, const Tensor& x,
                                 GradcheckOptions options = {}) {
  return gradcheck(f, Tensors{x}, options);
}

// A leaf that f uses beside its inputs, by the name that the log gives it, or named rows [begin,
// end) of one. end = -1: all of it.
struct NamedLeaf {
  std::string name;
  Tensor leaf;
  int64_t begin = 0, end = -1;
};
// The same for a function that holds leaves, all of which are to be checked: f64, and in a place
// that f reads them from at each call. Leaves that f captures beyond these are checked as well.
GradcheckResult gradcheck_with(const Function& f, Inputs xs, const std::vector<NamedLeaf>& leaves,
                               GradcheckOptions options = {});

}  // namespace gradus
