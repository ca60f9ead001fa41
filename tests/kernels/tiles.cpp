// Products by bf16 numbers (gemm.h, MatmulPrecision): what each precision promises, on the
// processor's matrix unit and on the plain loops that stand for it.
#include <omp.h>

#include <array>
#include <bit>

#include "gradus/kernels/tile_gemm.h"
#include "tests/kernels/gemm_threads.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

// Calls f for each unit; without one in the processor that is a named skip.
template <class F>
void for_each_unit(F&& f) {
  for (const Tiles* unit : {&portable_tiles(), tiles()}) {
    if (!unit) {
      MESSAGE("SKIPPED: the matrix unit for bf16, which this processor lacks");
      continue;
    }
    INFO("unit ", std::string(unit->name));
    const TilesScope scope(unit);
    f();
  }
}

// By way of std::nearbyint, unlike the kernels: 8 bits, ties to even.
double rounded(double x) {
  if (x == 0 || !std::isfinite(x)) return x;
  const double unit = std::ldexp(1.0, std::ilogb(x) - 7);
  return std::nearbyint(x / unit) * unit;
}

struct Shape3 {
  int64_t m, n, k;
};

struct Case {
  Shape3 shape;
  bool ta, tb;
  float alpha, beta;

  int64_t lda() const { return (ta ? shape.m : shape.k) + 3; }
  int64_t ldb() const { return (tb ? shape.k : shape.n) + 1; }
  int64_t ldc() const { return shape.n + 2; }
  std::vector<float> a() const { return uniform((ta ? shape.k : shape.m) * lda() + 1, -1, 1, 1); }
  std::vector<float> b() const { return uniform((tb ? shape.n : shape.k) * ldb() + 1, -1, 1, 2); }
  std::vector<float> before() const { return uniform(shape.m * ldc(), -1, 1, 3); }
};

// The greatest distance from alpha sum f(A) f(B) + beta C, by the sum of the terms' sizes.
template <class F>
double distance(const Case& x, bool serial, F&& f) {
  const auto [m, n, k] = x.shape;
  const auto a = x.a(), b = x.b(), before = x.before();
  auto c = before;
  if (x.beta == 0)  // C must not be read
    for (int64_t i = 0; i < m; ++i)
      std::fill_n(c.begin() + i * x.ldc(), n, std::numeric_limits<float>::quiet_NaN());
  const auto run = [&](auto product) {
    product(x.ta, x.tb, m, n, k, x.alpha, a.data(), x.lda(), b.data(), x.ldb(), x.beta, c.data(),
            x.ldc());
  };
  if (serial) run([](auto... s) { gemm_serial<float>(s...); });
  else run([](auto... s) { gemm<float>(s...); });
  double worst = 0;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < x.ldc(); ++j) {
      const auto at = static_cast<size_t>(i * x.ldc() + j);
      if (j >= n) {
        CHECK(c[at] == before[at]);
        continue;
      }
      double exact = x.beta == 0 ? 0 : x.beta * before[at], size = std::abs(exact);
      for (int64_t l = 0; l < k; ++l) {
        const float left = a[static_cast<size_t>(x.ta ? l * x.lda() + i : i * x.lda() + l)],
                    right = b[static_cast<size_t>(x.tb ? j * x.ldb() + l : l * x.ldb() + j)];
        const double term = f(static_cast<double>(x.alpha * left)) * f(static_cast<double>(right));
        exact += term, size += std::abs(term);
      }
      const double e = std::abs(c[at] - exact) / size;
      worst = std::isnan(e) ? 1 : std::max(worst, e);
    }
  return worst;
}

constexpr Shape3 kShapes[] = {{16, 16, 16}, {32, 32, 32},  {33, 65, 17},   {17, 16, 100},
                              {96, 40, 64}, {70, 130, 50}, {20, 30, 2100}, {1100, 48, 40}};

}  // namespace

TEST_CASE("medium: the products of the nearest bf16, summed in f32; high: 16 bits of each number") {
  for_each_unit([] {
    for (const Shape3& shape : kShapes)
      for (const bool ta : {false, true})
        for (const bool tb : {false, true})
          for (const auto& [alpha, beta] : {std::pair{1.0f, 0.0f}, {0.3f, 1.0f}, {1.0f, -0.5f}}) {
            const Case x{shape, ta, tb, alpha, beta};
            for (const bool serial : {false, true}) {
              CAPTURE(shape.m);
              CAPTURE(shape.n);
              CAPTURE(shape.k);
              CAPTURE(ta);
              CAPTURE(tb);
              CAPTURE(serial);
              {
                const PrecisionScope scope(MatmulPrecision::medium);
                CHECK(distance(x, serial, rounded) < 3e-7 * std::sqrt(shape.k));
              }
              const PrecisionScope scope(MatmulPrecision::high);
              CHECK(distance(x, serial, [](double v) { return v; }) < 0x1p-16);
            }
          }
  });
}

