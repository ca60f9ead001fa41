// Kernels over rows: softmax, cross-entropy, normalisation, rotary embedding and AdamW, each
// against plain formulas in double, at every level and row length.
#include "tests/kernels/levels.h"

using namespace gradus;
using namespace gradus::testing;

TEST_CASE("softmax and log_softmax, forward and backward") {
  for (const int64_t n : kLengths) {
    CAPTURE(n);
    const int64_t rows = 4;
    auto x = uniform(rows * n, -8, 8);
    if (n > 2)
      x[1] = -1e30f, x[static_cast<size_t>(n)] = 1e4f,
      x[static_cast<size_t>(2 * n)] = -std::numeric_limits<float>::infinity();
    const auto dy = uniform(rows * n, -1, 1, 2);
    const auto dy64 = to_double(dy);
    std::vector<double> y64(x.size()), log64(x.size()), dx64(x.size()), dlog64(x.size());
    for (int64_t r = 0; r < rows; ++r) {
      double total = 0, top = -1e300, dot = 0, dsum = 0;
      const auto at = [&](int64_t j) { return static_cast<size_t>(r * n + j); };
      for (int64_t j = 0; j < n; ++j) top = std::max<double>(top, x[at(j)]);
      for (int64_t j = 0; j < n; ++j) total += std::exp(x[at(j)] - top);
      for (int64_t j = 0; j < n; ++j)
        log64[at(j)] = x[at(j)] - top - std::log(total), y64[at(j)] = std::exp(log64[at(j)]);
      for (int64_t j = 0; j < n; ++j) dot += y64[at(j)] * dy64[at(j)], dsum += dy64[at(j)];
      for (int64_t j = 0; j < n; ++j)
        dx64[at(j)] = y64[at(j)] * (dy64[at(j)] - dot),
        dlog64[at(j)] = dy64[at(j)] - y64[at(j)] * dsum;
    }
    for_each_level([&](const Kernels<float>& k) {
      std::vector<float> y(x.size()), log_y(x.size()), dx(x.size()), dlog(x.size());
      k.softmax(x.data(), y.data(), rows, n);
      k.log_softmax(x.data(), log_y.data(), rows, n);
      k.softmax_backward(y.data(), dy.data(), dx.data(), rows, n);
      k.log_softmax_backward(log_y.data(), dy.data(), dlog.data(), rows, n);
      CHECK(error(y, y64, 1e-3) < 3e-6);
      for (size_t i = 0; i < x.size(); ++i)
        CHECK((log_y[i] == static_cast<float>(log64[i]) ||
               std::abs(log_y[i] - log64[i]) < 2e-6 * std::max(1.0, std::abs(log64[i]))));
      CHECK(error(dx, dx64, 1e-2) < 1e-5);
      CHECK(error(dlog, dlog64, 1) < 2e-5);
      auto in_place = x;
      k.softmax(in_place.data(), in_place.data(), rows, n);
      CHECK(same_bits(in_place, y));
      std::vector<float> cut(x.size());
      for (int64_t r = 0; r < rows; ++r) k.softmax(x.data() + r * n, cut.data() + r * n, 1, n);
      CHECK(same_bits(cut, y));
    });
  }
}

TEST_CASE("softmax: a NaN or a row of -inf gives NaN in its own row only") {
  for_each_level([](const Kernels<float>& k) {
    auto x = uniform(3 * 20, -1, 1);
    x[25] = std::numeric_limits<float>::quiet_NaN();
    std::fill(x.begin() + 40, x.end(), -std::numeric_limits<float>::infinity());
    std::vector<float> y(x.size());
    k.softmax(x.data(), y.data(), 3, 20);
    for (size_t i = 0; i < x.size(); ++i) CHECK(std::isnan(y[i]) == (i >= 20));
  });
}

