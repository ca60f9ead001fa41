#include "gradus/base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
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

FileWriter::FileWriter(const fs::path& path) : path_(path) {
  temporary_.emplace(is_synced_later(path) ? path : temporary_beside(path));
  file_ = std::fopen(temporary_->path().c_str(), "wb");
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

void FileWriter::commit() {
  const bool later = is_synced_later(path_);
  const bool written = std::fflush(file_) == 0 && (later || ::fsync(::fileno(file_)) == 0);
  const int error = errno;
  const bool closed = std::fclose(std::exchange(file_, nullptr)) == 0;
  if (!written || !closed ||
      (!later && std::rename(temporary_->path().c_str(), path_.c_str()) != 0))
    fail_run("cannot write {}: {}", path_.string(), std::strerror(written ? errno : error));
  temporary_->keep();
}

GrowingFile::GrowingFile(const fs::path& path)
    : path_(path), file_(std::fopen(path.c_str(), "wb")) {
  check(file_, "cannot write {}: {}", path_.string(), reason());
}

void GrowingFile::append(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size() || std::fflush(file_) != 0)
    fail_run("cannot write {}: {}", path_.string(), reason());
}

MappedFile::MappedFile(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  check(file >= 0, "cannot read {}: {}", path.string(), reason());
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
  }
  ::close(file);
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<char*>(data_), size_);
}
MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

namespace {
// The length of the valid UTF-8 sequence at `text`, or 0; `bad` is then the length of the maximal
// invalid part (Unicode 3.9, table 3-7).
int utf8_length(const unsigned char* text, size_t left, int& bad) {
  const unsigned char first = text[0];
  if (first < 0x80) return 1;
  bad = 1;
  int length = 0;
  if (first >= 0xC2 && first <= 0xDF) length = 2;
  else if (first >= 0xE0 && first <= 0xEF) length = 3;
  else if (first >= 0xF0 && first <= 0xF4) length = 4;
  if (!length) return 0;
  // What the second byte may be, where the first makes others overlong, a surrogate or too large.
  unsigned char low = 0x80, high = 0xBF;
  if (first == 0xE0) low = 0xA0;
  if (first == 0xED) high = 0x9F;
  if (first == 0xF0) low = 0x90;
  if (first == 0xF4) high = 0x8F;
  for (int i = 1; i < length; ++i) {
    if (static_cast<size_t>(i) >= left || text[i] < (i == 1 ? low : 0x80) ||
        text[i] > (i == 1 ? high : 0xBF))
      return 0;
    bad = i + 1;
  }
  return length;
}
}  // namespace

size_t find_invalid_utf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  for (size_t i = 0; i < text.size();) {
    uint64_t word;
    if (i + 8 <= text.size() &&
        (std::memcpy(&word, bytes + i, 8), !(word & 0x8080808080808080ull))) {
      i += 8;
      continue;
    }
    int bad = 0;
    const int length = utf8_length(bytes + i, text.size() - i, bad);
    if (!length) return i;
    i += static_cast<size_t>(length);
  }
  return std::string_view::npos;
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string out;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  for (size_t i = 0; i < text.size();) {
    int bad = 0;
    const int length = utf8_length(bytes + i, text.size() - i, bad);
    if (length) out.append(text.substr(i, static_cast<size_t>(length)));
    else out.append("\xEF\xBF\xBD");
    i += static_cast<size_t>(length ? length : bad);
  }
  return out;
}

void check_utf8(std::string_view line, const std::string& file, int64_t number,
                std::string_view advice) {
  if (const size_t invalid = find_invalid_utf8(line); invalid != std::string_view::npos)
    fail("{}:{}: byte {} (0x{:02x}) is not valid UTF-8; convert the file{}", file, number,
         invalid + 1, static_cast<unsigned char>(line[invalid]), advice);
}

void for_each_line(const fs::path& path, const std::function<void(std::string_view, int64_t)>& f,
                   bool replace_invalid) {
  const MappedFile file(path);
  std::string_view rest = file.view();
  if (rest.substr(0, 3) == "\xEF\xBB\xBF") rest.remove_prefix(3);
  for (int64_t number = 1; !rest.empty(); ++number) {
    const size_t end = rest.find('\n');
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (replace_invalid && find_invalid_utf8(line) != std::string_view::npos) {
      f(replace_invalid_utf8(line), number);
      continue;
    }
    check_utf8(line, path.string(), number, ", or read it as U+FFFD, with options.replace_invalid");
    f(line, number);
  }
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

uint64_t hash_bytes(const void* bytes, size_t size, uint64_t hash) {
  const auto* at = static_cast<const unsigned char*>(bytes);
  const auto mix = [&](uint64_t word) {
    hash = (hash ^ word) * 0x100000001b3ull;
    hash ^= hash >> 29;
  };
  for (; size >= 8; at += 8, size -= 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    mix(word);
  }
  uint64_t tail = 0;
  std::memcpy(&tail, at, size);
  mix(tail ^ (static_cast<uint64_t>(size) << 56));
  return hash;
}

}  // namespace gradus
