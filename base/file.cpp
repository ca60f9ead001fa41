#include "gradus/base/file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "gradus/base/error.h"
#include "gradus/base/folder.h"

namespace gradus {
namespace fs = std::filesystem;

namespace {
const char* reason() { return std::strerror(errno); }
}  // namespace

std::string read_file(const fs::path& path) {
  const MappedFile file(path);
  return std::string(file.view());
}

void write_file(const fs::path& path, std::string_view bytes) {
  FileWriter file(path);
  file.write(bytes);
  file.commit();
}

namespace {

// Where the bytes of `path` are: behind its links, if it is one.
fs::path behind_links(const fs::path& path) {
  std::error_code error;
  fs::path at = path;
  for (int links = 0; links < 40 && fs::is_symlink(at, error); ++links) {
    const fs::path target = fs::read_symlink(at, error);
    at = target.is_absolute() ? target : at.parent_path() / target;
  }
  return at;
}

}  // namespace

FileWriter::FileWriter(const fs::path& path) : path_(path) {
  std::error_code error;
  const bool through = fs::exists(path, error) && !fs::is_regular_file(path, error);
  if (!through) path_ = behind_links(path);
  check(!fs::is_directory(path_, error), "cannot write {}: it is a folder", path.string());
  if (!through) temporary_.emplace(is_synced_later(path_) ? path_ : temporary_beside(path_));
  file_ = std::fopen(through ? path_.c_str() : temporary_->path().c_str(), "wb");
  check(file_, "cannot write {}: {}", path_.string(), reason());
}

FileWriter::~FileWriter() {
  if (file_) std::fclose(file_);
}

void FileWriter::write(const void* bytes, size_t size) {
  if (size && std::fwrite(bytes, 1, size, file_) != size)
    fail_run("cannot write {}: {}", path_.string(), reason());
  position_ += size;
}

void FileWriter::seek(uint64_t offset) {
  if (::fseeko(file_, static_cast<off_t>(offset), SEEK_SET))
    fail_run("cannot write {}: {}", path_.string(), reason());
  position_ = offset;
}

void FileWriter::flush() {
  if (!temporary_ && std::fflush(file_) != 0)
    fail_run("cannot write {}: {}", path_.string(), reason());
}

void FileWriter::commit() {
  const bool later = !temporary_ || is_synced_later(path_);
  bool done = std::fflush(file_) == 0 && (later || ::fsync(::fileno(file_)) == 0);
  int error = errno;
  if (std::fclose(std::exchange(file_, nullptr)) != 0 && std::exchange(done, false)) error = errno;
  if (done && !later && std::rename(temporary_->path().c_str(), path_.c_str()) != 0) {
    done = false;
    error = errno;
  }
  if (!done) fail_run("cannot write {}: {}", path_.string(), std::strerror(error));
  if (temporary_) temporary_->keep();
}

GrowingFile::GrowingFile(const fs::path& path)
    : path_(path), file_(std::fopen(path.c_str(), "wb")) {
  check(file_, "cannot write {}: {}", path_.string(), reason());
}

void GrowingFile::append(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size() || std::fflush(file_) != 0)
    fail_run("cannot write {}: {}", path_.string(), reason());
}

bool is_same_folder(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code error;
  return std::filesystem::equivalent(a, b, error) && !error;
}

void make_output_folder(const fs::path& path, bool reuse) {
  std::error_code error;
  if (fs::exists(path, error)) {
    check(fs::is_directory(path, error), "{}: it is a file; name a folder for the output",
          path.string());
    const fs::directory_iterator inside(path, error), none;
    if (!reuse && std::any_of(inside, none, [](const fs::directory_entry& entry) {
          return !entry.path().filename().string().starts_with(".gradus.");
        }))
      fail(
          "{}: the folder is not empty; name another one, or write into it, with options.overwrite",
          path.string());
  } else {
    fs::create_directories(path, error);
    check(!error, "{}: cannot make the folder: {}", path.string(), error.message());
  }
  check(::access(path.c_str(), W_OK | X_OK) == 0, "{}: the folder cannot be written: {}",
        path.string(), reason());
}

void RunningHash::mix(uint64_t word) {
  hash_ = (hash_ ^ word) * 0x100000001b3ull;
  hash_ ^= hash_ >> 29;
}

void RunningHash::add(const void* bytes, size_t size) {
  const auto* at = static_cast<const unsigned char*>(bytes);
  uint64_t word;
  if (waits_ > 0) {
    const size_t part = std::min(size, 8 - waits_);
    std::memcpy(waiting_ + waits_, at, part);
    waits_ += part, at += part, size -= part;
    if (waits_ < 8) return;
    std::memcpy(&word, waiting_, 8);
    mix(word);
  }
  for (; size >= 8; at += 8, size -= 8) {
    std::memcpy(&word, at, 8);
    mix(word);
  }
  if (size > 0) std::memcpy(waiting_, at, size);  // nothing may be at nullptr
  waits_ = size;
}

uint64_t RunningHash::value() const {
  RunningHash whole = *this;
  uint64_t tail = 0;
  std::memcpy(&tail, waiting_, waits_);
  whole.mix(tail ^ (static_cast<uint64_t>(waits_) << 56));
  return whole.hash_;
}

uint64_t hash_bytes(const void* bytes, size_t size, uint64_t start) {
  RunningHash hash(start);
  hash.add(bytes, size);
  return hash.value();
}

}  // namespace gradus
