#include "gradus/optim/muon.h"

#include <algorithm>
#include <cmath>

#include "gradus/autograd/engine.h"
#include "gradus/autograd/modes.h"
#include "gradus/ops/ops.h"

namespace gradus {

Tensor orthogonalize(const Tensor& x, int iterations) {
  constexpr double a = 3.4445, b = -4.7750, c = 2.0315;
  if (x.rank() != 2) fail("orthogonalize: a matrix is wanted, and given was {}", describe(x));
  const bool tall = x.shape()[0] > x.shape()[1];  // A is then the smaller product
  Tensor y = tall ? transpose(x) : x;
  y = y / std::max<double>(norm(y), 1e-7);
  for (int i = 0; i < iterations; ++i) {
    const Tensor square = matmul(y, transpose(y));
    y = y * a + matmul(square * b + matmul(square, square) * c, y);
  }
  return tall ? transpose(y) : y;
}

namespace {

double ratio_of_rates(const MuonOptions& options) {
  const double rate = options.learning_rate, adamw_rate = options.adamw_learning_rate;
  if (rate == adamw_rate) return 1;
  if (!(rate > 0 && adamw_rate >= 0 && std::isfinite(adamw_rate)))
    fail(
        "muon: learning rates of {} and, for AdamW, {}; the first must be above 0 and the second 0 "
        "or more, since a schedule moves both by their ratio",
        rate, adamw_rate);
  return adamw_rate / rate;
}

}  // namespace

Muon::Muon(const ParameterList& list, MuonOptions options)
    : Optimizer("muon", list, options.learning_rate, options.weight_decay),
      options_(std::move(options)),
      adamw_ratio_(ratio_of_rates(options_)),
      u_(state_buffer("u", kept_of(true))),
      moments_{state_buffer("m", kept_of(false)),
               state_buffer("v", kept_of(false)),
               fraction("muon: beta1", options_.beta1),
               fraction("muon: beta2", options_.beta2),
               options_.epsilon,
               true} {
  fraction("muon: momentum", options_.momentum);
  for (const std::string& pattern : options_.adamw) select(list, pattern);
  if (options_.iterations < 1) fail("muon: {} iterations; it needs 1 or more", options_.iterations);
}

Muon::ShapeOf Muon::kept_of(bool matrices) const {
  return [this, matrices](const ParameterArena::Range& range) {
    return is_matrix(range) == matrices ? std::optional(range.shape) : std::nullopt;
  };
}

bool Muon::is_matrix(const ParameterArena::Range& range) const {
  return range.shape.rank() >= 2 && !range.table &&
         std::none_of(options_.adamw.begin(), options_.adamw.end(),
                      [&](const std::string& pattern) { return matches(range.name, pattern); });
}

void Muon::update(double gradient_scale) {
  for_each_piece(gradient_scale, [&](const Elements& e) {
    if (!is_matrix(e.range))
      moments_.step(e, steps(), e.p, e.learning_rate * adamw_ratio_, e.weight_decay);
  });
  for (const auto& range : arena_.ranges())
    if (range.updated() && is_matrix(range))
      for (int64_t i = 0; i < range.stacked; ++i) update_matrix(range, i, gradient_scale);
}

// The matrix number `place` of those stacked in the range; one, where nothing is.
void Muon::update_matrix(const ParameterArena::Range& range, int64_t place, double gradient_scale) {
  const auto mix = [mu = options_.momentum](const Tensor& before, const Tensor& g) {
    return before * mu + g * (1 - mu);
  };
  const int64_t columns = range.numel() / std::max<int64_t>(range.shape[0], 1),
                rows = range.shape[0] / range.stacked;
  const auto as_matrix = [&](const Tensor& x) {  // the same memory
    return x.view({rows, columns}, {columns, 1}, x.offset() + place * rows * columns);
  };
  const Tensor g = as_matrix(arena_.gradient(range)) * gradient_scale;
  Tensor u = as_matrix(u_.tensor(range)), p = as_matrix(arena_.value(range));
  copy_into(mix(u, g), u, false);
  const Tensor d = orthogonalize(options_.nesterov ? mix(u, g) : u, options_.iterations);
  const auto m = static_cast<double>(rows), n = static_cast<double>(columns);
  const double scale = options_.scale == MuonScale::original ? std::sqrt(std::max(1.0, m / n))
                                                             : 0.2 * std::sqrt(std::max(m, n)),
               rate = rate_of(range);
  copy_into(p * (1 - rate * decay_of(range)) - d * (rate * scale), p, false);
}

}  // namespace gradus
