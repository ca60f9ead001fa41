// gemm(): right on every orientation, the same bits on any number of threads, OpenBLAS on the right
// kernels.
#include "gradus/kernels/gemm.h"

#include <omp.h>

#include <cstdio>

#include "gradus/base/file.h"
#include "tests/kernels/gemm_threads.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

template <class T>
void check_against_loops(int64_t m, int64_t n, int64_t k, bool ta, bool tb, T alpha, T beta,
                         bool serial) {
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(k);
  CAPTURE(ta);
  CAPTURE(tb);
  const int64_t lda = (ta ? m : k) + 3, ldb = (tb ? k : n) + 1, ldc = n + 2;
  const auto values = [](int64_t size, uint64_t seed) {
    const auto x = uniform(size, -1, 1, seed);
    return std::vector<T>(x.begin(), x.end());
  };
  const auto a = values((ta ? k : m) * lda + 1, 1), b = values((tb ? n : k) * ldb + 1, 2);
  auto c = values(m * ldc, 3);
  const auto before = c;
  if (beta == 0)  // C must not be read
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j)
        c[static_cast<size_t>(i * ldc + j)] = std::numeric_limits<T>::quiet_NaN();
  if (serial)
    gemm_serial<T>(ta, tb, m, n, k, alpha, a.data(), lda, b.data(), ldb, beta, c.data(), ldc);
  else gemm<T>(ta, tb, m, n, k, alpha, a.data(), lda, b.data(), ldb, beta, c.data(), ldc);
  double worst = 0;
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < ldc; ++j) {
      const auto at = static_cast<size_t>(i * ldc + j);
      if (j >= n) {
        CHECK(c[at] == before[at]);
        continue;
      }
      double exact = 0;
      for (int64_t l = 0; l < k; ++l)
        exact += static_cast<double>(a[static_cast<size_t>(ta ? l * lda + i : i * lda + l)]) *
                 b[static_cast<size_t>(tb ? j * ldb + l : l * ldb + j)];
      exact = alpha * exact + (beta == 0 ? 0 : beta * before[at]);
      const double e = std::abs(static_cast<double>(c[at]) - exact);
      worst = std::isnan(e) ? 1 : std::max(worst, e);
    }
  CHECK(worst < (sizeof(T) == 4 ? 1e-6 : 1e-15) * static_cast<double>(k + 8));
}

std::string run_probe(const std::string& environment) {
  std::FILE* pipe = ::popen((environment + " " + GRADUS_GEMM_PROBE).c_str(), "r");
  REQUIRE(pipe);
  std::string text;
  char part[256];
  while (std::fgets(part, sizeof part, pipe)) text += part;
  REQUIRE_MESSAGE(::pclose(pipe) == 0, "cannot run " GRADUS_GEMM_PROBE);
  return text;
}

}  // namespace

TEST_CASE("gemm equals plain loops: orientations, leading dimensions, alpha, beta, empty sides") {
  for (const bool ta : {false, true})
    for (const bool tb : {false, true})
      for (const bool serial : {false, true}) {
        check_against_loops<float>(5, 7, 3, ta, tb, 1, 0, serial);
        check_against_loops<float>(33, 65, 17, ta, tb, 0.5f, 1, serial);
        check_against_loops<double>(33, 65, 17, ta, tb, 2, 0, serial);
        check_against_loops<float>(4, 3, 0, ta, tb, 1, 0, serial);
        check_against_loops<float>(4, 3, 0, ta, tb, 1, 0.5f, serial);
        check_against_loops<float>(0, 3, 2, ta, tb, 1, 0, serial);
        check_against_loops<float>(600, 1100, 8, ta, tb, 1, 0, serial);
        check_against_loops<double>(700, 300, 9, ta, tb, 1, -1, serial);
      }
}

TEST_CASE(
    "gemm gives the same bits on 1, 2, 3 and 4 threads and inside a parallel region, on every "
    "shape of a BERT step") {
  const int threads = omp_get_max_threads();
  for (const GemmShape& s : kGemmShapes) {
    check_same_bits_on_threads(s, [&](auto run, const std::vector<float>& one) {
      std::vector<float> other(one.size());
      omp_set_num_threads(2);
      if (s.m * s.n * s.k >= 1000000000) return;
#pragma omp parallel
#pragma omp single
      run(other);
      CHECK(same_bits(one, other));
    });
  }
  omp_set_num_threads(threads);
}

TEST_CASE(
    "gemm_serial gives the same bits outside a parallel region, where OpenBLAS would use threads, "
    "as inside one") {
  const int threads = omp_get_max_threads();
  for (const int64_t n : {32, 64, 128, 200, 512}) {
    CAPTURE(n);
    const auto a = uniform(n * n, -1, 1, 1), b = uniform(n * n, -1, 1, 2);
    for (const bool tb : {false, true}) {
      std::vector<float> one(a.size()), outside(a.size()), inside(a.size());
      const auto run = [&](std::vector<float>& c) {
        gemm_serial<float>(false, tb, n, n, n, 1, a.data(), n, b.data(), n, 0, c.data(), n);
      };
      omp_set_num_threads(1);
      run(one);
      omp_set_num_threads(2);
      run(outside);
#pragma omp parallel
#pragma omp single
      run(inside);
      CHECK((same_bits(one, outside) && same_bits(one, inside)));
    }
  }
  omp_set_num_threads(threads);
}

TEST_CASE("gemm's epilogue visits each element once, after it is computed") {
  for (const auto& [m, n, k] : {std::array<int64_t, 3>{1300, 2100, 4}, {1, 1, 1}, {600, 5, 0}}) {
    const std::vector<float> a(static_cast<size_t>(m * k + 1), 1.0f),
        b(static_cast<size_t>(n * k + 1), 1.0f);
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
    gemm<float>(false, false, m, n, k, 1, a.data(), std::max<int64_t>(k, 1), b.data(), n, 0,
                c.data(), n, {add_one, &context});
    CHECK(std::all_of(c.begin(), c.end(),
                      [&, k = k](float v) { return v == static_cast<float>(k + 1); }));
  }
}

TEST_CASE("a process started with OMP_NUM_THREADS=1 computes the same bits as one with 2") {
  const auto hash_of = [](const std::string& text) { return text.substr(text.find("hash ")); };
  const auto one = hash_of(run_probe("OMP_NUM_THREADS=1")),
             two = hash_of(run_probe("OMP_NUM_THREADS=2"));
  CHECK(one == two);
}

TEST_CASE("OpenBLAS is put right where it chose kernels too old for this processor") {
  const BlasCore& now = prepare_blas();
  MESSAGE("core ", std::string(now.core), ", wanted ", std::string(now.wanted), ", started as ",
          std::string(now.started));
  CHECK(now.right);
#if defined(__x86_64__)
  if (!__builtin_cpu_supports("avx2")) {
    MESSAGE("SKIPPED: this processor has no kernels newer than Prescott's to be put right to");
    return;
  }
  const auto repaired = run_probe("OPENBLAS_CORETYPE=Prescott");
  CHECK_MENTIONS(repaired, "started Prescott");
  CHECK_MENTIONS(repaired, "changed 1 right 1");
  CHECK(repaired.find("core Prescott") == std::string::npos);
  const auto overridden = run_probe("GRADUS_BLAS_CORE=Haswell");
  CHECK_MENTIONS(overridden, "core Haswell");
  CHECK_MENTIONS(overridden, "right 1");
  const auto unknown = run_probe("GRADUS_BLAS_CORE=Nonesuch 2>&1");
  CHECK_MENTIONS(unknown, "OpenBLAS runs its");
#endif
}
