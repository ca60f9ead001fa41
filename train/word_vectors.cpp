#include "gradus/train/word_vectors.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/base/random.h"
#include "gradus/data/corpus_statistics.h"
#include "gradus/kernels/gemm.h"

// LAPACK, which OpenBLAS has: eigenvalues and eigenvectors of a symmetric matrix.
extern "C" void dsyevd_(const char* job, const char* part, const int* n, double* a, const int* lda,
                        double* w, double* work, const int* lwork, int* iwork, const int* liwork,
                        int* info);

namespace gradus {
namespace {

constexpr int64_t oversampled = 32;  // directions beside those that are wanted
constexpr int iterations = 4;
constexpr double noise = 0.1;  // of words never seen

// Rows of vectors, row-major.
struct Matrix {
  int64_t rows, columns;
  std::vector<double> values;
  Matrix(int64_t r, int64_t c) : rows(r), columns(c), values(static_cast<size_t>(r * c)) {}
  double* data() { return values.data(); }
  const double* data() const { return values.data(); }
};

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix c(a.rows, b.columns);
  gemm<double>(false, false, a.rows, b.columns, a.columns, 1, a.data(), a.columns, b.data(),
               b.columns, 0, c.data(), c.columns);
  return c;
}

// a^T b
Matrix inner_products(const Matrix& a, const Matrix& b) {
  Matrix c(a.columns, b.columns);
  gemm<double>(true, false, a.columns, b.columns, a.rows, 1, a.data(), a.columns, b.data(),
               b.columns, 0, c.data(), c.columns);
  return c;
}

struct Eigen {
  std::vector<double> values;  // ascending
  Matrix vectors;              // a row each
};

Eigen eigen(Matrix a) {
  const Threads one(1);  // LAPACK's sums depend on the number of threads
  const int n = static_cast<int>(a.rows);
  std::vector<double> values(static_cast<size_t>(n));
  int info = 0, integers = -1, doubles = -1, integers_wanted = 0;
  double doubles_wanted = 0;
  dsyevd_("V", "U", &n, a.data(), &n, values.data(), &doubles_wanted, &doubles, &integers_wanted,
          &integers, &info);
  doubles = static_cast<int>(doubles_wanted), integers = integers_wanted;
  std::vector<double> work(static_cast<size_t>(doubles));
  std::vector<int> integer_work(static_cast<size_t>(integers));
  dsyevd_("V", "U", &n, a.data(), &n, values.data(), work.data(), &doubles, integer_work.data(),
          &integers, &info);
  check(info == 0, "LAPACK's dsyevd found no eigenvectors ({})", info);
  return {std::move(values), std::move(a)};  // its columns, Fortran's way, are our rows
}

// Orthonormal columns that span those of y; zeros where y has fewer directions than columns.
Matrix orthonormal(const Matrix& y) {
  const Eigen e = eigen(inner_products(y, y));
  const int64_t n = y.columns;
  Matrix turn(n, n);  // a column each: eigenvector / root of its eigenvalue
  for (int64_t j = 0; j < n; ++j) {
    const double value = e.values[static_cast<size_t>(j)];
    if (value <= 1e-13 * e.values.back()) continue;
    for (int64_t i = 0; i < n; ++i)
      turn.data()[i * n + j] = e.vectors.data()[j * n + i] / std::sqrt(value);
  }
  return product(y, turn);
}

Matrix random_matrix(int64_t rows, int64_t columns, uint64_t seed) {
  Matrix m(rows, columns);
  Random random(seed, 0x776f726473);  // a stream of its own
  for (double& v : m.values) v = random.normal();
  return m;
}

Matrix times(const PositivePmi& pmi, const Matrix& x) {
  const std::vector<float> from(x.values.begin(), x.values.end());
  std::vector<float> to(from.size());
  pmi.multiply(from.data(), to.data(), x.columns);
  Matrix y(x.rows, x.columns);
  std::copy(to.begin(), to.end(), y.values.begin());
  return y;
}

}  // namespace

WordVectors word_vectors(const PositivePmi& pmi, int64_t width, uint64_t seed) {
  check(width > 0, "word_vectors: width {}", width);
  prepare_blas();
  const int64_t words = pmi.size(), directions = std::min(words, width + oversampled);
  Matrix q = orthonormal(random_matrix(words, directions, seed));
  for (int i = 0; i < iterations; ++i) q = orthonormal(times(pmi, q));

  const Eigen e = eigen(inner_products(q, times(pmi, q)));
  const Matrix rotation = orthonormal(random_matrix(width, width, seed + 1));
  Matrix turn(directions, width);  // U L^(1/2), the greatest first
  for (int64_t j = 0; j < std::min(width, directions); ++j) {
    const int64_t from = directions - 1 - j;
    const double root = std::sqrt(std::max(0.0, e.values[static_cast<size_t>(from)]));
    for (int64_t i = 0; i < directions; ++i)
      turn.data()[i * width + j] = root * e.vectors.data()[from * directions + i];
  }
  const Matrix found = product(q, product(turn, rotation));

  WordVectors result{width, std::vector<float>(found.values.size()), {}};
  double squares = 0, tokens = 0, seen = 0;
  for (const int64_t frequency : pmi.frequencies()) {
    tokens += static_cast<double>(frequency);
    seen += frequency > 0;
  }
  for (const double v : found.values) squares += v * v;
  const double rms = std::sqrt(squares / std::max(1.0, seen * static_cast<double>(width)));
  Random random(seed + 2, 0x776f726473);
  for (int64_t w = 0; w < words; ++w) {
    const int64_t frequency = pmi.frequencies()[static_cast<size_t>(w)];
    const bool known = rms > 0 && !pmi.columns(w).empty();
    for (int64_t i = w * width; i < (w + 1) * width; ++i)
      result.vectors[static_cast<size_t>(i)] = static_cast<float>(
          known ? found.values[static_cast<size_t>(i)] / rms : noise * random.normal());
    result.log_frequency.push_back(static_cast<float>(
        std::log((static_cast<double>(frequency) + 1) / (tokens + static_cast<double>(words)))));
  }
  return result;
}

std::vector<float> log_frequencies(const CorpusFile& corpus) {
  const std::vector<int64_t> counts = shape(corpus, Split::train).token_counts;
  const auto all = static_cast<double>(std::accumulate(counts.begin(), counts.end(), int64_t{0})) +
                   static_cast<double>(counts.size());
  std::vector<float> result;
  for (const int64_t count : counts)
    result.push_back(static_cast<float>(std::log((static_cast<double>(count) + 1) / all)));
  return result;
}

}  // namespace gradus
