#include "gradus/autograd/gradcheck.h"

#include <cmath>

#include "gradus/autograd/engine.h"
#include "gradus/autograd/random.h"

namespace gradus {
namespace {

Tensors evaluate(const Function& f, Inputs xs, uint64_t seed) {
  const RandomScope random(seed, 0);
  return f(xs);
}

double dot(const Tensors& us, const Tensors& ys) {
  double sum = 0;
  for (size_t i = 0; i < ys.size(); ++i) {
    if (!us[i].defined() || !ys[i].defined()) continue;
    const auto u = us[i].to_vector<double>(), y = ys[i].to_vector<double>();
    for (size_t j = 0; j < y.size(); ++j) sum += u[j] * y[j];
  }
  return sum;
}

Tensor contiguous_leaf(const Tensor& x) {
  return from_vector(x.to_vector<double>(), x.shape()).set_requires_grad();
}

// d s / d x[element] by the 4-point stencil (-f(2h) + 8 f(h) - 8 f(-h) + f(-2h)) / 12h.
double difference(const Function& f, Tensors xs, size_t input, int64_t element, const Tensors& us,
                  const GradcheckOptions& options) {
  const NoGrad scope;
  const auto at = [&](double by) {
    std::vector<double> values = xs[input].to_vector<double>();
    values[static_cast<size_t>(element)] += by * options.step;
    Tensors moved = xs;
    moved[input] = from_vector(values, xs[input].shape());
    return dot(us, evaluate(f, moved, options.seed));
  };
  return (-at(2) + 8 * at(1) - 8 * at(-1) + at(-2)) / (12 * options.step);
}

std::string guess(const std::vector<double>& analytic, const std::vector<double>& numeric) {
  double aa = 0, an = 0, nn = 0;
  for (size_t i = 0; i < analytic.size(); ++i)
    aa += analytic[i] * analytic[i], an += analytic[i] * numeric[i], nn += numeric[i] * numeric[i];
  if (aa == 0) return "the analytic gradient is zero throughout: is the path cut?";
  const double cosine = an / std::sqrt(aa * nn);
  if (cosine > 0.9999)
    return fmt::format(
        "the analytic gradient is {:.4g} times the numeric one: is a factor missing?", an / nn);
  if (cosine < -0.9999) return "the sign is wrong";
  if (std::abs(std::sqrt(aa / nn) - 1) < 1e-6)
    return "both have the same length: is a transpose missing?";
  return "the two differ in direction";
}

// One order: gradients of f by the engine against differences, appended to the result.
void check_order(const Function& f, Inputs xs, int order, const GradcheckOptions& options,
                 GradcheckResult& result) {
  const RecordingScope recording(true);
  Tensors leaves = xs, wanted;
  std::vector<size_t> index;
  for (size_t i = 0; i < xs.size(); ++i)
    if (xs[i].defined() && xs[i].dtype() == DType::f64) {
      leaves[i] = contiguous_leaf(xs[i]);
      wanted.push_back(leaves[i]);
      index.push_back(i);
    }
  const Tensors ys = evaluate(f, leaves, options.seed);
  Tensors us;
  for (size_t i = 0; i < ys.size(); ++i)
    us.push_back(ys[i].defined() && ys[i].dtype() == DType::f64
                     ? random_normal(ys[i].shape(), options.seed,
                                     1000 * static_cast<uint64_t>(order) + i, DType::f64)
                     : Tensor());
  const Tensors gradients = grad(ys, us, wanted);
  for (size_t w = 0; w < wanted.size(); ++w) {
    const auto n = static_cast<size_t>(wanted[w].numel());
    std::vector<double> analytic = gradients[w].defined() ? gradients[w].to_vector<double>()
                                                          : std::vector<double>(n),
                        numeric(n);
    double largest = 1, worst = 0;
    size_t where = 0;
    for (size_t j = 0; j < n; ++j) {
      numeric[j] = difference(f, leaves, index[w], static_cast<int64_t>(j), us, options);
      largest = std::max({largest, std::abs(numeric[j]), std::abs(analytic[j])});
      const double gap = std::abs(analytic[j] - numeric[j]);
      // a NaN counts as worst, and stays
      if (gap > worst || (std::isnan(gap) && !std::isnan(worst))) worst = gap, where = j;
    }
    const bool good = worst <= options.tolerance * largest;
    if (!(worst / largest <= result.worst)) result.worst = worst / largest;
    result.ok = result.ok && good;
    const std::string name =
        xs[index[w]].name().empty() ? fmt::format("input {}", index[w]) : xs[index[w]].name();
    result.log += fmt::format("  order {}  d/d {:<12} {:<14} max error {:.1e}  {}\n", order, name,
                              to_string(wanted[w].shape()), worst / largest, good ? "ok" : "WRONG");
    if (!good)
      result.log += fmt::format("      worst at element {}: {:.8g} analytic, {:.8g} numeric; {}\n",
                                where, analytic[where], numeric[where], guess(analytic, numeric));
  }
}

}  // namespace

GradcheckResult gradcheck(const Function& f, Inputs xs, GradcheckOptions options) {
  GradcheckResult result;
  check_order(f, xs, 1, options, result);
  if (options.order < 2) return result;
  // The function that returns the gradients, of the inputs and of the cotangents.
  const size_t count = xs.size();
  Tensors all = xs;
  std::vector<size_t> outputs;
  {
    const NoGrad scope;
    const Tensors ys = evaluate(f, xs, options.seed);
    for (size_t i = 0; i < ys.size(); ++i)
      if (ys[i].dtype() == DType::f64) {
        all.push_back(random_normal(ys[i].shape(), options.seed, 500 + i, DType::f64)
                          .set_name(fmt::format("dy{}", i)));
        outputs.push_back(i);
      }
  }
  const Function gradient_of_f = [&](Inputs in) {
    const RecordingScope recording(true);
    Tensors leaves, wanted;
    for (size_t i = 0; i < count; ++i) {
      const bool differentiated = in[i].defined() && in[i].dtype() == DType::f64;
      leaves.push_back(!differentiated         ? in[i]
                       : in[i].requires_grad() ? alias(in[i])
                                               : in[i].detach().set_requires_grad());
      if (differentiated) wanted.push_back(leaves.back());
    }
    const Tensors ys = f(leaves);
    Tensors of, with;
    for (size_t k = 0; k < outputs.size(); ++k)
      of.push_back(ys[outputs[k]]), with.push_back(in[count + k]);
    return grad(of, with, wanted, {.create_graph = true});
  };
  check_order(gradient_of_f, all, 2, options, result);
  return result;
}

}  // namespace gradus
