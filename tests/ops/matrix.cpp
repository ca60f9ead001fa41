// The product over the table of ops: every sample x layouts x dtypes x orders, with random
// cotangents. A failure names the op, the sample and the layout.
#include <set>

#include "tests/ops/samples.h"
#include "tests/support.h"

namespace gradus::testing {
namespace {

std::string checked(const Function& f, Inputs xs, int order = 2, double tolerance = 1e-7) {
  const GradcheckResult result = gradcheck(f, xs, {.order = order, .tolerance = tolerance});
  return result ? "" : result.log;
}

// The same inputs, already lying in the layout, and as contiguous copies.
std::pair<Tensors, Tensors> laid_out(Inputs xs, const Layout& layout) {
  const NoGrad scope;
  Tensors views, copies;
  for (const Tensor& x : xs) {
    views.push_back(layout.input(x));
    copies.push_back(clone(views.back()));
  }
  return {views, copies};
}

}  // namespace

TEST_CASE("matrix: derivatives of orders 1 and 2 are right in every layout") {
  for_each_sample([](const OpInfo& info, const Sample& sample) {
    if (!info.differentiable) return;
    for (const Layout& layout : layouts()) {
      CAPTURE(layout.name);
      const std::string log = checked(in_layout(sample.call, layout), sample.inputs);
      CHECK_MESSAGE(log.empty(), info.name, ", ", sample.note, ", ", layout.name, "\n", log);
    }
  });
}

TEST_CASE(
    "matrix: values and gradients of every layout are those of the contiguous copy, bit for bit, "
    "in f64 and f32") {
  for_each_sample([](const OpInfo& info, const Sample& sample) {
    for (const DType dtype : {DType::f64, DType::f32})
      for (const Layout& layout : layouts()) {
        CAPTURE(layout.name);
        CAPTURE(std::string(to_string(dtype)));
        const auto [views, copies] = laid_out(as_dtype(sample.inputs, dtype), layout);
        CHECK_MESSAGE(same_bits(run(sample.call, views), run(sample.call, copies)), info.name, ", ",
                      sample.note, ", ", layout.name);
      }
  });
}

TEST_CASE("matrix: f32 agrees with f64 within the op's tolerance, values and gradients") {
  for_each_sample([](const OpInfo& info, const Sample& sample) {
    for (const Layout& layout : layouts()) {
      // a constant row: its normalised values are rounding errors
      if (layout.name == "expanded" && sample.inputs[0].rank() == 1) continue;
      const Function f = in_layout(sample.call, layout);
      const Tensors single = as_dtype(sample.inputs, DType::f32);
      // from the same values
      const double gap = distance(run(f, single), run(f, as_dtype(single, DType::f64)));
      CHECK_MESSAGE(gap <= info.f32_tolerance, info.name, ", ", sample.note, ", ", layout.name,
                    ": ", gap, " > ", info.f32_tolerance);
    }
  });
}

// Sizes 0 and 1: a right result, with right gradients, or an Error that names the op.
TEST_CASE("matrix: axes of size 0 and 1 give a right result or an Error that names the op") {
  int ran = 0, refused = 0;
  for_each_sample([&](const OpInfo& info, const Sample& sample) {
    if (!info.differentiable) return;
    std::set<int64_t> sizes;
    for (const Tensor& x : sample.inputs) sizes.insert(x.shape().begin(), x.shape().end());
    for (const int64_t from : sizes)
      for (const int64_t to : {0, 1}) {
        if (from == to) continue;
        CAPTURE(from);
        CAPTURE(to);
        const Tensors xs = resized(sample.inputs, {{from, to}});
        try {
          const Run fused = run(sample.call, xs);
          ++ran;
          const std::string log = checked(sample.call, xs);
          CHECK_MESSAGE(log.empty(), info.name, ", ", sample.note, ", size ", from, " made ", to,
                        "\n", log);
          const Expand expand;
          CHECK(distance(fused, run(sample.call, xs)) <= 1e-12);
        } catch (const Error& error) {
          ++refused;
          const std::string text = error.what(), named = text.substr(0, text.find(':'));
          CHECK_MESSAGE(
              (named == info.name || contains_op(sample.call(leaves_of(sample.inputs)), named)),
              "'", text, "' should begin with '", info.name, "'");
        }
      }
  });
  MESSAGE(ran, " resized samples ran, ", refused, " were refused by name");
}

TEST_CASE("errors: every error sample throws an Error that holds all it must mention") {
  for (const OpInfo& info : op_table())
    for (const ErrorSample& sample : info.errors()) {
      CAPTURE(info.name);
      CAPTURE(sample.note);
      const std::string text = error_of(sample.call);
      for (const std::string& part : sample.mentions) CHECK_MENTIONS(text, part);
    }
}

}  // namespace gradus::testing
