// A JSON file, as an Error where it is none.
#pragma once

#include <nlohmann/json.hpp>

#include "gradus/base/error.h"
#include "gradus/base/file.h"

namespace gradus {

inline nlohmann::json read_any_json(const std::filesystem::path& path) {
  try {
    // The parser does not recurse, but printing and copying do.
    return nlohmann::json::parse(
        read_file(path), [&](int depth, nlohmann::json::parse_event_t, const nlohmann::json&) {
          check(depth <= 100, "{}: it nests more than 100 deep", path.string());
          return true;
        });
  } catch (const nlohmann::json::exception& error) {
    fail("{}: not valid JSON: {}", path.string(), error.what());
  }
}

// A file that holds one object.
inline nlohmann::json read_json(const std::filesystem::path& path) {
  nlohmann::json json = read_any_json(path);
  check(json.is_object(), "{}: it must be a JSON object", path.string());
  return json;
}

}  // namespace gradus
