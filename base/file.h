// Files: read whole, read by mapping, read as checked lines; written so that a reader sees the old
// file or the whole new one, never a part. Every failure is an Error that names the path and the
// system's reason.
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "gradus/base/temporary.h"

namespace gradus {

std::string read_file(const std::filesystem::path& path);

// Writes to a temporary file beside `path`, syncs it and renames it over `path`.
void write_file(const std::filesystem::path& path, std::string_view bytes);

// The same for content that is produced bit by bit: write(bytes) as often as needed, then commit().
// Without commit() nothing is left behind. A link stays one: the file that it points to is
// replaced. What is there and is no regular file (a pipe, a terminal, /dev/null) is written
// through.
class FileWriter {
 public:
  explicit FileWriter(const std::filesystem::path& path);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;
  void write(const void* bytes, size_t size);
  void write(std::string_view bytes) { write(bytes.data(), bytes.size()); }
  void seek(uint64_t offset);  // for a header that is known last
  uint64_t position() const { return position_; }
  void flush();  // what was written can be read, where it is written through
  void commit();

 private:
  std::filesystem::path path_;
  std::optional<Temporary> temporary_;  // none: written through
  std::FILE* file_ = nullptr;
  uint64_t position_ = 0;
};

// A file that is read while it grows: what one append() was given is there when it returns. Begins
// empty. A kill may cut off the last one.
class GrowingFile {
 public:
  explicit GrowingFile(const std::filesystem::path& path);
  ~GrowingFile() { std::fclose(file_); }
  GrowingFile(const GrowingFile&) = delete;
  GrowingFile& operator=(const GrowingFile&) = delete;
  void append(std::string_view bytes);

 private:
  std::filesystem::path path_;
  std::FILE* file_;
};

// A file's bytes as memory, read-only; the mapping lives as long as this object. Movable, not
// copyable. What is no regular file is refused. Where another program cuts the file off meanwhile,
// the system ends the process (SIGBUS); with explain_cut_files() it ends with a line that says so.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  const char* data() const { return data_; }
  size_t size() const { return size_; }
  std::string_view view() const { return {data_, size_}; }

 private:
  const char* data_ = nullptr;
  size_t size_ = 0;
};

// For programs: exit code 1 and a line that names the file, in place of SIGBUS.
void explain_cut_files();

// The byte offset of the first byte that is not valid UTF-8 (overlong forms, surrogates and values
// past U+10FFFF are not), or npos.
size_t find_invalid_utf8(std::string_view text);

// Text with every maximal invalid part replaced by U+FFFD.
std::string replace_invalid_utf8(std::string_view text);

// An Error where `line` is not valid UTF-8; it names the file, the line's number and the byte.
// `advice` is added to its text.
void check_utf8(std::string_view line, const std::string& file, int64_t number,
                std::string_view advice = "");

// Where a text of more than `most` bytes may be cut: the length of a first part of at most that
// much, which ends after its last ASCII white space, or, where it has none, between two characters.
// All of it where it is shorter.
size_t part_of(std::string_view text, size_t most);

// Calls f(line, number) for each line, without its \n or \r\n, numbers from 1; a byte-order mark at
// the start is dropped. Invalid UTF-8 is an Error that names the file and the line, or is replaced
// by U+FFFD where replace_invalid is set.
void for_each_line(const std::filesystem::path& path,
                   const std::function<void(std::string_view line, int64_t number)>& f,
                   bool replace_invalid = false);

// Whether both are there and are one.
bool is_same_folder(const std::filesystem::path& a, const std::filesystem::path& b);

// Makes the folder for a run's output. Refuses a path that is a file, a folder that cannot be
// written, and a folder that is not empty unless `reuse`.
void make_output_folder(const std::filesystem::path& path, bool reuse = false);

// 64-bit FNV-1a over 8-byte words, for fingerprints and checksums; not against an adversary.
// RunningHash is that of bytes that come in pieces, cut anywhere.
class RunningHash {
 public:
  explicit RunningHash(uint64_t start = 0xcbf29ce484222325ull) : hash_(start) {}
  void add(const void* bytes, size_t size);
  uint64_t value() const;

 private:
  void mix(uint64_t word);
  uint64_t hash_;
  unsigned char waiting_[8] = {};  // less than a word
  size_t waits_ = 0;
};
uint64_t hash_bytes(const void* bytes, size_t size, uint64_t start = 0xcbf29ce484222325ull);
inline uint64_t hash_bytes(std::string_view text, uint64_t start = 0xcbf29ce484222325ull) {
  return hash_bytes(text.data(), text.size(), start);
}

}  // namespace gradus
