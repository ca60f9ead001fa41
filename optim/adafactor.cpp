#include "gradus/optim/adafactor.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradus/autograd/engine.h"
#include "gradus/ops/ops.h"

namespace gradus {
namespace {

using Range = ParameterArena::Range;

bool is_matrix(const Range& range) { return range.shape.rank() >= 2; }
int64_t columns_of(const Range& range) {
  return range.numel() / std::max<int64_t>(range.shape[0], 1);
}
double rms(const Tensor& x) { return norm(x) / std::sqrt(static_cast<double>(x.numel())); }

}  // namespace

Adafactor::Adafactor(const ParameterList& list, AdafactorOptions options)
    : Optimizer("adafactor", list, options.learning_rate, options.weight_decay),
      options_(options),
      r_(state_buffer(
          "r",
          [](const Range& range) {
            return is_matrix(range) ? std::optional(Shape{range.shape[0], 1}) : std::nullopt;
          })),
      c_(state_buffer(
          "c",
          [](const Range& range) {
            return is_matrix(range) ? std::optional(Shape{1, columns_of(range)}) : std::nullopt;
          })),
      v_(state_buffer("v", [](const Range& range) {
        return is_matrix(range) ? std::nullopt : std::optional(range.shape);
      })) {}

void Adafactor::update(double gradient_scale) {
  for (const Range& range : arena_.ranges())
    if (range.updated()) update_parameter(range, gradient_scale);
}

void Adafactor::update_parameter(const Range& range, double gradient_scale) {
  const auto t = static_cast<double>(steps());
  const double fresh = std::pow(t, options_.decay_exponent);  // 1 - beta
  constexpr double tiny = std::numeric_limits<float>::epsilon();
  // the same memory
  const auto seen = [&](const Tensor& x) {
    if (!is_matrix(range)) return x;
    const Shape shape{range.shape[0], columns_of(range)};
    return x.view(shape, contiguous_strides(shape), x.offset());
  };
  const auto mean_over = [](const Tensor& x, int axis) {
    return mean(x, axis, {.keep_axes = true});
  };
  const auto follow = [&](StateBuffer& buffer, const Tensor& now) {
    Tensor state = buffer.tensor(range);
    copy_into(state * (1 - fresh) + now * fresh, state, false);
    return state;
  };
  const auto at_least = [](const Tensor& x, double least) {
    return maximum(x, full({1}, least, x.dtype()));
  };
  Tensor p = seen(arena_.value(range));
  const Tensor g = seen(arena_.gradient(range)) * gradient_scale, squares = square(g);
  Tensor v;
  if (is_matrix(range)) {
    const Tensor r = follow(r_, mean_over(squares, 1)), c = follow(c_, mean_over(squares, 0));
    v = r * c / at_least(mean(r), tiny);
  } else {
    v = follow(v_, squares);
  }
  const Tensor u = g * rsqrt(at_least(v, tiny * tiny));
  const double rate = rate_of(range),
               step = std::max(options_.epsilon, rms(p)) * std::min(rate, 1 / std::sqrt(t)),
               clipped = step / std::max(1.0, rms(u) / options_.clip);
  copy_into(p * (1 - rate * decay_of(range)) - u * clipped, p, false);
}

}  // namespace gradus
