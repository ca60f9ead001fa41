// A file of JSON objects, one a line, written as a run goes on and flushed line by line, so that it can be followed and survives a kill.
#pragma once

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace gradus {

class JsonLines {
 public:
  explicit JsonLines(const std::filesystem::path& path) : path_(path.string()), file_(std::fopen(path.c_str(), "w")) {
    check(file_, "cannot write {}", path_);
  }
  ~JsonLines() { std::fclose(file_); }
  JsonLines(const JsonLines&) = delete;
  JsonLines& operator=(const JsonLines&) = delete;

  void write(const nlohmann::ordered_json& object) {
    const std::string line = object.dump() + "\n";
    if (std::fwrite(line.data(), 1, line.size(), file_) != line.size() || std::fflush(file_) != 0)
      fail_run("cannot write {}: is the disk full?", path_);
  }

 private:
  std::string path_;
  std::FILE* file_;
};

}  // namespace gradus
