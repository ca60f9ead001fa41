// Work is cut by its size, never by the number of threads, so that every result is the same, bit
// for bit, on any thread count.
//
//   parallel_for(n, grain, f)   calls f(begin, end) for the blocks [0, grain), [grain, 2 grain) ...
//                               of [0, n), in any order, on all threads.
//   parallel_sum(n, grain, f)   adds f(begin, end) of the same blocks in the order of the blocks,
//                               in double.
//
// An exception thrown by f is kept and thrown again by the calling thread. Inside a parallel loop
// both run on the calling thread, and so do loops of a second thread while a first one's runs.
//
// The threads are a pool of our own, not OpenMP's teams. Each has a share of the blocks, the same
// part of every loop, so that its cache holds what it works on, and takes those of others when it
// has done its own. A loop has ended when its blocks are done, not when every thread has come to a
// barrier, for which one that has lost its processor to a neighbour would be waited for
// (docs/performance.md, beside busy neighbours). A thread that looks for the next loop does so for
// a while and then sleeps. How many there are is OpenMP's number (OMP_NUM_THREADS,
// omp_set_num_threads), no more than the processors and the time that the system gives us
// (affinity, cgroup quota).
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <type_traits>
#include <vector>

namespace gradus {

// Threads that a loop of this thread would use: 1 inside of one.
int thread_count();

namespace detail {
// Calls call(f, block) for the blocks 0 … blocks - 1; call must not throw.
void run_blocks(int64_t blocks, void (*call)(void* f, int64_t block), void* f);
}  // namespace detail

template <class F>
void parallel_for(int64_t n, int64_t grain, F&& f) {
  const int64_t blocks = (n + grain - 1) / grain;
  const auto block = [&](int64_t b) { f(b * grain, b + 1 < blocks ? (b + 1) * grain : n); };
  if (blocks <= 1 || thread_count() == 1) {
    for (int64_t b = 0; b < blocks; ++b) block(b);
    return;
  }
  std::exception_ptr failure;
  std::atomic<bool> failed{false};
  auto guarded = [&](int64_t b) {
    if (failed.load(std::memory_order_relaxed)) return;
    try {
      block(b);
    } catch (...) {
      if (!failed.exchange(true)) failure = std::current_exception();
    }
  };
  detail::run_blocks(
      blocks, [](void* g, int64_t b) { (*static_cast<decltype(guarded)*>(g))(b); }, &guarded);
  if (failure) std::rethrow_exception(failure);
}

// { const Threads scope(1); … }  parallel loops of this thread use that many, then as many as
// before.
class Threads {
 public:
  explicit Threads(int count);
  ~Threads();
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
