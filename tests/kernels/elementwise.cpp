// Functions of one element: ulps against the C library in double on all levels, special values, and
// cuts.
#include "tests/kernels/levels.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity(),
                 kNaN = std::numeric_limits<double>::quiet_NaN();

struct Function {
  const char* name;
  void (*Kernels<float>::*kernel)(const float*, float*, int64_t);
  void (*Kernels<double>::*exact)(const double*, double*, int64_t);
  double low, high;  // where ulps are measured densely
  double most_ulps;
};

const Function functions[] = {
    {"exp", &Kernels<float>::exp, &Kernels<double>::exp, -87.3, 88.72, 1.6},
    {"log", &Kernels<float>::log, &Kernels<double>::log, 0, 4, 1.5},
    {"tanh", &Kernels<float>::tanh, &Kernels<double>::tanh, -10, 10, 2.5},
    {"sigmoid", &Kernels<float>::sigmoid, &Kernels<double>::sigmoid, -87, 30, 3},
    {"expm1", &Kernels<float>::expm1, &Kernels<double>::expm1, -20, 88.7, 3},
    {"log1p", &Kernels<float>::log1p, &Kernels<double>::log1p, -1, 4, 4},
    {"softplus", &Kernels<float>::softplus, &Kernels<double>::softplus, -87, 30, 4},
    {"erf", &Kernels<float>::erf, &Kernels<double>::erf, -5, 5, 2},
};

const Activation activations[] = {Activation::gelu, Activation::gelu_tanh, Activation::silu};
std::string name_of(Activation form) {
  const char* names[] = {"gelu", "gelu (tanh)", "silu"};
  return names[static_cast<int>(form)];
}

// Dense values of [low, high], magnitudes from denormal to huge, and the special ones.
std::vector<float> inputs_for(const Function& f) {
  std::vector<float> x = uniform(200000, f.low, f.high);
  Random random(2);
  for (int i = 0; i < 20000; ++i) {
    const double magnitude =
        std::ldexp(random.uniform(1, 2), static_cast<int>(random.between(-149, 127)));
    x.push_back(static_cast<float>(random.below(2) ? magnitude : -magnitude));
  }
  for (double special :
       {0.0, -0.0, 1.0, -1.0, 0x1p-149, -0x1p-149, 3.4028234e38, -3.4028234e38, kInf, -kInf, kNaN})
    x.push_back(static_cast<float>(special));
  return x;
}

}  // namespace

TEST_CASE("functions: every level is within the stated ulps of the C library in double") {
  for (const Function& f : functions) {
    const auto x = inputs_for(f);
    const auto x64 = to_double(x);
    std::vector<double> exact(x.size());
    (kernels<double>().*f.exact)(x64.data(), exact.data(), static_cast<int64_t>(x.size()));
    for_each_level([&](const Kernels<float>& k) {
      std::vector<float> y(x.size());
      (k.*f.kernel)(x.data(), y.data(), static_cast<int64_t>(x.size()));
      double worst = 0, at = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        // exp, sigmoid and softplus give 0 where the result would be denormal.
        const bool flushed =
            y[i] == 0 && exact[i] > 0 && exact[i] < 0x1.00001p-126 && std::string(f.name) != "erf";
        const double u = flushed ? 0 : ulps(y[i], exact[i]);
        if (u > worst) worst = u, at = x[i];
      }
      INFO(std::string(f.name), ": ", worst, " ulps at ", at);
      CHECK(worst <= f.most_ulps);
      MESSAGE(std::string(k.level), " ", std::string(f.name), ": at most ", worst, " ulps");
    });
  }
}

TEST_CASE(
    "functions: a payload NaN stays NaN, and tanh and erf of tiny values are exact in sign and "
    "size") {
  for_each_level([](const Kernels<float>& k) {
    uint32_t bits[] = {0x7FC00001u, 0x7FC00002u, 0xFFC12345u, 0x7FFFFFFFu};
    float x[4], y[4];
    std::memcpy(x, bits, sizeof x);
    for (const Function& f : functions) {
      (k.*f.kernel)(x, y, 4);
      for (float v : y) CHECK_MESSAGE(std::isnan(v), f.name);
    }
    const float tiny[] = {1e-30f, -1e-30f, 0x1p-149f, -0.0f};
    k.tanh(tiny, y, 4);
    for (int i = 0; i < 4; ++i)
      CHECK((y[i] == tiny[i] && std::signbit(y[i]) == std::signbit(tiny[i])));
  });
}

