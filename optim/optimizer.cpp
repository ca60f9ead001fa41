#include "gradus/optim/optimizer.h"

#include <cmath>

#include "gradus/autograd/modes.h"
#include "gradus/base/parallel.h"
#include "gradus/kernels/kernels.h"
#include "gradus/ops/ops.h"

namespace gradus {

double Optimizer::step(double max_norm) {
  const NoGrad scope;
  const double total = arena_.gradient_norm();
  if (!std::isfinite(total)) {
    std::string names;
    for (const auto& range : arena_.ranges())
      if (range.leaf.grad().defined() && !std::isfinite(norm(range.leaf.grad())) &&
          names.size() < 200)
        names += (names.empty() ? "" : ", ") + range.name;
    fail_run(
        "the gradient is not finite at step {}; the parameters concerned begin with: {}. Nothing "
        "was updated. Is the learning rate ({}) "
        "too high?",
        steps_ + 1, names, learning_rate_);
  }
  ++steps_;
  update(max_norm > 0 && total > max_norm ? max_norm / total : 1);
  arena_.mark_written();
  arena_.clear_gradients();
  return total;
}

void Optimizer::require_finite(double loss) const {
  if (!std::isfinite(loss))
    fail_run(
        "the loss is not finite at step {}: nothing was updated; is the learning rate ({}) too "
        "high?",
        steps_ + 1, learning_rate_);
}

namespace {
// What Adam divides a moment by: it starts at 0, so its mean is too small by 1 - beta^t (Kingma and
// Ba 2015, section 3).
double correction(bool wanted, double beta, int64_t step) {
  return wanted ? 1 - std::pow(beta, static_cast<double>(step)) : 1;
}
}  // namespace

AdamW::AdamW(const std::vector<Parameter>& list, AdamWOptions options)
    : Optimizer(list, options.learning_rate, options.no_decay),
      options_(std::move(options)),
      m_(zeros({arena_.size()})),
      v_(zeros({arena_.size()})) {}

void AdamW::update(double gradient_scale) {
  const AdamWOptions& o = options_;
  const AdamWStep step{learning_rate_,
                       o.beta1,
                       o.beta2,
                       o.epsilon,
                       0,
                       correction(o.bias_correction, o.beta1, steps_),
                       correction(o.bias_correction, o.beta2, steps_),
                       gradient_scale};
  float *p = arena_.values(), *m = m_.write<float>(), *v = v_.write<float>();
  const float* g = arena_.gradients();
  arena_.for_each_block([&](int64_t begin, int64_t end, const ParameterArena::Range& range) {
    AdamWStep here = step;
    here.weight_decay = range.decays ? options_.weight_decay : 0;
    here.learning_rate *= range.rate;
    kernels<float>().adamw(p + begin, g + begin, m + begin, v + begin, end - begin, here);
  });
}

Lamb::Lamb(const std::vector<Parameter>& list, LambOptions options)
    : Optimizer(list, options.learning_rate, options.no_decay),
      options_(std::move(options)),
      m_(zeros({arena_.size()})),
      v_(zeros({arena_.size()})),
      u_(zeros({arena_.size()})) {}

void Lamb::update(double gradient_scale) {
  const LambOptions& o = options_;
  const auto scale = static_cast<float>(gradient_scale), beta1 = static_cast<float>(o.beta1),
             beta2 = static_cast<float>(o.beta2), epsilon = static_cast<float>(o.epsilon);
  const auto correct1 = static_cast<float>(1 / correction(o.bias_correction, o.beta1, steps_)),
             correct2 = static_cast<float>(1 / correction(o.bias_correction, o.beta2, steps_));
  float *p = arena_.values(), *m = m_.write<float>(), *v = v_.write<float>(),
        *u = u_.write<float>();
  const float* g = arena_.gradients();
  arena_.for_each_block([&](int64_t begin, int64_t end, const ParameterArena::Range& range) {
    const float decay = range.decays ? static_cast<float>(o.weight_decay) : 0;
    for (int64_t i = begin; i < end; ++i) {
      m[i] = beta1 * m[i] + (1 - beta1) * scale * g[i];
      v[i] = beta2 * v[i] + (1 - beta2) * scale * g[i] * scale * g[i];
      u[i] = m[i] * correct1 / (std::sqrt(v[i] * correct2) + epsilon) + decay * p[i];
    }
  });
  for (const auto& range : arena_.ranges()) {
    if (!range.leaf.grad().defined()) continue;
    const double of_parameter = ParameterArena::norm_of(p, range),
                 of_update = ParameterArena::norm_of(u, range);
    const double trust =
        range.decays && of_parameter > 0 && of_update > 0 ? of_parameter / of_update : 1;
    const auto rate = static_cast<float>(learning_rate_ * range.rate * trust);
    parallel_for(range.end - range.begin, 1 << 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = range.begin + begin; i < range.begin + end; ++i) p[i] -= rate * u[i];
    });
  }
}

Sgd::Sgd(const std::vector<Parameter>& list, SgdOptions options)
    : Optimizer(list, options.learning_rate, options.no_decay),
      options_(std::move(options)),
      u_(zeros({arena_.size()})) {}

void Sgd::update(double gradient_scale) {
  float *p = arena_.values(), *u = u_.write<float>();
  const float* g = arena_.gradients();
  const auto momentum = static_cast<float>(options_.momentum),
             scale = static_cast<float>(gradient_scale);
  arena_.for_each_block([&](int64_t begin, int64_t end, const ParameterArena::Range& range) {
    const float decay = range.decays ? static_cast<float>(options_.weight_decay) : 0,
                rate = static_cast<float>(learning_rate_ * range.rate);
    for (int64_t i = begin; i < end; ++i) {
      u[i] = momentum * u[i] + scale * g[i] + decay * p[i];
      p[i] -= rate * u[i];
    }
  });
}

void check_optimizer_name(const std::string& name) {
  for (const char* known : {"adamw", "google", "lamb", "sgd"})
    if (name == known) return;
  fail(
      "no optimizer is called '{}'; there are adamw, google (Adam without bias correction), lamb "
      "and sgd",
      name);
}

std::unique_ptr<Optimizer> make_optimizer(const std::string& name,
                                          const std::vector<Parameter>& list, double learning_rate,
                                          double weight_decay) {
  check_optimizer_name(name);
  if (name == "lamb")
    return std::make_unique<Lamb>(
        list, LambOptions{.learning_rate = learning_rate, .weight_decay = weight_decay});
  if (name == "sgd")
    return std::make_unique<Sgd>(
        list,
        SgdOptions{.learning_rate = learning_rate, .momentum = 0.9, .weight_decay = weight_decay});
  AdamWOptions adam = name == "google" ? AdamWOptions::google() : AdamWOptions{};
  adam.learning_rate = learning_rate;
  adam.weight_decay = weight_decay;
  return std::make_unique<AdamW>(list, adam);
}

}  // namespace gradus
