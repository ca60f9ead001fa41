// The report, and the parts that are short.
#include "gradus/ops/check_op.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "gradus/base/parallel.h"
#include "gradus/ops/check_op/part.h"
#include "gradus/ops/check_op/runs.h"
#include "gradus/ops/ops.h"

namespace gradus {
namespace op_check {

Part::Part(const OpInfo& info, OpReport& report, std::string name)
    : info(info), report_(report), name_(std::move(name)) {}

Part::~Part() {
  constexpr size_t shown = 4;
  report_.counts[name_] += compared_;
  report_.log += fmt::format("  {:<12} {:>5}{}  {}\n", name_, compared_, note_,
                             wrong_.empty() ? "ok" : fmt::format("WRONG: {}", wrong_.size()));
  for (size_t i = 0; i < std::min(wrong_.size(), shown); ++i) {
    std::string text = wrong_[i];
    while (!text.empty() && text.back() == '\n') text.pop_back();
    for (size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 5)
      text.replace(at, 1, "\n    ");
    report_.log += "    " + text + "\n";
  }
  if (wrong_.size() > shown)
    report_.log += fmt::format("    … and {} more\n", wrong_.size() - shown);
}

void Part::wrong(const std::string& text) {
  report_.ok = false;
  wrong_.push_back(text);
}

void check_samples(Part& part) {
  const OpInfo& info = part.info;
  part.expect(!info.name.empty() && !info.formula.empty(), "the op needs a name and a formula");
  if (info.samples.empty())
    part.wrong("there are no samples: nothing can be checked; add calls with inputs");
  part.each_sample([&](const Sample& sample) {
    Tensors before;
    for (const Tensor& x : sample.inputs) {
      const NoGrad scope;
      before.push_back(clone(x));
      part.expect(!is_float(x.dtype()) || x.dtype() == DType::f64,
                  "sample '{}': its float inputs must be f64; one is {}", sample.note,
                  to_string(x.dtype()));
    }
    const Tensors ys = sample.call(leaves_of(sample.inputs));
    part.expect(info.composed || !info.differentiable || contains_op(ys, info.name),
                "sample '{}' makes no node named '{}'; its graph has others", sample.note,
                info.name);
    for (size_t i = 0; i < before.size(); ++i)
      part.expect(same_bits(before[i], sample.inputs[i]),
                  "sample '{}': the op writes into its input {}", sample.note, i);
  });
}

// Where a gradient goes: into leaves, beside what is there, it is what grad() returns.
void check_leaves(Part& part) {
  if (!part.info.differentiable) return;
  part.each_sample([&](const Sample& sample) {
    for (const DType dtype : {DType::f64, DType::f32}) {
      const Tensors xs = as_dtype(sample.inputs, dtype), leaves = leaves_of(xs);
      const Run expected = run(sample.call, xs);
      const auto backward_once = [&] {
        const RandomScope random(1, 0);
        const Tensors ys = sample.call(leaves), us = cotangents_of(ys, 5);
        Tensors of, with;
        for (size_t i = 0; i < ys.size(); ++i)
          if (us[i].defined() && ys[i].requires_grad()) of.push_back(ys[i]), with.push_back(us[i]);
        backward(of, with);
      };
      const auto gradients = [&] {
        Run run{expected.ys, {}};
        for (const Tensor& leaf : leaves)
          if (leaf.requires_grad()) run.dxs.push_back(leaf.grad());
        return run;
      };
      backward_once();
      part.expect(
          same_bits(gradients(), expected),
          "sample '{}', {}: backward() puts other gradients into leaves than grad() returns",
          sample.note, to_string(dtype));
      backward_once();
      const NoGrad scope;
      Run twice = expected;
      for (Tensor& dx : twice.dxs)
        if (dx.defined()) dx = dx * 2.0;
      const double tolerance = dtype == DType::f64 ? 1e-14 : 1e-6;
      part.expect(
          distance(gradients(), twice) <= tolerance,
          "sample '{}', {}: a second backward() does not add to the gradients that are there",
          sample.note, to_string(dtype));
    }
  });
}

void check_errors(Part& part) {
  for (const ErrorSample& sample : part.info.errors) {
    std::string text;
    try {
      sample.call();
    } catch (const Error& error) { text = error.what(); }
    part.expect(!text.empty(), "error sample '{}' throws no Error", sample.note);
    if (text.empty()) continue;
    for (const std::string& mention : sample.mentions)
      part.expect(text.find(mention) != std::string::npos,
                  "error sample '{}': '{}' should mention '{}'", sample.note, text, mention);
  }
}

namespace {
struct Named {
  const char* name;
  void (*check)(Part&);
};
constexpr Named all_parts[] = {
    {"samples", check_samples}, {"derivatives", check_derivatives},
    {"layouts", check_layouts}, {"dtypes", check_dtypes},
    {"sizes", check_sizes},     {"inputs", check_inputs},
    {"fused", check_fused},     {"leaves", check_leaves},
    {"threads", check_threads}, {"levels", check_levels},
    {"mutants", check_mutants}, {"errors", check_errors},
};
}  // namespace

}  // namespace op_check

const std::vector<std::string>& check_op_parts() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& part : op_check::all_parts) all.push_back(part.name);
    return all;
  }();
  return names;
}

GradcheckResult gradcheck_op(const OpInfo& info, const Function& f, Inputs xs,
                             GradcheckOptions options) {
  size_t floats = 0;
  for (const Tensor& x : xs) floats += is_float(x.dtype());
  if (info.zero_gradients.size() < floats) return gradcheck(f, xs, options);
  const auto beside = [&](Inputs in) {
    Tensors ys = f(in);
    for (const Tensor& x : in)
      if (is_float(x.dtype())) ys.push_back(x * 1.0);
    return ys;
  };
  return gradcheck(beside, xs, options);
}

OpReport check_op(const OpInfo& info, const std::vector<std::string>& parts) {
  for (const std::string& name : parts)
    if (std::find(check_op_parts().begin(), check_op_parts().end(), name) == check_op_parts().end())
      fail("check_op: there is no part '{}'; the parts are {}", name,
           fmt::join(check_op_parts(), ", "));
  const Threads one(1);
  OpReport report;
  report.log = fmt::format("{}: {}\n", info.name, info.formula);
  for (const auto& [name, check] : op_check::all_parts) {
    if (!parts.empty() && std::find(parts.begin(), parts.end(), name) == parts.end()) continue;
    {
      op_check::Part part(info, report, name);
      check(part);
    }
    // an op that fails on its samples, or writes into them, fails in every other way as well
    if (name == std::string_view("samples") && !report.ok) break;
  }
  return report;
}

}  // namespace gradus