// The error is 2e-7 |x| at most; relative to the true value it is below 2e-5 down to where GELU is
// 1e-36 (x = -12.6; -9.9 in the tanh form), then it falls to 0.
TEST_CASE("activations: values and derivatives, accurate in the negative tail") {
  auto x = uniform(200000, -13, 8);
  for (float special : {0.0f, -0.0f, 50.0f, -50.0f, 1e20f, -1e20f}) x.push_back(special);
  const auto x64 = to_double(x);
  const auto n = static_cast<int64_t>(x.size());
  const std::vector<float> ones(x.size(), 1.0f);
  const std::vector<double> ones64(x.size(), 1.0);
  for (const Activation form : activations) {
    CAPTURE(name_of(form));
    std::vector<double> value(x.size()), derivative(x.size());
    kernels<double>().activation(x64.data(), value.data(), n, form);
    kernels<double>().activation_backward(x64.data(), ones64.data(), derivative.data(), n, form);
    for_each_level([&](const Kernels<float>& k) {
      std::vector<float> y(x.size()), dx(x.size());
      k.activation(x.data(), y.data(), n, form);
      k.activation_backward(x.data(), ones.data(), dx.data(), n, form);
      double relative = 0, absolute = 0, slope = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        if (std::abs(value[i]) > 1e-36)
          relative = std::max(relative, std::abs(y[i] - value[i]) / std::abs(value[i]));
        absolute = std::max(
            absolute, std::abs(y[i] - value[i]) / (std::abs(static_cast<double>(x[i])) + 1e-30));
        slope = std::max(slope, std::abs(dx[i] - derivative[i]));
        CHECK(std::isfinite(y[i]));
        CHECK(std::isfinite(dx[i]));
      }
      MESSAGE(std::string(k.level), " ", name_of(form), ": relative ", relative, ", of x ",
              absolute, ", derivative ", slope);
      CHECK(relative < 2e-5);
      CHECK(absolute < 2e-7);
      CHECK(slope < 4e-7);
    });
  }
}

TEST_CASE("elementwise: results do not depend on how the elements are cut") {
  for_each_level([](const Kernels<float>& k) {
    const auto x = uniform(1000, -6, 6), dy = uniform(1000, -1, 1, 2);
    for (const Function& f : functions) {
      std::vector<float> whole(1000), parts(1000);
      (k.*f.kernel)(x.data(), whole.data(), 1000);
      for (int64_t i = 0, step = 1; i < 1000; i += step, step = step % 37 + 1)
        (k.*f.kernel)(x.data() + i, parts.data() + i, std::min<int64_t>(step, 1000 - i));
      CHECK_MESSAGE(same_bits(whole, parts), f.name);
    }
    for (const Activation form : activations) {
      std::vector<float> whole(1000), parts(1000);
      k.activation_backward(x.data(), dy.data(), whole.data(), 1000, form);
      for (int64_t i = 0; i < 1000; i += 7)
        k.activation_backward(x.data() + i, dy.data() + i, parts.data() + i,
                              std::min<int64_t>(7, 1000 - i), form);
      CHECK(same_bits(whole, parts));
    }
  });
}

TEST_CASE("vector operations, sums of columns and of squares") {
  for_each_level([](const Kernels<float>& k) {
    for (const int64_t n : kLengths) {
      CAPTURE(n);
      const int64_t rows = 11;
      const auto x = uniform(rows * n, -2, 2), y0 = uniform(rows * n, -2, 2, 2);
      const auto size = static_cast<size_t>(rows * n);
      auto y = y0;
      k.add(x.data(), y.data(), rows * n);
      for (size_t i = 0; i < size; ++i) CHECK(y[i] == y0[i] + x[i]);
      y = y0;
      k.axpy(0.5f, x.data(), y.data(), rows * n);  // half of x is exact, fused or not
      for (size_t i = 0; i < size; ++i) CHECK(y[i] == y0[i] + 0.5f * x[i]);
      k.scale(3.0f, x.data(), y.data(), rows * n);
      for (size_t i = 0; i < size; ++i) CHECK(y[i] == 3.0f * x[i]);

      // Rows are added in order, so the plain loop gives the same bits, and so does any cut.
      std::vector<float> sums(static_cast<size_t>(n), 0.25f), expected = sums, cut = sums;
      k.column_sums(x.data(), sums.data(), rows, n);
      for (size_t i = 0; i < size; ++i) expected[i % static_cast<size_t>(n)] += x[i];
      CHECK(same_bits(sums, expected));
      k.column_sums(x.data(), cut.data(), 3, n);
      k.column_sums(x.data() + 3 * n, cut.data(), rows - 3, n);
      CHECK(same_bits(sums, cut));

      const double squares = k.sum_of_squares(x.data(), rows * n);
      int count;
      // bit for bit the same on every level
      CHECK(squares == kernel_levels(&count)[0]->sum_of_squares(x.data(), rows * n));
      double plain = 0;
      for (float v : x) plain += static_cast<double>(v) * v;
      CHECK(squares == doctest::Approx(plain).epsilon(1e-13));
    }
  });
}

