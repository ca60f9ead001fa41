// ByteStream: the bytes of a file or of standard input, in the memory of a buffer. What gzip or
// zstd have made smaller is read as what it was: told by its first bytes, whatever its name is.
// Several members or frames one after the other are one stream, as gunzip and zstdcat take them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "gradus/base/file.h"

namespace gradus {

class ByteStream {
 public:
  // "-": standard input. A folder or an unreadable file is an Error.
  explicit ByteStream(const std::filesystem::path& path);
  ~ByteStream();
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  // Up to `size` bytes, at least one; 0 at the end. Waits only where nothing is there. What is cut
  // off or damaged is an Error.
  size_t read(char* out, size_t size);
  // Whether read() would wait: who writes the bytes has paused.
  bool pauses();

  const std::string& name() const { return name_; }  // for error texts
  int64_t taken() const { return taken_; }           // bytes of the file itself, as it lies there
  uint64_t hash() const { return hash_.value(); }    // hash_bytes() of those

  struct Decoder;  // of gzip or of zstd

 private:
  void fill();
  void recognise();

  std::string name_, input_;
  int descriptor_;
  size_t at_ = 0;  // where what is not yet decoded begins in input_
  bool ended_ = false, recognised_ = false;
  std::unique_ptr<Decoder> decoder_;  // none: as it is
  int64_t taken_ = 0;
  RunningHash hash_;
};

}  // namespace gradus
