#include "gradus/autograd/gradcheck/culprits.h"

#include <cmath>
#include <set>

#include "gradus/autograd/engine.h"
#include "gradus/autograd/gradcheck/differences.h"
#include "gradus/autograd/gradcheck/watch.h"

namespace gradus {
namespace {

constexpr int64_t most_evaluations = 40000;  // of forwards of single ops
constexpr size_t most_culprits = 4;

// The leaf that an input is, also where an alias of it was made for a reference.
Tensor leaf_of(const Edge& edge) {
  if (edge.leaf) return Tensor(edge.leaf);
  if (edge.node && std::string_view(edge.node->op()) == "alias")
    return leaf_of(edge.node->edges()[0]);
  return {};
}

// The inputs with memory of their own.
Tensors copies_of(const Tensors& xs) {
  Tensors copies;
  for (const Tensor& x : xs) copies.push_back(is_f64(x) ? f64_leaf(x).detach() : x);
  return copies;
}

Tensors call(Node& node, const Tensors& inputs) {
  const NoGrad scope;
  return node.forward(inputs);
}

// Whether the node's forward may be called again, and gives what it gave (checkpoint's does not).
bool repeats(const Watch::Backward& step) {
  if (step.inputs.empty()) return false;
  for (const Tensor& y : step.outputs)
    if (y.defined() && y.dtype() == DType::f32) return false;
  try {
    const Tensors ys = call(*step.node, copies_of(step.inputs));
    if (ys.size() != step.outputs.size()) return false;
    for (size_t i = 0; i < ys.size(); ++i)
      if (!same_bits(ys[i], step.outputs[i])) return false;
    return true;
  } catch (const Error&) { return false; }
}

std::vector<double> differences_of(Node& node, const Tensors& inputs, const Tensors& dys,
                                   size_t which, double step) {
  const Tensors xs = copies_of(inputs);
  return Differences([&] { return dot(dys, call(node, xs)); }, xs[which], step).central();
}

int64_t count_wrong(Node& node, const Watch::Backward& step, size_t which, double size,
                    const std::vector<double>& analytic, std::vector<double> numeric) {
  const Tensors xs = copies_of(step.inputs);
  Differences differences([&] { return dot(step.dys, call(node, xs)); }, xs[which], size);
  int64_t wrong = 0;
  for (const Verdict verdict : differences.judge(analytic, numeric, 1e-6))
    wrong += verdict == Verdict::wrong;
  return wrong;
}

std::vector<double> values_of(const Tensor& dx, const Shape& shape) {
  if (!dx.defined()) return std::vector<double>(static_cast<size_t>(shape.numel()));
  const NoGrad scope;
  return (dx.shape() == shape ? dx : sum_to(dx, shape)).to_vector<double>();
}

// One input of one op.
std::vector<Culprit> judge(const Watch::Backward& step, size_t i, double size) {
  Node& node = *step.node;
  const Edge& edge = node.edges()[i];
  Evidence e;
  e.shape = edge.shape;
  e.analytic = values_of(step.dxs[i], edge.shape);
  e.numeric = differences_of(node, step.inputs, step.dys, i, size);
  const int64_t wrong = count_wrong(node, step, i, size, e.analytic, e.numeric);
  if (!wrong) return {};
  e.inputs = step.inputs, e.outputs = step.outputs, e.dys = step.dys, e.input = i;
  for (size_t k = 0; k < e.inputs.size(); ++k) {
    const Tensor leaf = leaf_of(node.edges()[k]);
    e.names.push_back(leaf.defined() && !leaf.name().empty() ? leaf.name()
                                                             : fmt::format("input {}", k));
  }
  e.right = [&](const Tensors& inputs, const Tensors& dys, size_t which) {
    return differences_of(node, inputs, dys, which, size);
  };
  Culprit culprit{where(node), e.names[i], leaf_of(edge), wrong, likeliest_mistake(e)};
  if (!step.dxs[i].defined())
    culprit.likeliest =
        "the path is cut: it returned no gradient (an undefined one, which is zero)";
  try {
    const RecordingScope recording(true);
    const Tensors again = node.run_backward(step.dys);
    if (i < again.size() &&
        !count_wrong(node, step, i, size, values_of(again[i], edge.shape), e.numeric))
      culprit.likeliest += fmt::format(
          "{}its reference gives the right one: the mistake is in its "
          "own backward()",
          culprit.likeliest.empty() ? "" : "; ");
  } catch (const Error&) {  // it cannot be differentiated again: nothing follows
  }
  return {culprit};
}

}  // namespace

std::vector<Culprit> find_culprits(Check& check, const Function& f, const Tensors& us) {
  std::vector<Watch::Backward> steps;
  {
    const RecordingScope recording(true);
    const Watch watch;
    const Tensors ys = check.evaluate(f);
    grad(ys, us, check.tensors(), {.keep_graph = true, .since = check.since});
    steps = watch.backwards();
  }
  std::vector<Culprit> culprits;
  std::set<std::string> seen;
  int64_t evaluations = 0;
  for (const Watch::Backward& step : steps) {
    const auto& edges = step.node->edges();
    if (step.dxs.size() != edges.size() || !repeats(step)) continue;
    for (size_t i = 0; i < edges.size() && culprits.size() < most_culprits; ++i) {
      if (!edges[i].wanted() || edges[i].dtype != DType::f64) continue;
      evaluations += 4 * edges[i].shape.numel();
      if (evaluations > most_evaluations) return culprits;
      const std::string which = fmt::format("{} {}", where(*step.node), i);
      if (seen.contains(which)) continue;
      for (Culprit& culprit : judge(step, i, check.options.step)) {
        seen.insert(which);
        culprits.push_back(std::move(culprit));
      }
    }
  }
  return culprits;
}

}  // namespace gradus
