// bench/ops: milliseconds of single ops on [1024, 1024] floats.
//  bench-ops            a table
//  bench-ops --json     a JSON line for each op
//  bench-ops --serve    reads names of ops, a line each, and answers each with its JSON line
// GRADUS_ISA and OMP_NUM_THREADS choose level and threads. scripts/compare_ops.py runs it in turns
// with bench/bench_ops_torch.py, which has the same ops by the same names.
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "gradus/autograd/random.h"
#include "gradus/base/error.h"
#include "gradus/kernels/gemm.h"
#include "gradus/kernels/kernels.h"
#include "gradus/ops/ops.h"

namespace {

using namespace gradus;

struct Entry {
  std::string name;
  std::function<Tensor()> run;
};

// Rotary position embedding as one composes it: halves of each head turned against each other.
//   x [tokens, heads, d], cosine, sine [tokens, 1, d/2]
Tensor rotary(const Tensor& x, const Tensor& cosine, const Tensor& sine) {
  const int64_t half = x.size(-1) / 2;
  const Tensor a = slice(x, -1, 0, half), b = slice(x, -1, half, 2 * half);
  return concat({a * cosine - b * sine, b * cosine + a * sine}, -1);
}

std::vector<Entry> entries() {
  constexpr int64_t n = 1024;
  const Tensor x = random_normal({n, n}, 1, 1), y = random_normal({n, n}, 1, 2),
               positive = square(x) + 0.1, row = random_normal({n}, 1, 3),
               column = random_normal({n, 1}, 1, 4), halves = random_normal({n, n / 2}, 1, 5),
               few = random_normal({32}, 1, 6), heads = random_normal({8, 128, 16, 64}, 1, 7),
               tokens = random_normal({n, 16, 64}, 1, 8), cosine = random_normal({n, 1, 32}, 1, 9),
               sine = random_normal({n, 1, 32}, 1, 10);
  const Tensor below = less(x, zeros({}));
  const Tensor picks = cast(random_uniform({n, n}, 0, n, 1, 11), DType::i64),
               rows = cast(random_uniform({n}, 0, n, 1, 12), DType::i64);
  const Tensor leaf = x.detach().set_requires_grad(), slope = column.detach().set_requires_grad();
  const auto gradients = [](const std::function<Tensor()>& f, const Tensors& xs, const Tensor& dy) {
    return [=] {
      const RecordingScope recording(true);
      return grad(Tensors{f()}, Tensors{dy}, xs)[0];
    };
  };
  return {
      {"x + y", [=] { return x + y; }},
      {"x * y", [=] { return x * y; }},
      {"x / y", [=] { return x / y; }},
      {"x + row", [=] { return x + row; }},
      {"x * column", [=] { return x * column; }},
      {"x * 2", [=] { return x * 2; }},
      {"maximum(x, y)", [=] { return maximum(x, y); }},
      {"x < y", [=] { return less(x, y); }},
      {"where(c, x, y)", [=] { return where(below, x, y); }},
      {"square(x)", [=] { return square(x); }},
      {"sqrt(x)", [=] { return sqrt(positive); }},
      {"relu(x)", [=] { return relu(x); }},
      {"exp(x)", [=] { return exp(x); }},
      {"log(x)", [=] { return log(positive); }},
      {"tanh(x)", [=] { return tanh(x); }},
      {"gelu(x)", [=] { return gelu(x); }},
      {"x.T + y", [=] { return transpose(x) + y; }},
      {"copy of x.T", [=] { return contiguous(transpose(x)); }},
      {"copy of heads",
       [=] {
         return contiguous(permute(heads, {0, 2, 1, 3}));
       }},
      {"copy of a slice", [=] { return clone(slice(x, 1, 256, 768)); }},
      {"cast to f64", [=] { return cast(x, DType::f64); }},
      {"concat, axis 0",
       [=] {
         return concat({x, y}, 0);
       }},
      {"concat, axis 1",
       [=] {
         return concat({halves, halves}, 1);
       }},
      {"take rows", [=] { return take(x, rows); }},
      {"gather", [=] { return gather(x, 1, picks); }},
      {"sum", [=] { return sum(x); }},
      {"sum, axis 0", [=] { return sum(x, 0); }},
      {"sum, axis 1", [=] { return sum(x, 1); }},
      {"mean, axis 1", [=] { return mean(x, 1); }},
      {"var, axis 1", [=] { return var(x, 1); }},
      {"max, axis 0", [=] { return max(x, 0); }},
      {"max, axis 1", [=] { return max(x, 1); }},
      {"argmax, axis 1", [=] { return argmax(x, 1); }},
      {"softmax", [=] { return softmax(x); }},
      {"log_softmax", [=] { return log_softmax(x); }},
      {"layer_norm", [=] { return layer_norm(x, row, row, 1e-5); }},
      {"rotary, composed", [=] { return rotary(tokens, cosine, sine); }},
      {"x * column, backward", gradients([=] { return leaf * slope; }, {leaf, slope}, y)},
      {"softmax, backward", gradients([=] { return softmax(leaf); }, {leaf}, y)},
      {"32 numbers: x + x", [=] { return few + few; }},
      {"matmul", [=] { return matmul(x, y); }},
  };
}

double milliseconds_of(const std::function<Tensor()>& run) {
  const auto start = std::chrono::steady_clock::now();
  const Tensor result = run();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

// The median and the least of as many runs as fit 30 ms, 5 at least, after three that warm up.
void measure(const Entry& entry, bool json) {
  for (int i = 0; i < 3; ++i) milliseconds_of(entry.run);
  std::vector<double> times;
  for (double total = 0; total < 30 || times.size() < 5; total += times.back())
    times.push_back(milliseconds_of(entry.run));
  std::sort(times.begin(), times.end());
  const double median = times[times.size() / 2];
  if (json)
    fmt::print("{{\"op\": \"{}\", \"median_ms\": {:.5f}, \"min_ms\": {:.5f}}}\n", entry.name,
               median, times[0]);
  else fmt::print("{:<24} {:>9.4f} {:>9.4f}\n", entry.name, median, times[0]);
  std::fflush(stdout);
}

void serve(const std::vector<Entry>& all) {
  for (std::string name; std::getline(std::cin, name);) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const Entry& entry) { return entry.name == name; });
    if (found == all.end()) fail("bench-ops: no op '{}'", name);
    measure(*found, true);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string mode = argc > 1 ? argv[1] : "";
    const BlasCore& core = prepare_blas();
    const NoGrad scope;
    const std::vector<Entry> all = entries();
    if (mode == "--serve") {
      fmt::print("{{\"kernels\": \"{}\", \"blas_core\": \"{}\", \"threads\": {}, \"ops\": [",
                 kernels<float>().level, core.core, omp_get_max_threads());
      for (const Entry& entry : all)
        fmt::print("{}\"{}\"", &entry == &all[0] ? "" : ", ", entry.name);
      fmt::print("]}}\n");
      std::fflush(stdout);
      serve(all);
      return 0;
    }
    if (mode != "--json")
      fmt::print("kernels {}, OpenBLAS core {}, {} threads\n{:<24} {:>9} {:>9}\n",
                 kernels<float>().level, core.core, omp_get_max_threads(), "", "median ms",
                 "min ms");
    for (const Entry& entry : all) measure(entry, mode == "--json");
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "bench-ops: {}\n", error.what());
    return error.exit_code;
  }
}