TEST_CASE("gated_activation is f(a) b, forward and backward, of halves and of two matrices") {
  const int64_t rows = 5;
  for (const int64_t n : kLengths)
    for (const Activation form : activations)
      for (const int64_t ld : {n, 2 * n}) {
        CAPTURE(n);
        CAPTURE(name_of(form));
        const auto x = uniform(2 * rows * n, -4, 4), dy = uniform(rows * n, -1, 1, 2);
        const int64_t b = ld == n ? rows * n : n;  // where b begins in x
        std::vector<double> y64(dy.size()), dx64(x.size());
        for (int64_t r = 0; r < rows; ++r)
          for (int64_t j = 0; j < n; ++j) {
            const auto at = static_cast<size_t>(r * ld + j), bt = at + static_cast<size_t>(b),
                       to = static_cast<size_t>(r * n + j);
            const double v = x[at], one = 1;
            double value, derivative;
            kernels<double>().activation(&v, &value, 1, form);
            kernels<double>().activation_backward(&v, &one, &derivative, 1, form);
            y64[to] = value * x[bt];
            dx64[at] = derivative * x[bt] * dy[to];
            dx64[bt] = value * dy[to];
          }
        for_each_level([&](const Kernels<float>& k) {
          std::vector<float> y(dy.size()), dx(x.size());
          k.gated_activation(x.data(), x.data() + b, ld, y.data(), rows, n, form);
          k.gated_activation_backward(x.data(), x.data() + b, ld, dy.data(), dx.data(),
                                      dx.data() + b, rows, n, form);
          CHECK(error(y, y64, 1) < 2e-6);
          CHECK(error(dx, dx64, 1) < 2e-6);
        });
      }
}

TEST_CASE("bias_activation is f of the sum, forward and backward, with dbias added to") {
  for (const int64_t n : kLengths)
    for (const Activation form : activations) {
      const int64_t rows = 5;
      const auto x = uniform(rows * n, -4, 4), bias = uniform(n, -1, 1, 2),
                 dy = uniform(rows * n, -1, 1, 3);
      const auto x64 = to_double(x), bias64 = to_double(bias), dy64 = to_double(dy);
      std::vector<double> y64(x.size()), dx64(x.size()), dbias64(bias.size(), 1);
      kernels<double>().bias_activation(x64.data(), bias64.data(), y64.data(), rows, n, form);
      kernels<double>().bias_activation_backward(x64.data(), bias64.data(), dy64.data(),
                                                 dx64.data(), dbias64.data(), rows, n, form);
      for (size_t i = 0; i < x.size(); ++i) {
        const double v = x64[i] + bias64[i % bias.size()];
        double exact;
        kernels<double>().activation(&v, &exact, 1, form);
        CHECK(y64[i] == exact);
      }
      for_each_level([&](const Kernels<float>& k) {
        std::vector<float> y(x.size()), dx(x.size()), dbias(bias.size(), 1);
        k.bias_activation(x.data(), bias.data(), y.data(), rows, n, form);
        k.bias_activation_backward(x.data(), bias.data(), dy.data(), dx.data(), dbias.data(), rows,
                                   n, form);
        CHECK(error(y, y64, 1) < 1e-6);
        CHECK(error(dx, dx64, 1) < 1e-6);
        CHECK(error(dbias, dbias64, 1) < 2e-6);
      });
    }
}
