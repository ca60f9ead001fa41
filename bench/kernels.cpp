// bench/kernels: what the kernels and the matrix products reach on this machine.
//   bench-kernels        one thread, ns an element and GB/s (bytes read and written) of the main
//                        kernels at each level, in cache and from memory
//   bench-kernels gemm   GFLOP/s of gemm() beside OpenBLAS's own threading on the shapes of BERT
//                        steps
#include <cblas.h>
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "bench/gemm_shapes.h"
#include "gradus/base/error.h"
#include "gradus/base/random.h"
#include "gradus/kernels/gemm.h"
#include "gradus/kernels/kernels.h"

namespace {

using namespace gradus;

double seconds_of(const std::function<void()>& run) {
  const auto start = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// The best of some runs, after one that warms up: what the code can do, whatever else the machine
// does.
double best_seconds(const std::function<void()>& run, int repeats) {
  run();
  double best = seconds_of(run);
  while (--repeats > 0) best = std::min(best, seconds_of(run));
  return best;
}

std::vector<float> random_values(int64_t n) {
  Random random(7);
  std::vector<float> values(static_cast<size_t>(n));
  for (float& v : values) v = static_cast<float>(random.uniform(-3, 3));
  return values;
}

struct Row {
  std::string name;
  int64_t row_length;
  double bytes;  // read and written per element
  std::function<void(const Kernels<float>&, int64_t rows)> run;
};

void bench_kernels() {
  constexpr int64_t n = 768, vocabulary = 30522, most = 4096 * n;
  auto x = random_values(most), y = random_values(most), z = random_values(most),
       w = random_values(most), v = random_values(most);
  for (float& value : v) value = value * value;
  auto weight = random_values(n), bias = random_values(vocabulary), dweight = random_values(n),
       dbias = random_values(n);
  std::vector<float> mean(40000), rstd(40000, 1.0f);
  std::vector<uint32_t> sequence(40000), position(40000);
  std::vector<int32_t> labels(40000, 5);
  const DropoutDraw none{0, 1, 1}, draw{0.1, 1, 1};
  const auto attention = [&](int64_t rows, DropoutDraw d, int64_t keys = 128) {
    return AttentionRows{rows, keys, 0, 0, false, -1, 3, d};
  };
  const std::vector<Row> table = {
      {"exp", n, 8, [&](auto& k, int64_t r) { k.exp(x.data(), y.data(), r * n); }},
      {"log", n, 8, [&](auto& k, int64_t r) { k.log(v.data(), y.data(), r * n); }},
      {"tanh", n, 8, [&](auto& k, int64_t r) { k.tanh(x.data(), y.data(), r * n); }},
      {"erf", n, 8, [&](auto& k, int64_t r) { k.erf(x.data(), y.data(), r * n); }},
      {"add", n, 12, [&](auto& k, int64_t r) { k.add(x.data(), y.data(), r * n); }},
      {"column_sums", n, 4,
       [&](auto& k, int64_t r) { k.column_sums(x.data(), dbias.data(), r, n); }},
      {"sum_of_squares", n, 4, [&](auto& k, int64_t r) { k.sum_of_squares(x.data(), r * n); }},
      {"bias_gelu", n, 8,
       [&](auto& k, int64_t r) {
         k.bias_activation(x.data(), bias.data(), y.data(), r, n, Activation::gelu);
       }},
      {"bias_gelu tanh", n, 8,
       [&](auto& k, int64_t r) {
         k.bias_activation(x.data(), bias.data(), y.data(), r, n, Activation::gelu_tanh);
       }},
      {"bias_gelu_backward", n, 12,
       [&](auto& k, int64_t r) {
         k.bias_activation_backward(x.data(), bias.data(), z.data(), y.data(), dbias.data(), r, n,
                                    Activation::gelu);
       }},
      {"layer_norm", n, 8,
       [&](auto& k, int64_t r) {
         k.layer_norm(x.data(), weight.data(), bias.data(), y.data(), mean.data(), rstd.data(), r,
                      n, 1e-12);
       }},
      {"layer_norm_backward", n, 12,
       [&](auto& k, int64_t r) {
         k.layer_norm_backward(x.data(), weight.data(), mean.data(), rstd.data(), z.data(),
                               y.data(), dweight.data(), dbias.data(), r, n);
       }},
      {"dropout", n, 8,
       [&](auto& k, int64_t r) {
         k.dropout(x.data(), y.data(), r, n, sequence.data(), position.data(), draw);
       }},
      {"add_norm", n, 16,
       [&](auto& k, int64_t r) {
         k.add_norm(x.data(), z.data(), weight.data(), bias.data(), w.data(), y.data(), mean.data(),
                    rstd.data(), r, n, 1e-12, sequence.data(), position.data(), draw);
       }},
      {"add_norm_backward", n, 16,
       [&](auto& k, int64_t r) {
         k.add_norm_backward(x.data(), weight.data(), mean.data(), rstd.data(), z.data(), y.data(),
                             w.data(), dweight.data(), dbias.data(), r, n, sequence.data(),
                             position.data(), draw);
       }},
      {"softmax 128", 128, 8, [&](auto& k, int64_t r) { k.softmax(x.data(), y.data(), r, 128); }},
      {"attention 128", 128, 8,
       [&](auto& k, int64_t r) {
         k.attention_probabilities(y.data(), 128, mean.data(), attention(r, none));
       }},
      {"attention 128 dropout", 128, 8,
       [&](auto& k, int64_t r) {
         k.attention_probabilities(y.data(), 128, mean.data(), attention(r, draw));
       }},
      {"attention 100 dropout", 100, 8,
       [&](auto& k, int64_t r) {
         k.attention_probabilities(y.data(), 112, mean.data(), attention(r * 100 / 112, draw, 100));
       }},
      {"attention_backward", 128, 16,
       [&](auto& k, int64_t r) {
         k.attention_backward(y.data(), w.data(), 128, mean.data(), attention(r, draw));
       }},
      {"cross_entropy", vocabulary, 8,
       [&](auto& k, int64_t r) {
         k.cross_entropy(y.data(), bias.data(), labels.data(), mean.data(), nullptr, r, vocabulary,
                         1e-3f, true);
       }},
      {"adamw", n, 28,
       [&](auto& k, int64_t r) {
         k.adamw(x.data(), z.data(), w.data(), v.data(), r * n,
                 {1e-4, 0.9, 0.999, 1e-6, 0.01, 0.5, 0.5, 1});
       }},
  };
  int count;
  const auto* levels = kernel_levels(&count);
  fmt::print("{:<24}", "ns an element, GB/s");
  for (int l = 0; l < count; ++l)
    fmt::print(" {:>30}", fmt::format("{}: cache, memory", levels[l]->level));
  fmt::print("\n");
  for (const Row& row : table) {
    fmt::print("{:<24}", row.name);
    for (int l = 0; l < count; ++l)
      for (const int64_t elements : {int64_t{64} * n, most}) {
        const int64_t rows = std::max<int64_t>(1, elements / row.row_length),
                      total = rows * row.row_length;
        std::copy(z.begin(), z.end(), y.begin());
        std::copy(z.begin(), z.end(), w.begin());
        const double seconds =
            best_seconds([&] { row.run(*levels[l], rows); }, elements < most ? 41 : 7);
        fmt::print("   {:>5.2f} {:>6.1f}", seconds / static_cast<double>(total) * 1e9,
                   row.bytes * static_cast<double>(total) / seconds / 1e9);
      }
    fmt::print("\n");
  }
}

void bench_gemm() {
  fmt::print(
      "core {}, {} threads, unit for bf16: {}\n{:<18} {:>6} {:>6} {:>6} {:>10} {:>10} {:>8} {:>10} "
      "{:>10}\n",
      prepare_blas().core, omp_get_max_threads(), matmul_unit() ? matmul_unit() : "none", "", "m",
      "n", "k", "OpenBLAS", "gemm()", "ratio", "high", "medium");
  for (const GemmShape& s : kGemmShapes) {
    const auto a = random_values(s.m * s.k), b = random_values(s.k * s.n);
    std::vector<float> c(static_cast<size_t>(s.m * s.n));
    const int64_t lda = s.transpose_a ? s.m : s.k, ldb = s.transpose_b ? s.k : s.n;
    const double flops = 2.0 * static_cast<double>(s.m * s.n) * static_cast<double>(s.k);
    const auto i = [](int64_t v) { return static_cast<int>(v); };
    const auto ours = [&] {
      gemm<float>(s.transpose_a, s.transpose_b, s.m, s.n, s.k, 1, a.data(), lda, b.data(), ldb, 0,
                  c.data(), s.n);
    };
    const auto theirs = [&] {
      cblas_sgemm(CblasRowMajor, s.transpose_a ? CblasTrans : CblasNoTrans,
                  s.transpose_b ? CblasTrans : CblasNoTrans, i(s.m), i(s.n), i(s.k), 1, a.data(),
                  i(lda), b.data(), i(ldb), 0, c.data(), i(s.n));
    };
    const auto at = [&](MatmulPrecision precision) {
      const PrecisionScope scope(precision);
      return seconds_of(ours);
    };
    double t = best_seconds(theirs, 1), o = best_seconds(ours, 1), high = o, medium = o;
    for (int r = flops > 1e9 ? 9 : 41; r > 0; --r) {  // in turn: neighbours hit all
      t = std::min(t, seconds_of(theirs)), o = std::min(o, seconds_of(ours));
      high = std::min(high, at(MatmulPrecision::high));
      medium = std::min(medium, at(MatmulPrecision::medium));
    }
    fmt::print("{:<18} {:>6} {:>6} {:>6} {:>10.1f} {:>10.1f} {:>8.2f} {:>10.1f} {:>10.1f}\n",
               s.name, s.m, s.n, s.k, flops / t / 1e9, flops / o / 1e9, t / o, flops / high / 1e9,
               flops / medium / 1e9);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc > 1 && std::string(argv[1]) == "gemm") bench_gemm();
    else bench_kernels();
  } catch (const gradus::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return error.exit_code;
  }
}