TEST_CASE("cross_entropy: losses, gradients and hits") {
  for (const int64_t n :
       {int64_t{1}, int64_t{2}, int64_t{17}, int64_t{128}, int64_t{1000}, int64_t{30522}})
    for (const bool with_bias : {false, true}) {
      CAPTURE(n);
      const int64_t rows = 3;
      const auto logits = uniform(rows * n, -5, 5), bias = uniform(n, -1, 1, 2);
      std::vector<int32_t> labels = {0, static_cast<int32_t>(n - 1), static_cast<int32_t>(n / 2)};
      // The last label is the row's highest.
      auto z = logits;
      z[static_cast<size_t>(2 * n + n / 2)] = 20;
      std::vector<double> gradient64(z.size()), losses64(3);
      for (int64_t r = 0; r < rows; ++r) {
        const auto logit = [&](int64_t j) {
          return static_cast<double>(z[static_cast<size_t>(r * n + j)]) +
                 (with_bias ? bias[static_cast<size_t>(j)] : 0.0f);
        };
        double total = 0;
        for (int64_t j = 0; j < n; ++j) total += std::exp(logit(j));
        for (int64_t j = 0; j < n; ++j)
          gradient64[static_cast<size_t>(r * n + j)] =
              0.5 * (std::exp(logit(j)) / total - (j == labels[static_cast<size_t>(r)]));
        losses64[static_cast<size_t>(r)] = std::log(total) - logit(labels[static_cast<size_t>(r)]);
      }
      for_each_level([&](const Kernels<float>& k) {
        auto out = z;
        std::vector<float> losses(3);
        uint8_t correct[3];
        k.cross_entropy(out.data(), with_bias ? bias.data() : nullptr, labels.data(), losses.data(),
                        correct, rows, n, 0.5f, false);
        CHECK(same_bits(out, z));
        CHECK(error(losses, losses64, 1) < 2e-6);
        CHECK(correct[2] == 1);
        if (n > 2) CHECK(correct[0] + correct[1] < 2);
        std::vector<float> again(3);
        k.cross_entropy(out.data(), with_bias ? bias.data() : nullptr, labels.data(), again.data(),
                        nullptr, rows, n, 0.5f, true);
        CHECK(same_bits(losses, again));
        CHECK(error(out, gradient64, 1e-2) < 3e-5);
      });
    }
}

TEST_CASE("layer_norm, forward and backward") {
  for (const int64_t n : kLengths) {
    CAPTURE(n);
    const int64_t rows = 6;
    const double eps = 1e-5;
    auto x = uniform(rows * n, -2, 2);
    // a mean far from zero: two passes keep the variance
    for (int64_t j = 0; j < n; ++j) x[static_cast<size_t>(n + j)] += 100;
    const auto weight = uniform(n, 0.5, 1.5, 2), bias = uniform(n, -1, 1, 3),
               dy = uniform(rows * n, -1, 1, 4);
    std::vector<double> y64(x.size()), dx64(x.size()), dweight64(weight.size()),
        dbias64(weight.size());
    for (int64_t r = 0; r < rows; ++r) {
      const auto at = [&](int64_t j) { return static_cast<size_t>(r * n + j); };
      const double count = static_cast<double>(n);
      double mean = 0, variance = 0, g_mean = 0, gx_mean = 0;
      for (int64_t j = 0; j < n; ++j) mean += x[at(j)] / count;
      for (int64_t j = 0; j < n; ++j) variance += (x[at(j)] - mean) * (x[at(j)] - mean) / count;
      const double rstd = 1 / std::sqrt(variance + eps);
      for (int64_t j = 0; j < n; ++j) {
        const auto c = static_cast<size_t>(j);
        const double xh = (x[at(j)] - mean) * rstd, g = static_cast<double>(dy[at(j)]) * weight[c];
        y64[at(j)] = xh * weight[c] + bias[c];
        g_mean += g / count, gx_mean += g * xh / count;
        dweight64[c] += dy[at(j)] * xh, dbias64[c] += dy[at(j)];
      }
      for (int64_t j = 0; j < n; ++j) {
        const double xh = (x[at(j)] - mean) * rstd,
                     g = static_cast<double>(dy[at(j)]) * weight[static_cast<size_t>(j)];
        dx64[at(j)] = rstd * (g - g_mean - xh * gx_mean);
      }
    }
    for_each_level([&](const Kernels<float>& k) {
      std::vector<float> y(x.size()), dx(x.size()), dweight(weight.size()), dbias(weight.size()),
          mean(6), rstd(6);
      k.layer_norm(x.data(), weight.data(), bias.data(), y.data(), mean.data(), rstd.data(), rows,
                   n, eps);
      k.layer_norm_backward(x.data(), weight.data(), mean.data(), rstd.data(), dy.data(), dx.data(),
                            dweight.data(), dbias.data(), rows, n);
      const double tolerance =
          // row 1 subtracts 100 from 100 +- 2: float keeps 5 digits of it, and few elements do not
          // average that out
          n < 15 ? 2e-2 : 1e-4;
      CHECK(error(y, y64, 1) < tolerance);
      CHECK(error(dx, dx64, n < 15 ? 100 : 1) < tolerance);
      CHECK(error(dweight, dweight64, 1) < tolerance);
      CHECK(error(dbias, dbias64, 1) < 1e-6);
      std::vector<float> cut(x.size());
      for (int64_t r = 0; r < rows; ++r)
        k.layer_norm(x.data() + r * n, weight.data(), bias.data(), cut.data() + r * n,
                     mean.data() + r, rstd.data() + r, 1, n, eps);
      CHECK(same_bits(cut, y));
    });
  }
}

