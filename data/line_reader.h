// LineReader: a text file or standard input, a line at a time, in the memory of a line; what gzip
// or zstd made of it as well. (for_each_line in base/file.h is for files alone.)
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "gradus/base/byte_stream.h"

namespace gradus {

class LineReader {
 public:
  // "-": standard input. A folder or an unreadable file is an Error
  explicit LineReader(const std::filesystem::path& path);

  // The next line without its \n (a \r stays), false at the end. A byte-order mark is dropped;
  // invalid UTF-8 is an Error with file and line.
  bool next(std::string& line);

  // Whether next() would wait: who writes the lines has paused, perhaps for an answer to those
  // that were read.
  bool pauses();

  const std::string& file() const { return stream_.name(); }  // its name, for error texts
  int64_t number() const { return number_; }                  // of the line read last, from 1

 private:
  void fill();

  ByteStream stream_;
  std::string buffer_;
  size_t at_ = 0;  // where the next line begins in the buffer
  bool at_end_ = false;
  int64_t number_ = 0;
};

}  // namespace gradus
