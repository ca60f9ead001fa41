// The front of matrix products: panels by shape, each one single-threaded cblas call (gemm.h).
#include "gradus/kernels/gemm.h"

#include <cblas.h>
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/kernels/tile_gemm.h"

namespace gradus {
namespace {

template <class T>
void cblas(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, T alpha, const T* a,
           int64_t lda, const T* b, int64_t ldb, T beta, T* c, int64_t ldc) {
  const auto ta = transpose_a ? CblasTrans : CblasNoTrans,
             tb = transpose_b ? CblasTrans : CblasNoTrans;
  const auto i = [](int64_t v) { return static_cast<blasint>(v); };
  if constexpr (sizeof(T) == 4)
    cblas_sgemm(CblasRowMajor, ta, tb, i(m), i(n), i(k), alpha, a, i(lda), b, i(ldb), beta, c,
                i(ldc));
  else
    cblas_dgemm(CblasRowMajor, ta, tb, i(m), i(n), i(k), alpha, a, i(lda), b, i(ldb), beta, c,
                i(ldc));
}

// The same on this thread alone: OpenBLAS uses as many as OpenMP would here.
template <class... Args>
void cblas_alone(Args... arguments) {
  const Threads one(1);
  cblas(arguments...);
}

// C = beta C.
template <class T>
void scale_c(int64_t m, int64_t n, T beta, T* c, int64_t ldc) {
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) c[i * ldc + j] = beta == 0 ? T(0) : beta * c[i * ldc + j];
}

// The product by bf16 numbers, by run(unit, terms, product), where leave is given, the processor
// has a unit for it and the shape is worth it. Whether it was.
template <class T, class Run>
bool on_tiles(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, T alpha,
              const T* a, int64_t lda, const T* b, int64_t ldb, T beta, T* c, int64_t ldc,
              Epilogue epilogue, Run&& run) {
  constexpr int64_t kLeast = 16;
  const MatmulPrecision precision = matmul_precision();
  if (precision == MatmulPrecision::highest || !tiles() || std::min({m, n, k}) < kLeast)
    return false;
  if constexpr (sizeof(T) == 4) {
    if (beta != 0 && beta != 1) scale_c(m, n, beta, c, ldc);
    run(*tiles(), precision == MatmulPrecision::high ? 3 : 1,
        TileProduct{transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta != 0, c, ldc,
                    epilogue});
  }
  return sizeof(T) == 4;
}

struct Panel {
  int64_t rows, columns;
};

// The size of even pieces of a side, each at most `most` and a multiple of 16 (the width of
// OpenBLAS's widest micro-kernel).
int64_t even_piece(int64_t side, int64_t most) {
  const int64_t pieces = (side + most - 1) / most;
  return ((side + pieces - 1) / pieces + 15) / 16 * 16;
}

// How C is cut. Each panel packs its own part of A and B, which costs the more the smaller it is,
// and columns cost more than rows: of the whole product's rate on one thread, 512 x 3072 reaches 95
// %, 256 x 1536 and 512 x 768 90 %, 256 x 512 about 90 %, 128 x 128 83 % (SkylakeX kernels). So
// large products are cut into up to 64 large panels, middling ones into 16 of fair size, small ones
// into 4 at the cost of some speed, and nearly all into 2; below a million multiply-adds waking
// threads costs more than it gives.
Panel cut_panels(int64_t m, int64_t n, int64_t k) {
  Panel panel{even_piece(m, 512), even_piece(n, 3072)};
  const auto pieces = [&] {
    return ((m + panel.rows - 1) / panel.rows) * ((n + panel.columns - 1) / panel.columns);
  };
  struct Wish {
    // cut further while there are fewer pieces and half of one is no smaller than this
    int64_t pieces, area;
  };
  for (const Wish wish :
       {Wish{64, 256 * 1536}, Wish{16, 256 * 512}, Wish{4, 128 * 128}, Wish{2, 32 * 64}})
    while (pieces() < wish.pieces && panel.rows * panel.columns >= 2 * wish.area &&
           panel.rows * panel.columns * k >= int64_t{2} << 20) {
      if (panel.rows >= 512 || panel.rows > panel.columns)
        panel.rows = even_piece(m, panel.rows / 2);
      else panel.columns = even_piece(n, panel.columns / 2);
    }
  return panel;
}

}  // namespace