TEST_CASE("rms_norm, forward and backward") {
  for (const int64_t n : kLengths) {
    CAPTURE(n);
    const int64_t rows = 6;
    const double eps = 1e-5, count = static_cast<double>(n);
    const auto x = uniform(rows * n, -2, 2), weight = uniform(n, 0.5, 1.5, 2),
               dy = uniform(rows * n, -1, 1, 3);
    std::vector<double> y64(x.size()), dx64(x.size()), dweight64(weight.size());
    for (int64_t r = 0; r < rows; ++r) {
      const auto at = [&](int64_t j) { return static_cast<size_t>(r * n + j); };
      double squares = 0, gx_mean = 0;
      for (int64_t j = 0; j < n; ++j) squares += static_cast<double>(x[at(j)]) * x[at(j)];
      const double rstd = 1 / std::sqrt(squares / count + eps);
      for (int64_t j = 0; j < n; ++j) {
        const auto c = static_cast<size_t>(j);
        const double xh = x[at(j)] * rstd;
        y64[at(j)] = xh * weight[c];
        gx_mean += dy[at(j)] * weight[c] * xh / count;
        dweight64[c] += dy[at(j)] * xh;
      }
      for (int64_t j = 0; j < n; ++j)
        dx64[at(j)] = rstd * (static_cast<double>(dy[at(j)]) * weight[static_cast<size_t>(j)] -
                              x[at(j)] * rstd * gx_mean);
    }
    for_each_level([&](const Kernels<float>& k) {
      std::vector<float> y(x.size()), dx(x.size()), dweight(weight.size()), rstd(6);
      k.rms_norm(x.data(), weight.data(), y.data(), rstd.data(), rows, n, eps);
      k.rms_norm_backward(x.data(), weight.data(), rstd.data(), dy.data(), dx.data(),
                          dweight.data(), rows, n);
      CHECK(error(y, y64, 1) < 2e-6);
      CHECK(error(dx, dx64, 10) < 2e-6);
      CHECK(error(dweight, dweight64, 1) < 2e-6);
    });
  }
}

TEST_CASE("logsumexp, forward and backward, also of infinite logits") {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  for (const int64_t n : kLengths) {
    CAPTURE(n);
    const int64_t rows = 4;
    auto x = uniform(rows * n, -8, 8);
    std::fill_n(x.begin() + n, n, -kInf);
    x[static_cast<size_t>(2 * n)] = kInf;
    const std::vector<float> dy = {0.5f, -1, 0, 2};
    for_each_level([&](const Kernels<float>& k) {
      std::vector<float> y(4), dx(x.size());
      k.logsumexp(x.data(), y.data(), rows, n);
      k.logsumexp_backward(x.data(), y.data(), dy.data(), dx.data(), rows, n);
      CHECK(y[1] == -kInf);
      CHECK(y[2] == kInf);
      for (const int64_t r : {0, 3}) {
        double total = 0;
        for (int64_t j = 0; j < n; ++j) total += std::exp(x[static_cast<size_t>(r * n + j)]);
        CHECK(y[static_cast<size_t>(r)] == doctest::Approx(std::log(total)).epsilon(1e-6));
        for (int64_t j = 0; j < n; ++j) {
          const auto i = static_cast<size_t>(r * n + j);
          const double exact = dy[static_cast<size_t>(r)] * std::exp(x[i]) / total;
          CHECK(std::abs(dx[i] - exact) < 4e-6 * std::abs(exact) + 1e-12);
        }
      }
      for (int64_t j = 0; j < n; ++j) CHECK(dx[static_cast<size_t>(n + j)] == 0);
    });
  }
}

TEST_CASE("cross_entropy: a row with a negative label has no loss, no hit and no gradient") {
  const int64_t n = 37;
  const auto logits = uniform(3 * n, -5, 5);
  const std::vector<int32_t> labels = {4, -1, 7};
  for_each_level([&](const Kernels<float>& k) {
    for (const bool gradient : {false, true}) {
      auto all = logits, first = logits;
      std::vector<float> losses(3, 9), loss(1);
      std::vector<uint8_t> correct(3, 9);
      k.cross_entropy(all.data(), nullptr, labels.data(), losses.data(), correct.data(), 3, n, 1,
                      gradient);
      k.cross_entropy(first.data(), nullptr, labels.data(), loss.data(), nullptr, 1, n, 1,
                      gradient);
      CHECK(losses[1] == 0);
      CHECK(correct[1] == 0);
      CHECK(losses[0] == loss[0]);
      for (int64_t j = 0; j < n; ++j) {
        const auto c = static_cast<size_t>(j), ignored = static_cast<size_t>(n + j);
        CHECK(all[c] == first[c]);
        CHECK(all[ignored] == (gradient ? 0 : logits[ignored]));
      }
    }
  });
}

