// check_op: holds an op to everything that the ops of Gradus are held to. All that it needs is the
// op's OpInfo (op_info.h): calls with inputs, and wrong calls.
//
//   const auto report = check_op({.name = "swish", .formula = "x sigmoid(x)", .samples = {…}});
//   fmt::print("{}", report.log);
//   return report ? 0 : 1;
//
// The parts of the check, each a line of the log:
//
//   samples      each runs, makes a node of that name, and leaves its inputs as they are
//   derivatives  gradcheck, orders 1 and 2, of every sample in every memory layout of its inputs
//                and of the gradient that arrives: contiguous, transposed, sliced, expanded
//   layouts      the same values and gradients, bit for bit, however the inputs lie in memory
//   dtypes       f32 agrees with f64 within f32_tolerance; integers, and f32 mixed with f64, give a
//                result or an Error that begins with an op's name
//   sizes        axes of size 0 and 1: a right result, or such an Error
//   inputs       f(x, x) and f(x, g(x)), orders 1 and 2
//   fused        values, gradients and second derivatives are the reference's; FirstOrderOnly
//   leaves       backward() puts into leaves what grad() returns, and adds to what is there
//   threads      1 to 4 threads give the same bits, on samples and on large inputs
//   levels       f32 on every instruction level that this processor has
//   mutants      each input's gradient zeroed, halved and transposed is noticed by the samples
//   errors       each error sample throws an Error that holds all that it must mention
//
// A large input is a sample whose axes are made long, its values repeated; where that is no legal
// call, OpInfo::large gives some. Takes about a tenth of a second for an op of few samples.
#pragma once

#include <map>

#include "gradus/autograd/gradcheck.h"
#include "gradus/ops/op_info.h"

namespace gradus {

struct OpReport {
  bool ok = true;
  std::string log;
  // how much was compared, by part: calls, gradients, mutants …
  std::map<std::string, int64_t> counts;
  explicit operator bool() const { return ok; }
};

// parts: some of the names above, or all.
OpReport check_op(const OpInfo& info, const std::vector<std::string>& parts = {});

// gradcheck of a call of the op. Where no gradient flows at all (sign) and zero_gradients says so,
// there is nothing to compare but that the outputs do not depend on the inputs either: then the
// inputs are outputs as well.
GradcheckResult gradcheck_op(const OpInfo& info, const Function& f, Inputs xs,
                             GradcheckOptions options = {});

// The names of the parts, in order.
const std::vector<std::string>& check_op_parts();

}  // namespace gradus
