#include "gradus/base/memory_limit.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <charconv>
#include <fstream>

#include "gradus/base/error.h"

namespace gradus {

uint64_t parse_bytes(const std::string& option, const std::string& text) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  const std::string unit(at, end);
  int shift = -1;
  if (unit.empty() || unit == "B") shift = 0;
  if (unit == "K" || unit == "KB" || unit == "KiB") shift = 10;
  if (unit == "M" || unit == "MB" || unit == "MiB") shift = 20;
  if (unit == "G" || unit == "GB" || unit == "GiB") shift = 30;
  if (error != std::errc() || shift < 0 || number == 0 || number > (UINT64_MAX >> shift))
    fail("{} {}: it is a size, as 800M or 4G", option, text);
  return number << shift;
}

void limit_memory(uint64_t bytes) {
  rlimit limit{};
  ::getrlimit(RLIMIT_DATA, &limit);
  if (limit.rlim_cur <= bytes) return;
  limit.rlim_cur = bytes;
  ::setrlimit(RLIMIT_DATA, &limit);
}

void limit_memory(const std::string& option, const std::string& text) {
  limit_memory(parse_bytes(option, text));
  if (!could_allocate(uint64_t{16} << 20))
    fail_run("{} {}: there is not enough memory; the program itself leaves less than 16 MiB of it",
             option, text);
}

void respect_container_memory() {
  for (const char* path :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    std::ifstream file(path);
    uint64_t bytes = 0;
    // "max", or more than any machine has: there is no limit
    if (!(file >> bytes) || bytes == 0 || bytes > uint64_t{1} << 50) continue;
    limit_memory(bytes - bytes / 16);  // the rest: code, stacks, pages of files
  }
}

bool could_allocate(uint64_t bytes) {
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return false;
  ::munmap(memory, bytes);
  return true;
}

}  // namespace gradus
