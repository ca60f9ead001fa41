// The engine's derivatives beside differences, orders 1 and 2, and the log of it.
#include "gradus/autograd/gradcheck.h"

#include <algorithm>
#include <cmath>

#include "gradus/autograd/engine.h"
#include "gradus/autograd/gradcheck/check.h"
#include "gradus/autograd/gradcheck/culprits.h"
#include "gradus/autograd/gradcheck/differences.h"
#include "gradus/autograd/gradcheck/watch.h"
#include "gradus/autograd/graph.h"
#include "gradus/base/parallel.h"
#include "gradus/base/random.h"

namespace gradus {
namespace {

using Values = std::vector<double>;

struct Derivative {
  Values analytic, numeric;
  std::vector<Verdict> verdicts;
  std::vector<bool> compared;  // where not, numeric is analytic
  double largest = 1;          // what the tolerance is relative to
  bool undefined = false, is_wrong = false, is_f32 = false;
};

// What one order found, for the explanation.
struct Order {
  int order;
  const Function& f;
  Tensors us;
  std::vector<Derivative> derivatives;  // one per variable
  std::string no_history, f32_op;       // what the watch noticed
  Tensors reached;                      // the leaves that the outputs lead back to
};

bool contains(const Tensors& list, const Tensor& x) {
  return std::any_of(list.begin(), list.end(), [&](const Tensor& y) { return y.same(x); });
}

// ---- what the engine says

// Where a backward returned a gradient that fits its input neither as it is nor summed over
// broadcast axes, the engine throws; this says what that looks like.
std::string shape_hint(const Watch& watch) {
  if (watch.backwards().empty()) return "";
  const Watch::Backward& last = watch.backwards().back();
  const auto& edges = last.node->edges();
  for (size_t i = 0; i < edges.size() && i < last.dxs.size(); ++i) {
    if (!edges[i].wanted() || !last.dxs[i].defined() || last.dxs[i].shape() == edges[i].shape)
      continue;
    const Shape found = last.dxs[i].shape(), right = edges[i].shape;
    Shape reversed;
    for (int axis = found.rank() - 1; axis >= 0; --axis) reversed.push_back(found[axis]);
    const std::string returned =
        fmt::format("\n      the backward of {} returned {} for its input {} {}", where(*last.node),
                    found, i, right);
    if (reversed == right) return returned + "; the likeliest mistake: transposed";
    if (found.numel() < right.numel())
      return returned + ": it is summed too far; return one value per element of the input";
    return returned +
           ": a missing sum, or a sum over the wrong axis; where the input was broadcast, return dy"
           " as it is, the engine sums over broadcast axes by itself";
  }
  return "";
}

// The gradients by all variables. False where backward throws.
bool differentiate(Check& check, Order& order, Tensors& gradients) {
  const RecordingScope recording(true);
  Watch watch;
  for (const Variable& v : check.variables) watch.keep(v.tensor, v.name);
  Tensors ys;
  try {
    ys = check.evaluate(order.f);
    order.us = cotangents(ys, check.options.seed, 1000 * static_cast<uint64_t>(order.order));
    for (const Tensor& u : order.us) watch.keep(u, "");
    gradients = grad(ys, order.us, check.tensors(), {.since = check.since});
  } catch (const Error& error) {
    check.wrong("order {}: backward throws: {}{}", order.order, error.what(), shape_hint(watch));
    return false;
  }
  for (const std::string& complaint : watch.complaints())
    check.wrong("order {}: {}", order.order, complaint);
  if (const std::string changed = watch.changed(); !changed.empty() && watch.complaints().empty())
    check.wrong("order {}: backward writes into {}", order.order, changed);
  order.no_history = watch.no_history();
  order.f32_op = watch.first_f32_op();
  for (const Tensor& y : ys) {
    if (!y.defined()) continue;
    if (y.is_leaf()) order.reached.push_back(y);
    for (const auto& node : nodes_of(y))
      for (const Edge& edge : node->edges())
        if (edge.leaf) order.reached.push_back(Tensor(edge.leaf));
  }
  // The same while nobody records: other values would be another function. At order 2, fused ops
  // run their own backward there, and while recorded that of their reference.
  size_t which = 0;
  const double gap = largest_gap(check.evaluate_unrecorded(order.f), ys, &which);
  if (gap > 1e-9 && order.order == 1)
    check.wrong("output {} has other values while it is recorded (relative difference {:.1e})",
                which, gap);
  if (gap > 1e-9 && order.order == 2)
    check.wrong(
        "a fused op's own backward and the derivative of its reference give two gradients (by {}; "
        "relative difference {:.1e})",
        which < check.variables.size() ? check.variables[which].name : "?", gap);
  return true;
}

// ---- beside differences

template <class T>
bool contains(const std::vector<T>& list, T value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// All of n, or max_entries of them.
std::vector<bool> chosen_entries(const Check& check, size_t n) {
  const auto most = static_cast<size_t>(check.options.max_entries);
  std::vector<bool> chosen(n, most == 0 || most >= n);
  Random random(check.options.seed, 600);
  for (size_t left = most < n ? most : 0; left > 0;) {
    const auto i = static_cast<size_t>(random.below(static_cast<int64_t>(n)));
    left -= !chosen[i];
    chosen[i] = true;
  }
  return chosen;
}

Derivative compare(Check& check, const Order& order, const Tensor& x, const Tensor& gradient) {
  Differences differences([&] { return dot(order.us, check.evaluate_unrecorded(order.f)); }, x,
                          check.options.step);
  Derivative d;
  d.undefined = !gradient.defined();
  d.analytic = d.undefined ? Values(static_cast<size_t>(x.numel())) : gradient.to_vector<double>();
  d.compared = chosen_entries(check, d.analytic.size());
  d.numeric = d.analytic;
  for (size_t i = 0; i < d.numeric.size(); ++i)
    if (d.compared[i]) d.numeric[i] = differences.central(i);
  d.verdicts = differences.judge(d.analytic, d.numeric, check.options.tolerance);
  if (contains(d.verdicts, Verdict::wrong) && contains(d.compared, false)) {
    d.compared.assign(d.compared.size(), true);
    d.numeric = differences.central();
    d.verdicts = differences.judge(d.analytic, d.numeric, check.options.tolerance);
  }
  for (size_t i = 0; i < d.numeric.size(); ++i) {
    d.largest = std::max({d.largest, std::abs(d.numeric[i]), std::abs(d.analytic[i])});
    d.is_wrong = d.is_wrong || d.verdicts[i] == Verdict::wrong;
  }
  // The cotangents have all the digits of f64, so a gradient that has not is rounded.
  d.is_f32 = all_f32(d.analytic);
  return d;
}

// A line for the rows [begin, end) of a variable; where entries are wrong, the worst.
void report(Check& check, const Order& order, const Derivative& d, const Tensor& x,
            const NamedLeaf& range) {
  const int64_t row = x.rank() ? x.numel() / std::max<int64_t>(x.shape()[0], 1) : 1;
  const auto begin = static_cast<size_t>(range.begin * row),
             end = range.end < 0 ? d.numeric.size() : static_cast<size_t>(range.end * row);
  Shape shape = x.shape();
  if (range.end >= 0 && shape.rank()) shape[0] = range.end - range.begin;
  int64_t wrong = 0, kinks = 0, compared = 0;
  bool zero = true;
  size_t worst = begin;
  double worst_gap = 0, right_gap = 0;
  for (size_t i = begin; i < end; ++i) {
    const double gap = std::abs(d.analytic[i] - d.numeric[i]);
    kinks += d.verdicts[i] == Verdict::kink;
    compared += d.compared[i];
    zero = zero && d.analytic[i] == 0 && d.numeric[i] == 0;
    if (d.verdicts[i] == Verdict::right) right_gap = std::max(right_gap, gap);
    if (d.verdicts[i] != Verdict::wrong) continue;
    // a NaN counts as worst, and stays
    if (!wrong || gap > worst_gap || (std::isnan(gap) && !std::isnan(worst_gap)))
      worst_gap = gap, worst = i;
    ++wrong;
  }
  const double error = (wrong ? worst_gap : right_gap) / d.largest;
  if (!(error <= check.result.worst)) check.result.worst = error;
  check.result.checked += compared;
  ++check.result.derivatives;
  std::string line =
      fmt::format("  order {}  d/d {:<{}} {:<{}} max error {:.1e}  ", order.order, range.name,
                  check.name_width, to_string(shape), check.shape_width, error);
  if (wrong) line += fmt::format("WRONG: {} of {} entries", wrong, end - begin);
  else if (d.is_f32) line += "WRONG: rounded to f32";
  else line += "ok";
  if (kinks)
    line += fmt::format(
        "  ({} at a kink: the one-sided differences disagree, or a step crosses it; right by them)",
        kinks);
  if (compared < static_cast<int64_t>(end - begin))
    line += fmt::format("  ({} of {} entries)", compared, end - begin);
  if (d.undefined && !wrong) line += "  (no output depends on it)";
  else if (zero && begin < end) line += "  (zero throughout: is the layer initialised?)";
  check.result.log += line + '\n';
  if (!wrong) return;
  check.result.ok = false;
  check.result.log +=
      fmt::format("      the worst at {}: {:.8g} analytic, {:.8g} numeric\n",
                  index_text(shape, worst - begin), d.analytic[worst], d.numeric[worst]);
  if (!std::isfinite(worst_gap)) return;
  const auto [left, right] =
      Differences([&] { return dot(order.us, check.evaluate_unrecorded(order.f)); }, x,
                  check.options.step)
          .sides(worst);
  if (std::abs(left - right) > 1e-3 * d.largest)
    check.result.log += fmt::format(
        "      there the one-sided differences disagree: {:.6g} from the left, {:.6g} from the "
        "right; the input lies on a kink, and the analytic value is neither, nor between them\n",
        left, right);
}

// ---- what it looks like

// What is known of the whole function.
Evidence evidence_of(Check& check, const Order& order, size_t variable) {
  const Derivative& d = order.derivatives[variable];
  Evidence e;
  e.shape = check.variables[variable].tensor.shape();
  e.analytic = d.analytic, e.numeric = d.numeric, e.input = variable;
  e.inputs = check.tensors(), e.outputs = check.evaluate_unrecorded(order.f), e.dys = order.us;
  for (const Variable& v : check.variables) e.names.push_back(v.name);
  // other values stand in the variables for the time of a call
  const auto with = [&check](const Tensors& inputs, const auto& call) -> Values {
    std::vector<std::unique_ptr<Replaced>> replaced;
    for (size_t i = 0; i < inputs.size(); ++i)
      if (!inputs[i].same(check.variables[i].tensor))
        replaced.push_back(
            std::make_unique<Replaced>(check.variables[i].tensor, inputs[i].to_vector<double>()));
    return call();
  };
  e.right = [&check, &order, with](const Tensors& inputs, const Tensors& dys, size_t which) {
    return with(inputs, [&] {
      return Differences([&] { return dot(dys, check.evaluate_unrecorded(order.f)); },
                         check.variables[which].tensor, check.options.step)
          .central();
    });
  };
  e.wrong = [&check, &order, variable, with](const Tensors& inputs) {
    return with(inputs, [&] {
      const RecordingScope recording(true);
      const Tensor& x = check.variables[variable].tensor;
      const Tensor dx = grad(check.evaluate(order.f), order.us, {x}, {.since = check.since})[0];
      return dx.defined() ? dx.to_vector<double>() : Values(static_cast<size_t>(x.numel()));
    });
  };
  return e;
}

// Whether the outputs move in steps: over three points in a line, 1e-7 apart, a smooth function in
// f64 is straight to its last digits, and one that is rounded to f32 somewhere is not. The points
// lie off the input, which may be on a kink.
bool moves_in_steps(Check& check, const Function& f) {
  const auto at = [&](double by) {
    std::vector<std::unique_ptr<Replaced>> moved;
    for (const Variable& v : check.variables) {
      Values values = v.tensor.to_vector<double>();
      for (size_t i = 0; i < values.size(); ++i)
        values[i] += (1e-3 / 7 + by) * (i % 3 == 0 ? -1 : 1);
      moved.push_back(std::make_unique<Replaced>(v.tensor, values));
    }
    return check.evaluate_unrecorded(f);
  };
  const Tensors a = at(0), b = at(1e-7), c = at(2e-7);
  double largest = 1, bend = 0;
  for (size_t k = 0; k < a.size(); ++k) {
    if (!is_f64(a[k])) continue;
    const Values u = a[k].to_vector<double>(), v = b[k].to_vector<double>(),
                 w = c[k].to_vector<double>();
    for (size_t i = 0; i < u.size(); ++i) {
      largest = std::max(largest, std::abs(v[i]));
      bend = std::max(bend, std::abs(u[i] - 2 * v[i] + w[i]));
    }
  }
  return bend > 1e-10 * largest && bend < 1e-5 * largest;
}

std::string likeliest(Check& check, const Order& order, size_t variable,
                      const std::vector<Culprit>& culprits) {
  const Derivative& d = order.derivatives[variable];
  const Tensor& x = check.variables[variable].tensor;
  for (size_t i = 0; i < d.numeric.size(); ++i) {
    if (!std::isfinite(d.analytic[i])) return "the analytic gradient is not finite";
    if (!std::isfinite(d.numeric[i])) return "the function is not finite around this input";
  }
  const bool cut =
      std::all_of(d.analytic.begin(), d.analytic.end(), [](double a) { return a == 0; });
  if (cut && order.order == 2 && !order.no_history.empty())
    return "the path is cut: " + order.no_history;
  if (d.undefined && !contains(order.reached, x) && x.is_leaf())
    return "the path is cut: nothing leads from the outputs back to it, though they change with it "
           "(detach(), NoGrad, or values copied past the ops)";
  const auto its = std::find_if(culprits.begin(), culprits.end(), [&](const Culprit& culprit) {
    return culprit.leaf.defined() && culprit.leaf.same(x);
  });
  std::string mistake = its == culprits.end() ? "" : its->likeliest;
  if (mistake.empty()) mistake = likeliest_mistake(evidence_of(check, order, variable));
  if (its != culprits.end())
    return fmt::format("{} (in the backward of {})",
                       mistake.empty() ? "none that is simple gives these numbers" : mistake,
                       its->op);
  // where another op is wrong, behind this one, that says it
  return mistake.empty() && culprits.empty() ? "none that is simple gives these numbers" : mistake;
}

void explain(Check& check, const Order& order) {
  double worst = 0;
  for (const Derivative& d : order.derivatives)
    for (size_t i = 0; i < d.numeric.size(); ++i)
      worst = std::max(worst, std::abs(d.analytic[i] - d.numeric[i]) / d.largest);
  if (worst < 1e-2 && moves_in_steps(check, order.f)) {
    check.note(
        "    the likeliest mistake: f32 rounding: the outputs move in steps, where they would move "
        "smoothly in f64; {}",
        order.f32_op.empty() ? "an op computes in float, whatever its dtype"
                             : order.f32_op + " runs in f32");
    return;
  }
  const std::vector<Culprit> culprits = find_culprits(check, order.f, order.us);
  for (size_t i = 0; i < order.derivatives.size(); ++i) {
    const Derivative& d = order.derivatives[i];
    if (d.is_f32)
      check.note(
          "    d/d {}: the likeliest mistake: f32 rounding: all its values are numbers of f32, so a"
          " backward computes in float, whatever its dtype",
          check.variables[i].name);
    if (!d.is_wrong || d.is_f32) continue;
    const std::string mistake = likeliest(check, order, i, culprits);
    if (!mistake.empty())
      check.note("    d/d {}: the likeliest mistake: {}", check.variables[i].name, mistake);
  }
  for (const Culprit& culprit : culprits)
    if (!contains(check.tensors(), culprit.leaf))
      check.note("    the backward of {} is wrong by its {}, {} entr{}; the likeliest mistake: {}",
                 culprit.op, culprit.input, culprit.wrong, culprit.wrong == 1 ? "y" : "ies",
                 culprit.likeliest.empty() ? "none that is simple gives these numbers"
                                           : culprit.likeliest);
}

// The function that returns the gradients, of the variables and of the cotangents, which come after
// the inputs.
Function gradient_of(const Function& f, const Check& first, const std::vector<size_t>& outputs) {
  return [&f, &first, outputs](Inputs in) {
    const bool again = grad_enabled();
    const RecordingScope recording(true);
    const size_t count = first.xs.size();
    Tensors leaves(in.begin(), in.begin() + static_cast<std::ptrdiff_t>(count)), wanted;
    for (Tensor& x : leaves)
      if (is_f64(x)) wanted.push_back(x = alias(x));
    for (const Variable& v : first.variables)
      if (!contains(first.xs, v.tensor)) wanted.push_back(v.tensor);
    const Tensors ys = f(leaves);
    Tensors of, with;
    for (size_t k = 0; k < outputs.size(); ++k)
      of.push_back(ys[outputs[k]]), with.push_back(in[count + k]);
    return grad(of, with, wanted, {.create_graph = again, .since = first.since});
  };
}

}  // namespace

void check_order(Check& check, const Function& f, int number) {
  Order order{number, f, {}, {}, {}, {}, {}};
  Tensors gradients;
  if (!differentiate(check, order, gradients)) return;
  for (const Variable& v : check.variables) {
    for (const NamedLeaf& line : v.lines())
      check.name_width = std::max(check.name_width, line.name.size());
    check.shape_width = std::max(check.shape_width, to_string(v.tensor.shape()).size());
  }
  check.result.order = number;
  bool depends = false, all_right = true;
  for (size_t i = 0; i < check.variables.size(); ++i) {
    const Variable& v = check.variables[i];
    order.derivatives.push_back(compare(check, order, v.tensor, gradients[i]));
    const Derivative& d = order.derivatives.back();
    for (const NamedLeaf& line : v.lines()) report(check, order, d, v.tensor, line);
    depends = depends || !d.undefined || d.is_wrong;
    all_right = all_right && !d.is_wrong && !d.is_f32;
    check.result.ok = check.result.ok && !d.is_f32;
  }
  if (!depends && number == 1) {
    check.wrong("nothing was checked: no output depends on anything that it is differentiated by");
    check.result.checked = 0;
  }
  if (!all_right && check.options.explain) explain(check, order);
}

GradcheckResult gradcheck_with(const Function& f, Inputs xs, const std::vector<NamedLeaf>& leaves,
                               GradcheckOptions options) {
  const Threads one(1);
  Check check;
  check.options = options;
  check.since = nodes_made();
  prepare_inputs(check, xs);
  add_leaves(check, leaves);
  if (!run_once(check, f, !leaves.empty()) || !can_be_checked(check, f) ||
      !is_deterministic(check, f))
    return check.result;
  compare_with_reference(check, f);
  compare_given_twice(check, f);
  check_order(check, f, 1);
  if (options.order < 2 || check.result.checked == 0) return check.result;

  Check second;
  second.options = options, second.since = check.since;
  second.xs = check.xs, second.variables = check.variables;
  std::vector<size_t> outputs;
  const Tensors ys = check.evaluate_unrecorded(f);
  for (size_t i = 0; i < ys.size(); ++i)
    if (is_f64(ys[i])) {
      second.xs.push_back(
          random_normal(ys[i].shape(), options.seed, 500 + i, DType::f64).set_requires_grad());
      second.variables.push_back({fmt::format("dy{}", i), second.xs.back(), {}});
      outputs.push_back(i);
    }
  check_order(second, gradient_of(f, check, outputs), 2);
  check.result.ok = check.result.ok && second.result.ok;
  check.result.log += second.result.log;
  check.result.checked += second.result.checked;
  check.result.derivatives += second.result.derivatives;
  check.result.order = second.result.order;
  if (!(second.result.worst <= check.result.worst)) check.result.worst = second.result.worst;
  return check.result;
}

std::string GradcheckResult::summary() const {
  if (!ok) return log;
  return fmt::format("{} derivatives to order {}, {} entries, worst {:.1e}: ok", derivatives, order,
                     checked, worst);
}

GradcheckResult gradcheck(const Function& f, Inputs xs, GradcheckOptions options) {
  return gradcheck_with(f, xs, {}, options);
}

}  // namespace gradus