template <class T>
void gemm_serial(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, T alpha,
                 const T* a, int64_t lda, const T* b, int64_t ldb, T beta, T* c, int64_t ldc) {
  if (m == 0 || n == 0) return;
  if (k == 0) return scale_c(m, n, beta, c, ldc);
  const auto on_this_thread = [&](const Tiles& unit, int terms, const TileProduct& product) {
    tile_panel(unit, terms, product, {0, m, 0, n});
  };
  if (on_tiles(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, {},
               on_this_thread))
    return;
  prepare_blas();
  cblas_alone(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

template <class T>
void gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, T alpha, const T* a,
          int64_t lda, const T* b, int64_t ldb, T beta, T* c, int64_t ldc, Epilogue epilogue) {
  constexpr int64_t kMost = std::numeric_limits<blasint>::max();
  check(std::max({m, n, k, lda, ldb, ldc}) <= kMost,
        "gemm: a side of {} x {} x {} (leading dimensions {}, {}, {}) is more than OpenBLAS counts "
        "({})",
        m, n, k, lda, ldb, ldc, kMost);
  if (m == 0 || n == 0) return;
  if (on_tiles(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, epilogue,
               tile_gemm))
    return;
  prepare_blas();
  const Panel cut = cut_panels(m, n, k);
  const int64_t across = (n + cut.columns - 1) / cut.columns,
                panels = (m + cut.rows - 1) / cut.rows * across;
  const auto run = [&](int64_t panel) {
    const int64_t i0 = panel / across * cut.rows, i1 = std::min(m, i0 + cut.rows),
                  j0 = panel % across * cut.columns, j1 = std::min(n, j0 + cut.columns);
    T* to = c + i0 * ldc + j0;
    if (k == 0) scale_c(i1 - i0, j1 - j0, beta, to, ldc);
    else
      cblas_alone(transpose_a, transpose_b, i1 - i0, j1 - j0, k, alpha,
                  a + (transpose_a ? i0 : i0 * lda), lda, b + (transpose_b ? j0 * ldb : j0), ldb,
                  beta, to, ldc);
    if (epilogue.run) epilogue.run(epilogue.context, i0, i1, j0, j1);
  };
  parallel_for(panels, 1, [&](int64_t panel, int64_t) { run(panel); });
}

namespace {

// Whether OpenMP gives a team of so many threads. OpenBLAS takes it for granted, and waits for ever
// for those that OMP_THREAD_LIMIT, OMP_DYNAMIC or a full machine did not give.
bool teams_are_whole(int threads) {
  std::atomic<int> there{0};
  const bool may =
      !omp_get_dynamic() && omp_get_thread_limit() >= threads && omp_get_max_active_levels() >= 1;
  if (!may) return false;
#pragma omp parallel num_threads(threads)
  ++there;
  return there == threads;
}

}  // namespace

double measure_sgemm_rate(int repeats) {
  prepare_blas();
  const PrecisionScope f32(MatmulPrecision::highest);
  constexpr int64_t m = 4096, n = 3072, k = 768;
  std::vector<float> a(m * k, 0.5f), b(n * k, 0.25f), c(m * n);
  const auto median_rate = [&](auto product) {
    std::vector<double> rates;
    for (int r = -1; r < std::max(1, repeats); ++r) {  // the first run warms up
      const auto start = std::chrono::steady_clock::now();
      product(false, true, m, n, k, 1.0f, a.data(), k, b.data(), k, 0.0f, c.data(), n);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      if (r >= 0) rates.push_back(2.0 * m * n * k / seconds.count() / 1e9);
    }
    std::nth_element(rates.begin(), rates.begin() + static_cast<int64_t>(rates.size()) / 2,
                     rates.end());
    return rates[rates.size() / 2];
  };
  const double ours = median_rate([](auto... arguments) { gemm<float>(arguments...); });
  if (!teams_are_whole(thread_count())) return ours;
  const Threads given(thread_count());  // OpenBLAS asks OpenMP, which knows nothing of quotas
  set_blas_threads(thread_count());
  const double theirs = median_rate([](auto... arguments) { cblas<float>(arguments...); });
  set_blas_threads(1);
  return std::max(ours, theirs);
}

template void gemm_serial(bool, bool, int64_t, int64_t, int64_t, float, const float*, int64_t,
                          const float*, int64_t, float, float*, int64_t);
template void gemm_serial(bool, bool, int64_t, int64_t, int64_t, double, const double*, int64_t,
                          const double*, int64_t, double, double*, int64_t);
template void gemm(bool, bool, int64_t, int64_t, int64_t, float, const float*, int64_t,
                   const float*, int64_t, float, float*, int64_t, Epilogue);
template void gemm(bool, bool, int64_t, int64_t, int64_t, double, const double*, int64_t,
                   const double*, int64_t, double, double*, int64_t, Epilogue);

}  // namespace gradus
