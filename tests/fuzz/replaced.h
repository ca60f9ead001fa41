// A file that another stands for, for a while.
#pragma once

#include <optional>

#include "gradus/base/file.h"
#include "tests/io/byte_files.h"

namespace gradus::testing {

// As long as this lives, `path` holds these bytes, or is not there where none are given; then what
// was there is there again.
class Replaced {
 public:
  Replaced(std::filesystem::path path, std::optional<std::string_view> bytes)
      : path_(std::move(path)) {
    if (std::filesystem::exists(path_)) before_ = read_file(path_);
    if (bytes) put(path_, std::string(*bytes));
    else std::filesystem::remove(path_);
  }
  ~Replaced() {
    if (before_) put(path_, *before_);
    else std::filesystem::remove(path_);
  }
  Replaced(const Replaced&) = delete;
  Replaced& operator=(const Replaced&) = delete;

 private:
  std::filesystem::path path_;
  std::optional<std::string> before_;
};

}  // namespace gradus::testing
