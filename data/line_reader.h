// LineReader: a text file or standard input, a line at a time, in the memory of a line.
// (for_each_line in base/file.h is for files alone.)
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iosfwd>
#include <string>

namespace gradus {

class LineReader {
 public:
  // "-": standard input. A folder or an unreadable file is an Error
  explicit LineReader(const std::filesystem::path& path);
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // The next line without its \n (a \r stays), false at the end. A byte-order mark is dropped;
  // invalid UTF-8 is an Error with file and line.
  bool next(std::string& line);

  const std::string& file() const { return file_; }  // its name, for error texts
  int64_t number() const { return number_; }         // of the line read last, from 1

 private:
  std::string file_;
  std::ifstream owned_;
  std::istream* in_;
  int64_t number_ = 0;
};

}  // namespace gradus