TEST_CASE("rotary turns the pairs of each head by its row's angles, and back") {
  const int64_t rows = 5, count = 3;
  const uint32_t position[] = {0, 1, 2, 0, 1};
  for (const int64_t size : {2, 6, 16, 34, 64})
    for (const bool interleaved : {false, true}) {
      CAPTURE(size);
      CAPTURE(interleaved);
      const int64_t half = size / 2, columns = count * size, ld = columns + 5;
      const auto x = uniform(rows * ld, -2, 2), angle = uniform(3 * half, -3, 3, 2);
      std::vector<float> cosine(angle.size()), sine(angle.size());
      for (size_t i = 0; i < angle.size(); ++i)
        cosine[i] = std::cos(angle[i]), sine[i] = std::sin(angle[i]);
      std::vector<double> y64(static_cast<size_t>(rows * columns));
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t h = 0; h < count; ++h)
          for (int64_t i = 0; i < half; ++i) {
            const int64_t a = h * size + (interleaved ? 2 * i : i),
                          b = h * size + (interleaved ? 2 * i + 1 : i + half);
            const auto t = static_cast<size_t>(position[r] * half + i);
            const double u = x[static_cast<size_t>(r * ld + a)],
                         v = x[static_cast<size_t>(r * ld + b)], c = cosine[t], s = sine[t];
            y64[static_cast<size_t>(r * columns + a)] = u * c - v * s;
            y64[static_cast<size_t>(r * columns + b)] = v * c + u * s;
          }
      for_each_level([&](const Kernels<float>& k) {
        std::vector<float> y(y64.size()), back(y64.size());
        k.rotary(x.data(), ld, y.data(), rows, {count, size, interleaved, false}, cosine.data(),
                 sine.data(), position);
        CHECK(error(y, y64, 1) < 5e-7);
        k.rotary(y.data(), columns, back.data(), rows, {count, size, interleaved, true},
                 cosine.data(), sine.data(), position);
        for (int64_t r = 0; r < rows; ++r)
          for (int64_t j = 0; j < columns; ++j)
            CHECK(std::abs(back[static_cast<size_t>(r * columns + j)] -
                           x[static_cast<size_t>(r * ld + j)]) < 2e-6);
      });
    }
}

TEST_CASE(
    "adamw follows the paper's formula, decays a little at a time, and does not depend on cuts") {
  const AdamWStep step{3e-4, 0.9, 0.999, 1e-6, 0.01, 1 - std::pow(0.9, 3), 1 - std::pow(0.999, 3),
                       0.7};
  const int64_t n = 1003;
  const auto p0 = uniform(n, -1, 1), g = uniform(n, -1, 1, 2), m0 = uniform(n, -0.1, 0.1, 3),
             v0 = uniform(n, 0, 0.01, 4);
  for_each_level([&](const Kernels<float>& k) {
    auto p = p0, m = m0, v = v0;
    k.adamw(p.data(), g.data(), m.data(), v.data(), n, step);
    for (size_t i = 0; i < p.size(); ++i) {
      const double d = step.gradient_scale * g[i], m1 = 0.9 * m0[i] + 0.1 * d,
                   v1 = 0.999 * v0[i] + 0.001 * d * d;
      const double change =
          step.learning_rate *
          (m1 / step.correction1 / (std::sqrt(v1 / step.correction2) + step.epsilon) +
           step.weight_decay * p0[i]);
      CHECK(std::abs(m[i] - m1) < 2e-8);
      CHECK(ulps(v[i], v1) < 3);
      CHECK(std::abs(p[i] - (p0[i] - change)) < 4e-8 + 1e-6 * std::abs(change));
    }
    auto q = p0, mq = m0, vq = v0;
    for (int64_t i = 0; i < n; i += 13)
      k.adamw(q.data() + i, g.data() + i, mq.data() + i, vq.data() + i,
              std::min<int64_t>(13, n - i), step);
    CHECK((same_bits(p, q) && same_bits(m, mq) && same_bits(v, vq)));

    // A decay of 1e-7 a step on a gradient of zero: the loss of a thousand steps is a thousand
    // times that of one.
    std::vector<float> w(16, 1e-3f), zero(16), m_zero(16), v_zero(16);
    for (int t = 0; t < 1000; ++t)
      k.adamw(w.data(), zero.data(), m_zero.data(), v_zero.data(), 16,
              {1e-4, 0.9, 0.999, 1e-6, 1e-2, 1, 1, 1});
    CHECK(w[3] == doctest::Approx(1e-3 * (1 - 1e-3)).epsilon(1e-5));
  });
}