TEST_CASE("a unit's own numbers: medium is not f32, high is nearer, highest is f32 to the bit") {
  const Case x{{64, 64, 64}, false, true, 1, 0};
  const auto exact = [](double v) { return v; };
  const auto a = x.a(), b = x.b();
  const auto product = [&] {
    std::vector<float> c(64 * 64);
    gemm<float>(false, true, 64, 64, 64, 1, a.data(), x.lda(), b.data(), x.ldb(), 0, c.data(), 64);
    return c;
  };
  const auto f32 = product();
  for_each_unit([&] {
    CHECK(same_bits(product(), f32));  // with a unit there, unless leave was given
    const auto at = [&](MatmulPrecision precision) {
      const PrecisionScope scope(precision);
      return distance(x, false, exact);
    };
    const double highest = at(MatmulPrecision::highest), high = at(MatmulPrecision::high),
                 medium = at(MatmulPrecision::medium);
    CHECK((highest < high && high < medium / 50 && medium > 1e-4 && medium < 0x1p-8));
  });
  const TilesScope none(nullptr);
  const PrecisionScope scope(MatmulPrecision::medium);
  CHECK(same_bits(product(), f32));  // leave, but no unit
  CHECK(matmul_unit() == nullptr);
}

TEST_CASE("units agree, and thin products stay f32") {
  if (!tiles()) {
    MESSAGE("SKIPPED: the matrix unit for bf16, which this processor lacks");
    return;
  }
  const PrecisionScope scope(MatmulPrecision::medium);
  const auto a = uniform(40 * 40, -1, 1, 1), b = uniform(40 * 40, -1, 1, 2);
  const auto product = [&](int64_t m) {
    std::vector<float> c(static_cast<size_t>(m * 40));
    gemm<float>(false, false, m, 40, 40, 1, a.data(), 40, b.data(), 40, 0, c.data(), 40);
    return c;
  };
  const auto unit = product(40), thin = product(15);
  const TilesScope portable(&portable_tiles());
  CHECK(error(unit, to_double(product(40)), 1) < 1e-6);  // they sum in another order
  const PrecisionScope highest(MatmulPrecision::highest);
  CHECK(same_bits(thin, product(15)));
}

TEST_CASE("the same bits on 1, 2, 3 and 4 threads, whole and by parts of C") {
  const int threads = omp_get_max_threads();
  const PrecisionScope scope(MatmulPrecision::medium);
  if (!tiles()) MESSAGE("SKIPPED: the matrix unit for bf16, which this processor lacks");
  else
    for (const GemmShape& s : kGemmShapes) check_same_bits_on_threads(s, [](auto, const auto&) {});
  omp_set_num_threads(threads);
}

TEST_CASE("the epilogue visits each element once, after the last of k") {
  for_each_unit([] {
    const PrecisionScope scope(MatmulPrecision::medium);
    for (const auto& [m, n, k] : {std::array<int64_t, 3>{1300, 70, 40}, {40, 16, 2100}}) {
      const std::vector<float> a(static_cast<size_t>(m * k), 1.0f),
          b(static_cast<size_t>(n * k), 1.0f);
      std::vector<float> c(static_cast<size_t>(m * n));
      struct Context {
        float* c;
        int64_t n;
      } context{c.data(), n};
      const auto add_one = [](const void* p, int64_t i0, int64_t i1, int64_t j0, int64_t j1) {
        const auto* to = static_cast<const Context*>(p);
        for (int64_t i = i0; i < i1; ++i)
          for (int64_t j = j0; j < j1; ++j) to->c[i * to->n + j] += 1;
      };
      gemm<float>(false, false, m, n, k, 1, a.data(), k, b.data(), n, 0, c.data(), n,
                  {add_one, &context});
      CHECK(std::all_of(c.begin(), c.end(),
                        [&, k = k](float v) { return v == static_cast<float>(k + 1); }));
    }
  });
}

TEST_CASE("NaN and infinity come through; what is too small for bf16 only loses itself") {
  for_each_unit([] {
    const PrecisionScope scope(MatmulPrecision::medium);
    constexpr int64_t n = 32;
    const auto product = [&](float first) {
      std::vector<float> a(n * n, 1.0f), b(n * n, 1.0f), c(n * n);
      a[0] = first;
      gemm<float>(false, false, n, n, n, 1, a.data(), n, b.data(), n, 0, c.data(), n);
      CHECK(c[n] == n);  // the next row has none of it
      return c[0];
    };
    CHECK(std::isnan(product(std::numeric_limits<float>::quiet_NaN())));
    CHECK(std::isnan(product(std::bit_cast<float>(0x7f800001u))));  // all of it in the lower half
    CHECK(product(std::numeric_limits<float>::infinity()) ==
          std::numeric_limits<float>::infinity());
    CHECK(product(1e-42f) == n - 1);
  });
}

TEST_CASE("products of f64 are exact whatever leave is given") {
  const PrecisionScope scope(MatmulPrecision::medium);
  const std::vector<double> a(32 * 32, 1.0 / 3);
  std::vector<double> c(a.size());
  gemm<double>(false, false, 32, 32, 32, 1, a.data(), 32, a.data(), 32, 0, c.data(), 32);
  CHECK(c[0] == doctest::Approx(32.0 / 9).epsilon(1e-14));
}
