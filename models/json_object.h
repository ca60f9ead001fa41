// Reading a configuration: a JSON object whose members are looked up by key, each of them optional.
#pragma once

#include "gradus/base/json.h"

namespace gradus {

class JsonObject {
 public:
  // An Error unless it is one; `origin` is where the text came from.
  JsonObject(const std::string& text, std::string origin) : origin_(std::move(origin)) {
    try {
      json_ = parse_json(text);
    } catch (const nlohmann::json::exception& error) {
      fail("{}: not valid JSON: {}", origin_, error.what());
    }
    check(json_.is_object(), "{}: the configuration must be a JSON object", origin_);
  }

  // Leaves `value` as it is where the key is missing or null; an Error where it is of another kind.
  template <class T>
  void read(const char* key, T& value) const {
    const auto found = json_.find(key);
    if (found != json_.end() && !found->is_null()) convert(key, *found, value);
  }
  template <class T>
  void convert(const std::string& key, const nlohmann::json& from, T& value) const {
    try {
      if (std::is_same_v<T, int64_t> && !from.is_number_integer())
        throw nlohmann::json::type_error::create(302, "no whole number", nullptr);
      from.get_to(value);
    } catch (const nlohmann::json::exception&) {
      fail("{}: {} is {}, which is of the wrong kind", origin_, key, from.dump());
    }
  }

  const nlohmann::json& json() const { return json_; }
  const std::string& origin() const { return origin_; }

 private:
  std::string origin_;
  nlohmann::json json_;
};

}  // namespace gradus
