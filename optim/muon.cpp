#include "gradus/optim/muon.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "gradus/autograd/engine.h"
#include "gradus/autograd/modes.h"
#include "gradus/base/parallel.h"
#include "gradus/kernels/gemm.h"
#include "gradus/kernels/kernels.h"
#include "gradus/ops/ops.h"

namespace gradus {

Tensor orthogonalize(const Tensor& x, int iterations) {
  constexpr double a = 3.4445, b = -4.7750, c = 2.0315;
  if (x.rank() != 2) fail("orthogonalize: a matrix is wanted, and given was {}", describe(x));
  const NoGrad scope;
  const bool tall = x.shape()[0] > x.shape()[1];  // A is then the smaller product
  Tensor y = contiguous(tall ? transpose(x) : x) / std::max<double>(norm(x), 1e-7);
  const int64_t m = y.shape()[0], n = y.shape()[1];
  Tensor square = Tensor::empty({m, m}, y.dtype()), polynomial = Tensor::empty({m, m}, y.dtype()),
         next = Tensor::empty({m, n}, y.dtype());
  dispatch_float("orthogonalize", y.dtype(), [&]<class T>() {
    T *const s = square.write<T>(), *const p = polynomial.write<T>();
    for (int i = 0; i < iterations; ++i) {
      const T* const from = y.data<T>();
      T* const to = next.write<T>();
      gemm<T>(false, true, m, m, n, 1, from, n, from, n, 0, s, m);
      kernels<T>().scale(T(b), s, p, m * m);
      gemm<T>(false, false, m, m, m, T(c), s, m, s, m, 1, p, m);  // b A + c A A
      kernels<T>().scale(T(a), from, to, m * n);
      gemm<T>(false, false, m, n, m, 1, p, m, from, n, 1, to, n);
      std::swap(y, next);
    }
  });
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
  update_matrices(gradient_scale);
}

// The directions of all matrices, each on one thread, and then the steps.
void Muon::update_matrices(double gradient_scale) {
  struct Matrix {
    const ParameterArena::Range* range;
    int64_t place;  // among those stacked in the range; 0, where nothing is
    Tensor momentum, direction;

    int64_t rows() const { return range->shape[0] / range->stacked; }
    int64_t columns() const { return range->numel() / std::max<int64_t>(range->shape[0], 1); }
    Tensor of(const Tensor& x) const {  // the same memory
      return x.view({rows(), columns()}, {columns(), 1}, x.offset() + place * rows() * columns());
    }
  };
  std::vector<Matrix> matrices;
  for (const auto& range : arena_.ranges())
    if (range.updated() && is_matrix(range))
      for (int64_t i = 0; i < range.stacked; ++i) matrices.push_back({&range, i, {}, {}});

  const auto mix = [mu = options_.momentum](const Tensor& before, const Tensor& g) {
    return before * mu + g * (1 - mu);
  };
  const auto find_direction = [&](Matrix& matrix) {
    const NoGrad scope;
    const Tensor g = matrix.of(arena_.gradient(*matrix.range)) * gradient_scale;
    matrix.momentum = mix(matrix.of(u_.tensor(*matrix.range)), g);
    matrix.direction = orthogonalize(options_.nesterov ? mix(matrix.momentum, g) : matrix.momentum,
                                     options_.iterations);
  };
  const auto step = [&](const Matrix& matrix) {
    Tensor u = matrix.of(u_.tensor(*matrix.range)), p = matrix.of(arena_.value(*matrix.range));
    copy_into(matrix.momentum, u, false);
    const auto m = static_cast<double>(matrix.rows()), n = static_cast<double>(matrix.columns());
    const double scale = options_.scale == MuonScale::original ? std::sqrt(std::max(1.0, m / n))
                                                               : 0.2 * std::sqrt(std::max(m, n)),
                 rate = rate_of(*matrix.range);
    copy_into(p * (1 - rate * decay_of(*matrix.range)) - matrix.direction * (rate * scale), p,
              false);
  };
  // A few at a time, since each holds two of its size.
  const size_t at_once = 2 * static_cast<size_t>(thread_count());
  for (size_t first = 0; first < matrices.size(); first += at_once) {
    const std::span some(matrices.data() + first, std::min(at_once, matrices.size() - first));
    parallel_for(static_cast<int64_t>(some.size()), 1,
                 [&](int64_t i, int64_t) { find_direction(some[static_cast<size_t>(i)]); });
    for (Matrix& matrix : some) {
      step(matrix);
      matrix.momentum = matrix.direction = {};
    }
  }
}

}  // namespace gradus
