// A file of JSON objects, one per line, written as a run goes on and flushed line by line, so that
// it can be followed and survives a kill.
#pragma once

#include "gradus/base/file.h"
#include "gradus/base/json.h"

namespace gradus {

class JsonLines {
 public:
  explicit JsonLines(const std::filesystem::path& path) : file_(path) {}
  void write(const nlohmann::ordered_json& object) { file_.append(object.dump() + "\n"); }

 private:
  GrowingFile file_;
};

}  // namespace gradus
