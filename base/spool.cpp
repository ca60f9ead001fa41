#include "gradus/base/spool.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "gradus/base/error.h"

namespace gradus {
namespace {
constexpr size_t buffer_bytes = size_t{1} << 18;
}

SpoolFile::SpoolFile(std::filesystem::path path, int64_t kept)
    : path_(std::move(path)),
      descriptor_(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)),
      written_(kept) {
  check(descriptor_ >= 0, "cannot write {}: {}", path_.string(), std::strerror(errno));
  const int64_t there = ::lseek(descriptor_, 0, SEEK_END);
  const bool cut = there >= kept && ::ftruncate(descriptor_, kept) == 0 &&
                   ::lseek(descriptor_, kept, SEEK_SET) == kept;
  if (!cut) {
    ::close(descriptor_);
    fail_run("{}: it has {} bytes, and {} were to be there", path_.string(), there, kept);
  }
}

SpoolFile::~SpoolFile() {
  unmap();
  ::close(descriptor_);
}

void SpoolFile::append(const void* bytes, size_t size) {
  buffer_.append(static_cast<const char*>(bytes), size);
  if (buffer_.size() >= buffer_bytes) flush();
}

void SpoolFile::flush() {
  for (size_t done = 0; done < buffer_.size();) {
    const ssize_t now = ::write(descriptor_, buffer_.data() + done, buffer_.size() - done);
    if (now < 0 && errno == EINTR) continue;
    if (now < 0) fail_run("cannot write {}: {}", path_.string(), std::strerror(errno));
    done += static_cast<size_t>(now);
    written_ += now;
  }
  buffer_.clear();
}

void SpoolFile::sync() {
  flush();
  if (::fsync(descriptor_) != 0)
    fail_run("cannot write {}: {}", path_.string(), std::strerror(errno));
}

std::span<char> SpoolFile::map() {
  flush();
  unmap();
  if (written_ == 0) return {};
  void* at = ::mmap(nullptr, static_cast<size_t>(written_), PROT_READ | PROT_WRITE, MAP_SHARED,
                    descriptor_, 0);
  if (at == MAP_FAILED) fail_run("cannot map {}: {}", path_.string(), std::strerror(errno));
  mapped_ = static_cast<char*>(at);
  mapped_size_ = static_cast<size_t>(written_);
  return {mapped_, mapped_size_};
}

void SpoolFile::unmap() {
  if (mapped_) ::munmap(mapped_, mapped_size_);
  mapped_ = nullptr;
}

}  // namespace gradus
