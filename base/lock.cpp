#include "gradus/base/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <map>
#include <mutex>

#include "gradus/base/error.h"

namespace gradus {
namespace fs = std::filesystem;

namespace {

constexpr std::time_t fresh = 600;  // seconds for which another machine's lock is believed

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

std::string read_descriptor(int file) {
  std::array<char, 512> text{};
  const ssize_t size = ::pread(file, text.data(), text.size() - 1, 0);
  std::string line(text.data(), static_cast<size_t>(std::max<ssize_t>(size, 0)));
  return line.substr(0, line.find('\n'));
}

[[noreturn]] void fail_held(const fs::path& folder, const std::string& who) {
  fail("{}: it is in use by another run ({}); wait for its end, or write to another folder",
       folder.string(), who.empty() ? "which has not said who it is" : who);
}

}  // namespace

struct FolderLock::Held {
  fs::path path;
  int file = -1;
  Held(const fs::path& folder, fs::path lock_path) : path(std::move(lock_path)) {
    for (;;) {
      file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
      check(file >= 0, "cannot write {}: {}", path.string(), std::strerror(errno));
      const bool busy = ::flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
      if (busy) {
        const std::string who = read_descriptor(file);
        ::close(file);
        fail_held(folder, who);
      }
      // The one who held it may have removed the file between open and flock.
      struct stat opened {
      }, there{};
      if (::fstat(file, &opened) == 0 && ::stat(path.c_str(), &there) == 0 &&
          opened.st_ino == there.st_ino && opened.st_dev == there.st_dev) {
        believe_other_machines(folder, there.st_mtime);
        break;
      }
      ::close(file);
    }
    std::time_t now = std::time(nullptr);
    std::array<char, 32> since{};
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    std::strftime(since.data(), since.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
    const std::string line =
        fmt::format("host {} process {} since {}\n", host_name(), ::getpid(), since.data());
    // who holds it is for people: where the disk is full, the lock holds all the same
    if (::ftruncate(file, 0) != 0 || ::pwrite(file, line.data(), line.size(), 0) < 0) return;
  }
  ~Held() {
    ::unlink(path.c_str());
    ::close(file);
  }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;

 private:
  void believe_other_machines(const fs::path& folder, std::time_t touched) {
    const std::string who = read_descriptor(file);
    if (who.empty() || who.starts_with("host " + host_name() + " ") ||
        std::time(nullptr) - touched > fresh)
      return;
    ::close(file);
    fail(
        "{}: it is in use by a run of another machine ({}), or was until less than {} minutes "
        "ago; if that run has ended, remove {}",
        folder.string(), who, fresh / 60, path.string());
  }
};

FolderLock::FolderLock(const fs::path& folder) {
  static std::mutex mutex;
  static std::map<fs::path, std::weak_ptr<Held>> all;
  const std::lock_guard guard(mutex);
  std::error_code error;
  const fs::path real = fs::canonical(folder, error);
  check(!error, "cannot write into {}: {}", folder.string(), error.message());
  held_ = all[real].lock();
  if (held_) return;
  held_ = std::make_shared<Held>(folder, real / ".gradus.lock");
  all[real] = held_;
}

void FolderLock::touch() const { ::futimens(held_->file, nullptr); }

}  // namespace gradus
