// The product: every sample x layouts x dtypes x orders x sizes, with random cotangents.
#include <set>

#include "gradus/autograd/gradcheck.h"
#include "gradus/kernels/kernels.h"
#include "gradus/ops/check_op/part.h"
#include "gradus/ops/check_op/runs.h"
#include "gradus/ops/ops.h"

namespace gradus::op_check {
namespace {

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

void compare_layouts(Part& part, const Sample& sample, DType dtype, const std::string& level = "") {
  for (const Layout& layout : layouts()) {
    const auto [views, copies] = laid_out(as_dtype(sample.inputs, dtype), layout);
    part.expect(same_bits(run(sample.call, views), run(sample.call, copies)),
                "sample '{}', {}, {}{}: values or gradients are not those of the contiguous copy, "
                "bit for bit",
                sample.note, layout.name, to_string(dtype), level);
  }
}

void compare_f32(Part& part, const Sample& sample, const std::string& level = "") {
  for (const Layout& layout : layouts()) {
    // a constant row: its normalised values are rounding errors
    if (layout.name == "expanded" && sample.inputs[0].rank() == 1) continue;
    const Function f = in_layout(sample.call, layout);
    const Tensors single = as_dtype(sample.inputs, DType::f32);
    // from the same values
    const double gap = distance(run(f, single), run(f, as_dtype(single, DType::f64)));
    part.expect(gap <= part.info.f32_tolerance,
                "sample '{}', {}{}: f32 is {:.1e} from f64, more than f32_tolerance {:.1e}",
                sample.note, layout.name, level, gap, part.info.f32_tolerance);
  }
}

void compare_fused_f32(Part& part, const Sample& sample, const std::string& level = "") {
  const Tensors single = as_dtype(sample.inputs, DType::f32);
  const double gap = distance(run(sample.call, single), run_expanded(sample.call, single));
  // each is that far from f64
  part.expect(gap <= 2 * part.info.f32_tolerance,
              "sample '{}', f32{}: values or gradients are {:.1e} from the reference's",
              sample.note, level, gap);
}

// Another dtype: a result, or an Error that says whose.
void try_dtype(Part& part, const Sample& sample, const Tensors& xs, const std::string& what) {
  std::string text;
  try {
    const NoGrad scope;
    for (const Tensor& y : sample.call(xs))
      part.expect(y.defined(), "sample '{}', {}: an output is undefined", sample.note, what);
  } catch (const Error& error) { text = error.what(); }
  part.expect(text.empty() || is_named(text, part.info, sample),
              "sample '{}', {}: the Error '{}' should begin with '{}:'", sample.note, what, text,
              part.info.name);
}

}  // namespace

void check_derivatives(Part& part) {
  if (!part.info.differentiable) return part.note(" (not differentiable)");
  double worst = 0;
  part.each_sample([&](const Sample& sample) {
    for (const Layout& layout : layouts()) {
      const GradcheckResult result =
          gradcheck_op(part.info, in_layout(sample.call, layout), sample.inputs, {.order = 2});
      worst = std::max(worst, result.worst);
      part.expect(result.ok, "sample '{}', {}:\n{}", sample.note, layout.name, result.log);
    }
  });
  part.note(fmt::format(" (worst error {:.1e})", worst));
}

void check_layouts(Part& part) {
  part.each_sample([&](const Sample& sample) {
    for (const DType dtype : {DType::f64, DType::f32}) compare_layouts(part, sample, dtype);
  });
}

void check_dtypes(Part& part) {
  part.each_sample([&](const Sample& sample) {
    compare_f32(part, sample);
    for (const DType dtype : {DType::i32, DType::i64, DType::boolean})
      try_dtype(part, sample, as_dtype(sample.inputs, dtype), to_string(dtype));
    Tensors mixed = sample.inputs;
    size_t floats = 0;
    for (Tensor& x : mixed)
      if (is_float(x.dtype()) && ++floats == 2) x = cast(x, DType::f32);
    if (floats > 1) try_dtype(part, sample, mixed, "f64 and f32 mixed");
  });
}

void check_sizes(Part& part) {
  if (!part.info.differentiable) return;
  int refused = 0;
  part.each_sample([&](const Sample& sample) {
    std::set<int64_t> sizes;
    for (const Tensor& x : sample.inputs) sizes.insert(x.shape().begin(), x.shape().end());
    for (const int64_t from : sizes)
      for (const int64_t to : {0, 1}) {
        if (from == to) continue;
        const Tensors xs = resized(sample.inputs, {{from, to}});
        const std::string what = fmt::format("sample '{}', size {} made {}", sample.note, from, to);
        try {
          const Run fused = run(sample.call, xs);
          part.expect(distance(fused, run_expanded(sample.call, xs)) <= 1e-12,
                      "{}: values or gradients are not the reference's", what);
          int64_t in = 0, out = 0;
          for (const Tensor& x : xs) in += is_float(x.dtype()) ? x.numel() : 0;
          for (const Tensor& y : fused.ys) out += is_float(y.dtype()) ? y.numel() : 0;
          if (in == 0 || out == 0) continue;  // no element, no derivative
          const GradcheckResult result = gradcheck_op(part.info, sample.call, xs, {.order = 2});
          part.expect(result.ok, "{}:\n{}", what, result.log);
        } catch (const Error& error) {
          ++refused;
          part.expect(is_named(error.what(), part.info, sample),
                      "{}: the Error '{}' should begin with '{}:'", what, error.what(),
                      part.info.name);
        }
      }
  });
  part.note(fmt::format(" ({} refused by name)", refused));
}

void check_inputs(Part& part) {
  if (!part.info.differentiable) return;
  // g fits any shape that is no larger than x's, and is positive: legal for every op's domain.
  const auto g = [](const Tensor& x, const Shape& shape) {
    return reshape(slice(reshape(sqrt(square(x) + 1.0), {-1}), 0, 0, shape.numel()), shape);
  };
  part.each_sample([&](const Sample& sample) {
    for (size_t i = 0; i < sample.inputs.size(); ++i)
      for (size_t j = 0; j < sample.inputs.size(); ++j) {
        const Tensor &x = sample.inputs[i], &y = sample.inputs[j];
        if (i == j || !is_float(x.dtype()) || !is_float(y.dtype()) || y.numel() > x.numel())
          continue;
        const Shape shape = y.shape();
        const auto check_with = [&](const char* what,
                                    const std::function<Tensor(const Tensor&)>& other) {
          const GradcheckResult result = gradcheck(
              [&](Inputs in) {
                Tensors xs = in;
                xs[j] = other(in[i]);
                return sample.call(xs);
              },
              sample.inputs, {.order = 2, .step = 1e-3});
          part.expect(result.ok, "sample '{}', input {} = {} of input {}:\n{}", sample.note, j,
                      what, i, result.log);
        };
        if (x.shape() == y.shape()) check_with("x", [](const Tensor& in) { return in; });
        check_with("g(x)", [&](const Tensor& in) { return g(in, shape); });
      }
  });
}

// Values, gradients and second derivatives of a fused op are those of its reference, in f64 to
// 1e-12; also for gradients that arrive in other layouts, and where the reference is what is
// differentiated.
void check_fused(Part& part) {
  int fused = 0;
  part.each_sample([&](const Sample& sample) {
    if (!is_fused(part.info, sample)) return;
    ++fused;
    const auto compare = [&](const char* what, const Run& a, const Run& b) {
      part.expect(distance(a, b) <= 1e-12, "sample '{}': {} differ by {:.1e} from the reference's",
                  sample.note, what, distance(a, b));
    };
    const Run plain = run(sample.call, sample.inputs);
    compare("values or gradients", plain, run_expanded(sample.call, sample.inputs));
    compare_fused_f32(part, sample);
    const Function gradient = gradient_of(sample.call);
    compare("second derivatives", run(gradient, sample.inputs),
            run_expanded(gradient, sample.inputs));
    for (const Layout& layout : layouts()) {
      const Function f = in_layout(sample.call, layout);
      compare("recorded gradients", run(f, sample.inputs, {.create_graph = true}),
              run(f, sample.inputs));
    }
    const FirstOrderOnly scope;
    part.expect(same_bits(run(sample.call, sample.inputs), plain),
                "sample '{}': under FirstOrderOnly values or gradients are other ones",
                sample.note);
    std::string text;
    try {
      run(sample.call, sample.inputs, {.create_graph = true});
    } catch (const Error& error) { text = error.what(); }
    part.expect(
        text.empty() || (text.find(part.info.name) != std::string::npos &&
                         text.find("FirstOrderOnly") != std::string::npos),
        "sample '{}': create_graph under FirstOrderOnly says '{}'; it should name the op and "
        "FirstOrderOnly",
        sample.note, text);
  });
  if (!fused) part.note(" (not fused)");
}

// f32 on every level that the processor has; f64 has one.
void check_levels(Part& part) {
  int count = 0;
  const Kernels<float>* const* levels = kernel_levels(&count);
  std::string names;
  for (int i = 0; i < count; ++i) {
    const KernelLevel scope(*levels[i]);
    const std::string level = fmt::format(", level {}", levels[i]->level);
    names += fmt::format("{}{}", i ? ", " : "", levels[i]->level);
    part.each_sample([&](const Sample& sample) {
      compare_layouts(part, sample, DType::f32, level);
      compare_f32(part, sample, level);
      if (is_fused(part.info, sample)) compare_fused_f32(part, sample, level);
    });
  }
  part.note(fmt::format(" ({})", names));
}

}  // namespace gradus::op_check
