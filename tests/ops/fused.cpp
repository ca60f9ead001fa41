// Fused ops are the expression they say they are: values, gradients and second derivatives are
// those of `reference`, which runs under Expand. And inputs may be repeated or depend on each
// other: f(x, x), f(x, g(x)).
#include "tests/ops/samples.h"
#include "tests/support.h"

namespace gradus::testing {
namespace {

// A fused op's node is there, and gone under Expand.
bool is_fused(const OpInfo& info, const Sample& sample) {
  const Tensors leaves = leaves_of(sample.inputs);
  if (!contains_op(sample.call(leaves), info.name)) return false;
  const Expand expand;
  return !contains_op(sample.call(leaves), info.name);
}

// The gradient of f as a function of the inputs, itself recorded.
Function gradient_of(const Function& f) {
  return [f](Inputs in) {
    const Tensors ys = f(in);
    Tensors us, wanted, gradients;
    for (size_t i = 0; i < ys.size(); ++i)
      us.push_back(cast(random_normal(ys[i].shape(), 6, i, DType::f64), ys[i].dtype()));
    for (const Tensor& x : in)
      if (x.requires_grad()) wanted.push_back(x);
    for (const Tensor& dx : grad(ys, us, wanted, {.create_graph = true}))
      if (dx.defined()) gradients.push_back(dx);
    return gradients;
  };
}

Run run_expanded(const Function& f, Inputs xs) {
  const Expand expand;
  return run(f, xs);
}

}  // namespace

TEST_CASE(
    "fused: values, gradients and second derivatives equal the reference's, f64 to 1e-12 and f32 "
    "to the op's tolerance") {
  std::map<std::string, int> fused;
  for_each_sample([&](const OpInfo& info, const Sample& sample) {
    if (!is_fused(info, sample)) return;
    ++fused[info.name];
    const Tensors single = as_dtype(sample.inputs, DType::f32);
    CHECK(distance(run(sample.call, sample.inputs), run_expanded(sample.call, sample.inputs)) <=
          1e-12);
    // each is that far from f64
    CHECK(distance(run(sample.call, single), run_expanded(sample.call, single)) <=
          2 * info.f32_tolerance);
    const Function gradient = gradient_of(sample.call);
    CHECK(distance(run(gradient, sample.inputs), run_expanded(gradient, sample.inputs)) <= 1e-12);
  });
  for (const char* op : {"linear", "softmax", "log_softmax", "logsumexp", "gelu", "silu",
                         "bias_gelu", "swiglu", "geglu", "layer_norm", "rms_norm", "add_norm",
                         "cross_entropy", "decoder_loss", "rotary", "attention"})
    CHECK_MESSAGE(fused.contains(op), op, " should be a fused op");
}

TEST_CASE(
    "fused: recorded under FirstOrderOnly they run backward, and refuse create_graph by name") {
  for_each_sample([](const OpInfo& info, const Sample& sample) {
    if (!is_fused(info, sample)) return;
    const Run plain = run(sample.call, sample.inputs);
    const FirstOrderOnly scope;
    CHECK(same_bits(run(sample.call, sample.inputs), plain));
    const std::string text =
        error_of([&] { run(sample.call, sample.inputs, {.create_graph = true}); });
    CHECK_MENTIONS(text, info.name);
    CHECK_MENTIONS(text, "FirstOrderOnly");
  });
}

TEST_CASE(
    "fused: memory layouts of the gradient that arrives do not matter, also where the reference is "
    "differentiated") {
  for_each_sample([](const OpInfo& info, const Sample& sample) {
    if (!is_fused(info, sample)) return;
    for (const Layout& layout : layouts()) {
      const Function f = in_layout(sample.call, layout);
      CHECK_MESSAGE(
          distance(run(f, sample.inputs, {.create_graph = true}), run(f, sample.inputs)) <= 1e-12,
          info.name, ", ", sample.note, ", ", layout.name);
    }
  });
}

TEST_CASE(
    "inputs: f(x, x) and f(x, g(x)) are differentiated right for every op of several inputs, "
    "orders 1 and 2") {
  // g fits any shape that is no larger than x's, and is positive: legal for every op's domain.
  const auto g = [](const Tensor& x, const Shape& shape) {
    return reshape(slice(reshape(sqrt(square(x) + 1.0), {-1}), 0, 0, shape.numel()), shape);
  };
  int pairs = 0;
  for_each_sample([&](const OpInfo& info, const Sample& sample) {
    for (size_t i = 0; i < sample.inputs.size(); ++i)
      for (size_t j = 0; j < sample.inputs.size(); ++j) {
        const Tensor &x = sample.inputs[i], &y = sample.inputs[j];
        if (i == j || !is_float(x.dtype()) || !is_float(y.dtype()) || y.numel() > x.numel())
          continue;
        ++pairs;
        const Shape shape = y.shape();
        const auto check_with = [&](const std::string& note,
                                    const std::function<Tensor(const Tensor&)>& other) {
          const GradcheckResult result = gradcheck(
              [&](Inputs in) {
                Tensors xs = in;
                xs[j] = other(in[i]);
                return sample.call(xs);
              },
              sample.inputs, {.order = 2, .step = 1e-3});
          CHECK_MESSAGE(result.ok, info.name, ", ", sample.note, ", input ", j, " = ", note,
                        " of input ", i, "\n", result.log);
        };
        if (x.shape() == y.shape()) check_with("x", [](const Tensor& in) { return in; });
        check_with("g(x)", [&](const Tensor& in) { return g(in, shape); });
      }
  });
  CHECK(pairs > 80);
}

}  // namespace gradus::testing
