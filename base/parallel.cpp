#include "gradus/base/parallel.h"

#include <linux/futex.h>
#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>

namespace gradus {
namespace {

using Clock = std::chrono::steady_clock;

// Waiting for the next loop a thread looks for it this long before it sleeps: longer than the gaps
// within a training step, shorter than what a neighbour would miss.
constexpr auto worker_patience = std::chrono::microseconds(50);
// Waiting for the last blocks: whoever has one may have lost its processor, and gets ours when we
// sleep.
constexpr auto caller_patience = std::chrono::microseconds(20);

void sleep_while(std::atomic<uint32_t>& word, uint32_t value) {
  ::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}
void wake(std::atomic<uint32_t>& word, int count) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

// Looks for `found` until it is so or the patience is over; whether it was found.
template <class F>
bool look(std::chrono::microseconds patience, F&& found) {
  for (int i = 0; i < 64; ++i) {
    if (found()) return true;
    relax();
  }
  const auto end = Clock::now() + patience;
  do {
    for (int i = 0; i < 16; ++i) {
      if (found()) return true;
      relax();
    }
  } while (Clock::now() < end);
  return false;
}

thread_local bool inside = false;  // of a loop

// One loop at a time. Its blocks are cut into shares, one for each thread, the caller's first: a
// thread takes the blocks of its own share in order, and then those that others have not come to.
// So, loop after loop, a thread works on the same part of what is computed, which its cache holds.
//
// A share is the number of its loop (high half) and its next block (low half), so that a thread
// that comes late can take no block of another loop: it reads the loop's fields between two looks
// at the share, the second of which takes the block.
class Pool {
 public:
  void run(int64_t blocks, void (*call)(void*, int64_t), void* f, int threads) {
    start_workers(threads - 1);
    const auto count = static_cast<uint32_t>(blocks),
               shares = static_cast<uint32_t>(std::min(threads, most_shares));
    const uint64_t loop = (shares_[0].load() >> 32) + 1;
    for (uint32_t share = 0; share < share_count_.load(); ++share)
      shares_[share].store(loop << 32 | closed);  // nobody takes blocks while the fields change
    call_.store(call, std::memory_order_relaxed);
    f_.store(f, std::memory_order_relaxed);
    blocks_.store(count, std::memory_order_relaxed);
    share_count_.store(shares, std::memory_order_relaxed);
    helpers_.store(static_cast<uint32_t>(threads - 1), std::memory_order_relaxed);
    left_.store(count);
    for (uint32_t share = 0; share < shares; ++share)
      shares_[share].store(loop << 32 | begin_of(share, count, shares));
    if (asleep_.load() > 0) {
      number_.fetch_add(1);
      wake(number_, static_cast<int>(std::min<int64_t>(threads - 1, blocks - 1)));
    }
    while (take_block(0)) {}
    const auto done = [&] { return left_.load() == 0; };
    if (look(caller_patience, done)) return;
    caller_sleeps_.store(1);
    for (uint32_t left; (left = left_.load()) != 0;) sleep_while(left_, left);
    caller_sleeps_.store(0);
  }

 private:
  static constexpr uint64_t closed = 0xffffffff;
  static constexpr int most_shares = 64;  // more threads have none of their own

  static uint32_t begin_of(uint32_t share, uint32_t blocks, uint32_t shares) {
    return static_cast<uint32_t>(uint64_t{blocks} * share / shares);
  }

  // Runs a block of the loop that is on, of the thread's own share if it can be; false where there
  // is none left.
  bool take_block(uint32_t place) {
    const uint32_t shares = share_count_.load(std::memory_order_relaxed);
    for (uint32_t i = 0; i < shares; ++i)
      if (take_block_of((place + i) % shares)) return true;
    return false;
  }

  bool take_block_of(uint32_t index) {
    std::atomic<uint64_t>& share = shares_[index];
    uint64_t state = share.load();
    for (;;) {
      const auto call = call_.load(std::memory_order_relaxed);
      void* f = f_.load(std::memory_order_relaxed);
      if (!is_left(index, state)) return false;
      if (!share.compare_exchange_weak(state, state + 1)) continue;
      call(f, static_cast<int64_t>(state & closed));
      const uint32_t left = left_.fetch_sub(1) - 1;
      if (left == 0 && caller_sleeps_.load()) wake(left_, 1);
      return true;
    }
  }

  bool is_left(uint32_t share, uint64_t state) const {
    const uint32_t blocks = blocks_.load(std::memory_order_relaxed),
                   shares = share_count_.load(std::memory_order_relaxed);
    return (state & closed) != closed && share < shares &&
           (state & closed) < begin_of(share + 1, blocks, shares);
  }

