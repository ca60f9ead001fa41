#include "gradus/autograd/memory.h"

#include <sys/mman.h>

#include <array>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "gradus/base/error.h"

#if defined(__SANITIZE_ADDRESS__)
#define GRADUS_PLAIN_MALLOC 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GRADUS_PLAIN_MALLOC 1
#endif
#endif

namespace gradus {
namespace {

constexpr size_t small_limit = 4096, page = 4096;
[[maybe_unused]] constexpr size_t huge_page = size_t{2} << 20;  // unused where ASan allocates
constexpr size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

class Heap {
 public:
  void* take(size_t bytes) {
    const std::lock_guard lock(mutex_);
    void* block = bytes <= small_limit ? take_small(bytes) : take_large(bytes);
    live_ += bytes;
    peak_ = std::max(peak_, live_);
    return block;
  }
  void give(void* block, size_t bytes) {
    const std::lock_guard lock(mutex_);
    live_ -= bytes;
    if (bytes <= small_limit) small_[bytes / 64 - 1].push_back(block);
    else give_large(static_cast<char*>(block), bytes);
  }
  MemoryStatistics statistics() {
    const std::lock_guard lock(mutex_);
    return {live_, peak_, used_};
  }
  void reset_peak() {
    const std::lock_guard lock(mutex_);
    peak_ = live_;
  }

 private:
#ifdef GRADUS_PLAIN_MALLOC
  void* take_small(size_t bytes) { return take_large(bytes); }
  void* take_large(size_t bytes) {
    used_ += bytes;
    return std::aligned_alloc(64, bytes);
  }
  void give_large(char* block, size_t bytes) {
    used_ -= bytes;
    std::free(block);
  }
#else
  void* take_small(size_t bytes) {
    auto& list = small_[bytes / 64 - 1];
    if (list.empty()) {
      const size_t slab = 16 * small_limit;
      char* at = static_cast<char*>(take_large(slab));
      for (size_t offset = 0; offset + bytes <= slab; offset += bytes) list.push_back(at + offset);
    }
    void* block = list.back();
    list.pop_back();
    return block;
  }

  void* take_large(size_t bytes) {
    auto fit = by_size_.lower_bound({bytes, nullptr});
    if (fit == by_size_.end()) {
      grow(bytes);
      fit = by_size_.lower_bound({bytes, nullptr});
    }
    const auto [size, block] = *fit;
    by_size_.erase(fit);
    by_address_.erase(block);
    if (size > bytes) insert(block + bytes, size - bytes);
    return block;
  }

  void give_large(char* block, size_t size) {
    auto after = by_address_.lower_bound(block);
    if (after != by_address_.end() && block + size == after->first) {
      size += after->second;
      by_size_.erase({after->second, after->first});
      after = by_address_.erase(after);
    }
    if (after != by_address_.begin()) {
      const auto before = std::prev(after);
      if (before->first + before->second == block) {
        block = before->first;
        size += before->second;
        by_size_.erase({before->second, before->first});
        by_address_.erase(before);
      }
    }
    insert(block, size);
  }

  void insert(char* block, size_t size) {
    by_address_.emplace(block, size);
    by_size_.emplace(size, block);
  }

  // Makes the range longer, by no more than what the free block at its end lacks.
  void grow(size_t bytes) {
    if (!start_) reserve();
    size_t tail = 0;
    if (!by_address_.empty()) {
      const auto last = std::prev(by_address_.end());
      if (last->first + last->second == start_ + used_) tail = last->second;
    }
    const size_t more = round_up(bytes - tail, huge_page);
    if (used_ + more > reserved_ || ::mprotect(start_ + used_, more, PROT_READ | PROT_WRITE) != 0)
      fail_run("out of memory: {} MiB are in use and {} MiB more were asked for", live_ >> 20,
               bytes >> 20);
    ::madvise(start_ + used_, more, MADV_HUGEPAGE);
    char* block = start_ + used_;
    used_ += more;
    give_large(block, more);
  }

  // Address space only: pages count when they are first written.
  void reserve() {
    for (reserved_ = size_t{1} << 40; reserved_ >= huge_page; reserved_ /= 2) {
      void* range = ::mmap(nullptr, reserved_ + huge_page, PROT_NONE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (range == MAP_FAILED) continue;
      start_ = reinterpret_cast<char*>(round_up(reinterpret_cast<size_t>(range), huge_page));
      return;
    }
    fail_run("cannot reserve any memory for tensors");
  }

  char* start_ = nullptr;
  size_t reserved_ = 0;
  std::map<char*, size_t> by_address_;  // the free blocks, twice
  std::set<std::pair<size_t, char*> > by_size_;
#endif
  std::mutex mutex_;
  std::array<std::vector<void*>, small_limit / 64> small_;
  size_t used_ = 0, live_ = 0, peak_ = 0;
};

// Never destroyed: tensors with static storage may outlive it.
Heap& heap() {
  static Heap& instance = *new Heap;
  return instance;
}

}  // namespace

std::shared_ptr<void> allocate(size_t bytes) {
  const size_t rounded = round_up(std::max<size_t>(bytes, 1), bytes <= small_limit ? 64 : page);
  return std::shared_ptr<void>(heap().take(rounded),
                               [rounded](void* block) { heap().give(block, rounded); });
}

MemoryStatistics memory_statistics() { return heap().statistics(); }
void reset_memory_peak() { heap().reset_peak(); }

}  // namespace gradus
