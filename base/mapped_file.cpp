#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "gradus/base/error.h"
#include "gradus/base/file.h"

namespace gradus {
namespace fs = std::filesystem;

namespace {

// The mappings that there are, for a signal handler, which may read nothing that is allocated.
struct Mapping {
  std::atomic<const char*> begin{nullptr};
  size_t size = 0;
  char path[512] = "";
};
Mapping mappings[256];

void remember(const char* begin, size_t size, const std::string& path) {
  for (Mapping& mapping : mappings) {
    const char* none = nullptr;
    if (mapping.begin.load() || !mapping.begin.compare_exchange_strong(none, begin)) continue;
    mapping.size = size;
    std::snprintf(mapping.path, sizeof mapping.path, "%s", path.c_str());
    return;
  }
}

void forget(const char* begin) {
  for (Mapping& mapping : mappings) {
    const char* expected = begin;
    mapping.begin.compare_exchange_strong(expected, nullptr);
  }
}

void say(const char* text) {
  if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) return;
}

void on_bus_error(int signal, siginfo_t* info, void*) {
  const auto* at = static_cast<const char*>(info->si_addr);
  for (const Mapping& mapping : mappings) {
    const char* begin = mapping.begin.load();
    if (!begin || at < begin || at >= begin + mapping.size) continue;
    say("gradus: ");
    say(mapping.path);
    say(": the file was cut off while it was read\n");
    ::_exit(1);
  }
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

}  // namespace

void explain_cut_files() {
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, nullptr);
}

MappedFile::MappedFile(const fs::path& path) {
  // not blocking: a pipe that nobody writes to is refused, not waited for
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  check(file >= 0, "cannot read {}: {}", path.string(), std::strerror(errno));
  struct stat info {};
  const bool regular = ::fstat(file, &info) == 0 && S_ISREG(info.st_mode);
  if (!regular) {
    ::close(file);
    fail("cannot read {}: it is not a regular file", path.string());
  }
  size_ = static_cast<size_t>(info.st_size);
  if (size_) {
    void* map = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
    if (map == MAP_FAILED) {
      const int error = errno;
      ::close(file);
      fail("cannot read {}: {}", path.string(), std::strerror(error));
    }
    data_ = static_cast<const char*>(map);
    remember(data_, size_, path.string());
  }
  ::close(file);
}

MappedFile::~MappedFile() {
  if (!data_) return;
  forget(data_);
  ::munmap(const_cast<char*>(data_), size_);
}
MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace gradus
