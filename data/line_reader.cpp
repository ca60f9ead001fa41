#include "gradus/data/line_reader.h"

#include <iostream>

#include "gradus/base/error.h"
#include "gradus/base/file.h"

namespace gradus {

LineReader::LineReader(const std::filesystem::path& path)
    : file_(path == "-" ? "standard input" : path.string()), in_(&owned_) {
  if (path == "-") {
    in_ = &std::cin;
    return;
  }
  check(!std::filesystem::is_directory(path), "cannot read {}: it is a folder", file_);
  owned_.open(path, std::ios::binary);
  check(owned_.is_open(), "cannot read {}: there is no such file, or it may not be read", file_);
}

bool LineReader::next(std::string& line) {
  if (!std::getline(*in_, line)) {
    if (in_->bad()) fail_run("cannot read {} after line {}", file_, number_);
    return false;
  }
  if (++number_ == 1 && line.rfind("\xEF\xBB\xBF", 0) == 0) line.erase(0, 3);
  check_utf8(line, file_, number_);
  return true;
}

}  // namespace gradus
