#include "optim/optimizer.h"

#include <cmath>

#include "autograd/modes.h"
#include "ops/kernels/kernels.h"
#include "ops/ops.h"

namespace gradus {

double Optimizer::step(double max_norm) {
  const NoGrad scope;
  const double total = arena_.gradient_norm();
  if (!std::isfinite(total)) {
    std::string names;
    for (const auto& range : arena_.ranges())
      if (range.leaf.grad().defined() && !std::isfinite(norm(range.leaf.grad())) && names.size() < 200) names += (names.empty() ? "" : ", ") + range.name;
    fail_run("the gradient is not finite at step {}; the parameters concerned begin with: {}. Nothing was updated. Is the learning rate ({}) too high?", steps_ + 1,
             names, learning_rate_);
  }
  ++steps_;
  update(max_norm > 0 && total > max_norm ? max_norm / total : 1);
  arena_.mark_written();
  arena_.clear_gradients();
  return total;
}

AdamW::AdamW(const std::vector<Parameter>& list, AdamWOptions options)
    : Optimizer(list, options.learning_rate, options.no_decay), options_(std::move(options)), m_(zeros({arena_.size()})), v_(zeros({arena_.size()})) {}

void AdamW::update(double gradient_scale) {
  const auto correction = [&](double beta) { return options_.bias_correction ? 1 - std::pow(beta, static_cast<double>(steps_)) : 1; };
  AdamWStep step{learning_rate_, options_.beta1, options_.beta2, options_.epsilon, 0, correction(options_.beta1), correction(options_.beta2), gradient_scale};
  float *p = arena_.values(), *m = m_.write<float>(), *v = v_.write<float>();
  const float* g = arena_.gradients();
  arena_.for_each_block([&](int64_t begin, int64_t end, bool decays) {
    AdamWStep here = step;
    here.weight_decay = decays ? options_.weight_decay : 0;
    kernels<float>().adamw(p + begin, g + begin, m + begin, v + begin, end - begin, here);
  });
}

Sgd::Sgd(const std::vector<Parameter>& list, SgdOptions options)
    : Optimizer(list, options.learning_rate, options.no_decay), options_(std::move(options)), u_(zeros({arena_.size()})) {}

void Sgd::update(double gradient_scale) {
  float *p = arena_.values(), *u = u_.write<float>();
  const float* g = arena_.gradients();
  const auto rate = static_cast<float>(learning_rate_), momentum = static_cast<float>(options_.momentum), scale = static_cast<float>(gradient_scale);
  arena_.for_each_block([&](int64_t begin, int64_t end, bool decays) {
    const float decay = decays ? static_cast<float>(options_.weight_decay) : 0;
    for (int64_t i = begin; i < end; ++i) {
      u[i] = momentum * u[i] + scale * g[i] + decay * p[i];
      p[i] -= rate * u[i];
    }
  });
}

}  // namespace gradus
