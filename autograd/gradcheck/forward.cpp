// What shows without differences: two results for the same inputs, a fused op whose forward is not
// its reference, an input that counts by its identity.
#include <algorithm>
#include <cmath>

#include "gradus/autograd/engine.h"
#include "gradus/autograd/gradcheck/check.h"
#include "gradus/autograd/gradcheck/diagnosis.h"
#include "gradus/autograd/gradcheck/watch.h"

namespace gradus {

Tensors cotangents(const Tensors& ys, uint64_t seed, uint64_t stream) {
  Tensors us;
  for (size_t i = 0; i < ys.size(); ++i)
    us.push_back(is_f64(ys[i]) ? random_normal(ys[i].shape(), seed, stream + i, DType::f64)
                               : Tensor());
  return us;
}

double largest_gap(const Tensors& a, const Tensors& b, size_t* which) {
  double worst = 0;
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (!is_f64(a[i]) || !is_f64(b[i]) || a[i].shape() != b[i].shape()) continue;
    const auto u = a[i].to_vector<double>(), v = b[i].to_vector<double>();
    double largest = 1;
    for (const double x : v) largest = std::max(largest, std::abs(x));
    for (size_t j = 0; j < u.size(); ++j)
      if (const double gap = std::abs(u[j] - v[j]) / largest; gap > worst) worst = gap, *which = i;
  }
  return worst;
}

namespace {
bool has_nan(const Tensor& y) {
  if (!is_f64(y)) return false;
  const auto values = y.to_vector<double>();
  return std::any_of(values.begin(), values.end(), [](double v) { return std::isnan(v); });
}

std::string shapes_of(const Tensors& ys) {
  std::string text;
  for (const Tensor& y : ys) text += fmt::format("{}{}", text.empty() ? "" : ", ", y.shape());
  return text;
}
}  // namespace

bool is_deterministic(Check& check, const Function& f) {
  const Tensors first = check.evaluate_unrecorded(f), second = check.evaluate_unrecorded(f);
  for (size_t i = 0; i < first.size(); ++i) {
    // the bits of a NaN may differ; the derivatives will show it
    if (i < second.size() && (same_bits(first[i], second[i]) || has_nan(first[i]))) continue;
    check.wrong(
        "two calls with the same inputs give two results (output {}): the function is not "
        "deterministic, so differences tell nothing. Does it keep something between calls, or draw "
        "numbers of its own? (dropout draws the same in every call)",
        i);
    return false;
  }
  return true;
}

void compare_with_reference(Check& check, const Function& f) {
  std::vector<std::string> ops, left;
  Tensors ys, expected;
  {
    const RecordingScope recording(true);
    const Watch watch;
    ys = check.evaluate(f);
    ops = watch.recorded_ops();
  }
  try {
    const RecordingScope recording(true);
    const Watch watch;
    const Expand expand;
    expected = check.evaluate(f);
    left = watch.recorded_ops();
  } catch (const Error& error) {
    check.wrong("the reference of a fused op throws: {}", error.what());
    return;
  }
  std::sort(ops.begin(), ops.end());
  ops.erase(std::unique(ops.begin(), ops.end()), ops.end());
  std::string fused;  // the ops that Expand takes apart
  for (const std::string& op : ops)
    if (std::find(left.begin(), left.end(), op) == left.end())
      fused += (fused.empty() ? "" : ", ") + op;
  if (shapes_of(ys) != shapes_of(expected)) {
    check.wrong("the forward of {} gives {}, its reference {}", fused, shapes_of(ys),
                shapes_of(expected));
    return;
  }
  size_t k = 0;
  if (!(largest_gap(ys, expected, &k) > 1e-9)) return;
  const auto y = ys[k].to_vector<double>(), r = expected[k].to_vector<double>();
  size_t worst = 0;
  int64_t count = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    count += std::abs(y[i] - r[i]) > 1e-9 * std::max(1.0, std::abs(r[i]));
    if (std::abs(y[i] - r[i]) > std::abs(y[worst] - r[worst])) worst = i;
  }
  check.wrong(
      "the forward of {} is not its reference: output {} {} differs in {} of {} entries\n"
      "      the worst at {}: {:.8g} by the forward, {:.8g} by the reference",
      fused, k, ys[k].shape(), count, y.size(), index_text(ys[k].shape(), worst), y[worst],
      r[worst]);
}

// The gradient of a tensor given twice is the sum of those that two tensors of equal values get.
void compare_given_twice(Check& check, const Function& f) {
  const auto gradients = [&](const Tensors& xs, const Tensors& wanted) {
    const RecordingScope recording(true);
    const RandomScope random(check.options.seed, 0);
    const Tensors ys = f(xs);
    Tensors found =
        grad(ys, cotangents(ys, check.options.seed, 900), wanted, {.since = check.since});
    for (size_t i = 0; i < found.size(); ++i)
      if (!found[i].defined()) found[i] = zeros(wanted[i].shape(), DType::f64);
    return found;
  };
  const Tensors xs = check.xs;
  for (size_t i = 0; i < xs.size(); ++i)
    for (size_t j = i + 1; j < xs.size(); ++j) {
      if (!is_f64(xs[i]) || !is_f64(xs[j]) || xs[i].shape() != xs[j].shape()) continue;
      Tensors same = xs, two = xs;
      same[j] = same[i];
      two[j] = f64_leaf(two[i]);
      try {
        const Tensors once = gradients(same, {same[i]}), apart = gradients(two, {two[i], two[j]});
        const NoGrad scope;
        size_t which = 0;
        const double gap = largest_gap(once, {add(apart[0], apart[1])}, &which);
        if (gap > 1e-9)
          check.wrong(
              "with one tensor given as input {} and as input {}, its gradient {} is not the sum"
              " of the two (relative difference {:.1e}): an op that tells its inputs apart by"
              " identity, or adds up wrongly",
              i, j, xs[i].shape(), gap);
      } catch (const Error&) {  // not a legal call: nothing follows
      }
    }
}

}  // namespace gradus
