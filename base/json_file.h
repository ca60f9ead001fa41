// A JSON file that holds one object, as an Error where it does not.
#pragma once

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"

namespace gradus {

inline nlohmann::json read_json(const std::filesystem::path& path) {
  nlohmann::json json;
  try {
    // The parser does not recurse, but printing and copying do.
    json = nlohmann::json::parse(read_file(path), [&](int depth, nlohmann::json::parse_event_t, const nlohmann::json&) {
      check(depth <= 100, "{}: it nests more than 100 deep", path.string());
      return true;
    });
  } catch (const nlohmann::json::exception& error) {
    fail("{}: not valid JSON: {}", path.string(), error.what());
  }
  check(json.is_object(), "{}: it must be a JSON object", path.string());
  return json;
}

}  // namespace gradus
