#include "gradus/base/temporary.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>
#include <system_error>

#include "gradus/base/error.h"

namespace gradus {
namespace fs = std::filesystem;

namespace {

// A fixed table, because a signal handler may read nothing that is allocated. A place whose path
// begins with 0 is free.
constexpr int places = 32;
constexpr size_t longest = 4096;
char paths[places][longest];
std::atomic<bool> taken[places];

// Removes the files of a folder, and it; by system calls alone, which a signal handler may make.
void remove_folder(const char* path) {
  const int folder = ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return;
  alignas(8) char buffer[2048];
  for (long size; (size = ::syscall(SYS_getdents64, folder, buffer, sizeof buffer)) > 0;) {
    for (long at = 0; at < size;) {
      // struct linux_dirent64: inode and offset (8 bytes each), length, type, name
      unsigned short length;
      std::memcpy(&length, buffer + at + 16, sizeof length);
      ::unlinkat(folder, buffer + at + 19, 0);
      at += length;
    }
  }
  ::close(folder);
  ::rmdir(path);
}

void remove_and_end(int signal) {
  for (int i = 0; i < places; ++i)
    if (taken[i].load() && ::unlink(paths[i]) != 0) remove_folder(paths[i]);
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

}  // namespace

fs::path temporary_beside(const fs::path& path) {
  uint64_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != sizeof random)
    fail_run("cannot write {}: the system gives no random numbers", path.string());
  return path.string() + fmt::format(".tmp-{:012x}", random >> 16);
}

Temporary::Temporary(fs::path path) : path_(std::move(path)), place_(-1) {
  const std::string text = path_.string();
  if (text.size() >= longest) return;
  for (int i = 0; i < places && place_ < 0; ++i) {
    bool expected = false;
    // the path before the mark, for a signal that comes in between
    if (taken[i].load()) continue;
    std::memcpy(paths[i], text.c_str(), text.size() + 1);
    if (taken[i].compare_exchange_strong(expected, true)) place_ = i;
  }
}

Temporary::~Temporary() {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  keep();
}

void Temporary::keep() {
  if (place_ >= 0) taken[place_].store(false);
  place_ = -1;
  path_.clear();
}

bool is_being_written(const fs::path& path) {
  for (int i = 0; i < places; ++i)
    if (taken[i].load() && path == paths[i]) return true;
  return false;
}

void remove_temporaries_on_signals() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    if (::sigaction(signal, nullptr, &before) != 0 || before.sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = remove_and_end;
    ::sigaction(signal, &action, nullptr);
  }
}

}  // namespace gradus
