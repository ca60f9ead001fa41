// Work is cut by its size, never by the number of threads, so that every result is the same, bit
// for bit, on any thread count.
//
//   parallel_for(n, grain, f)   calls f(begin, end) for the blocks [0, grain), [grain, 2 grain) ...
//                               of [0, n), in any order, on all threads.
//   parallel_sum(n, grain, f)   adds f(begin, end) of the same blocks in the order of the blocks,
//                               in double.
//
// An exception thrown by f is kept and thrown again by the calling thread. Inside a parallel region
// both run on the calling thread.
#pragma once

#include <omp.h>

#include <atomic>
#include <cstdint>
#include <exception>
#include <vector>

namespace gradus {

template <class F>
void parallel_for(int64_t n, int64_t grain, F&& f) {
  const int64_t blocks = (n + grain - 1) / grain;
  if (blocks <= 1 || omp_in_parallel() || omp_get_max_threads() == 1) {
    for (int64_t b = 0; b < blocks; ++b) f(b * grain, b + 1 < blocks ? (b + 1) * grain : n);
    return;
  }
  std::exception_ptr failure;
  std::atomic<bool> failed{false};
#pragma omp parallel for schedule(dynamic, 1)
  for (int64_t b = 0; b < blocks; ++b) {
    if (failed.load(std::memory_order_relaxed)) continue;
    try {
      f(b * grain, b + 1 < blocks ? (b + 1) * grain : n);
    } catch (...) {
      if (!failed.exchange(true)) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

// { const Threads scope(1); … }  parallel loops use that many threads, then as many as before.
class Threads {
 public:
  explicit Threads(int count) : before_(omp_get_max_threads()) { omp_set_num_threads(count); }
  ~Threads() { omp_set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

template <class F>
double parallel_sum(int64_t n, int64_t grain, F&& f) {
  std::vector<double> parts(static_cast<size_t>((n + grain - 1) / grain));
  parallel_for(n, grain, [&](int64_t begin, int64_t end) {
    parts[static_cast<size_t>(begin / grain)] = f(begin, end);
  });
  double total = 0;
  for (double part : parts) total += part;
  return total;
}

}  // namespace gradus