  bool has_block() const {
    const uint32_t shares = share_count_.load(std::memory_order_relaxed);
    for (uint32_t share = 0; share < shares; ++share)
      if (is_left(share, shares_[share].load(std::memory_order_relaxed))) return true;
    return false;
  }

  void work(uint32_t place) {
    inside = true;
    omp_set_num_threads(1);  // for what asks OpenMP (OpenBLAS): of this thread alone
    for (;;) {
      const auto wanted = [&] { return place < helpers_.load() && has_block(); };
      if (look(worker_patience, wanted)) {
        while (place < helpers_.load() && take_block(place + 1)) {}
        continue;
      }
      const uint32_t number = number_.load();
      asleep_.fetch_add(1);
      if (!wanted()) sleep_while(number_, number);
      asleep_.fetch_sub(1);
    }
  }

  // Where the system gives no more threads, those that there are do the work.
  void start_workers(int wanted) {
    for (; workers_ < wanted && !no_more_; ++workers_) {
      try {
        std::thread(&Pool::work, this, static_cast<uint32_t>(workers_)).detach();
      } catch (const std::system_error&) {
        no_more_ = true;
        return;
      }
    }
  }

  struct alignas(64) Share : std::atomic<uint64_t> {
    Share() : std::atomic<uint64_t>(closed) {}
  };
  std::array<Share, most_shares> shares_;
  std::atomic<void (*)(void*, int64_t)> call_{nullptr};
  std::atomic<void*> f_{nullptr};
  std::atomic<uint32_t> blocks_{0}, share_count_{0}, helpers_{0};
  alignas(64) std::atomic<uint32_t> left_{0};
  std::atomic<uint32_t> caller_sleeps_{0};
  alignas(64) std::atomic<uint32_t> number_{0};
  std::atomic<int> asleep_{0};
  int workers_ = 0;
  bool no_more_ = false;
};

// Never destroyed, because its threads end with the process. A child of fork() has none of them,
// and gets a pool of its own.
Pool* pool = nullptr;
std::mutex pool_mutex;

int from_quota(const std::string& text) {
  std::istringstream words(text);
  double quota = 0, period = 0;
  if (!(words >> quota >> period) || quota <= 0 || period <= 0) return 1 << 16;  // "max"
  return std::max(1, static_cast<int>(quota / period + 0.5));
}

std::string read_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Processors that this process may use, and whole ones' worth of time that it gets.
int available() {
  static const int count = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    int processors = static_cast<int>(std::thread::hardware_concurrency());
    if (::sched_getaffinity(0, sizeof set, &set) == 0) processors = CPU_COUNT(&set);
    int quota = from_quota(read_line("/sys/fs/cgroup/cpu.max"));
    quota = std::min(quota, from_quota(read_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") + " " +
                                       read_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us")));
    return std::max(1, std::min(processors, quota));
  }();
  return count;
}

}  // namespace

int thread_count() {
  if (inside) return 1;
  // a number that was asked for is kept, also above the processors (tests do); by itself OpenMP
  // knows nothing of quotas
  static const bool asked = std::getenv("OMP_NUM_THREADS") != nullptr;
  static const int by_default = omp_get_max_threads();
  const int wanted = std::min(omp_get_max_threads(), omp_get_thread_limit());
  return std::max(1, !asked && wanted == by_default ? std::min(wanted, available()) : wanted);
}

void detail::run_blocks(int64_t blocks, void (*call)(void*, int64_t), void* f) {
  constexpr int64_t at_once = 1 << 30;  // blocks that a loop can number
  const std::unique_lock lock(pool_mutex, std::try_to_lock);
  if (!lock.owns_lock()) {
    for (int64_t b = 0; b < blocks; ++b) call(f, b);
    return;
  }
  if (!pool) {
    pool = new Pool;
    static std::once_flag once;
    std::call_once(once, [] { ::pthread_atfork(nullptr, nullptr, [] { pool = nullptr; }); });
  }
  const int threads = thread_count();
  inside = true;
  struct {
    void (*call)(void*, int64_t);
    void* f;
    int64_t first;
  } piece{call, f, 0};
  for (; piece.first < blocks; piece.first += at_once)
    pool->run(
        std::min(at_once, blocks - piece.first),
        [](void* p, int64_t b) {
          auto* of = static_cast<decltype(piece)*>(p);
          of->call(of->f, of->first + b);
        },
        &piece, threads);
  inside = false;
}

Threads::Threads(int count) : before_(omp_get_max_threads()) {
  if (count != before_) omp_set_num_threads(count);
}
Threads::~Threads() {
  if (omp_get_max_threads() != before_) omp_set_num_threads(before_);
}

}  // namespace gradus
