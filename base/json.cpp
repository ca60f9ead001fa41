#include "gradus/base/json.h"

#include "gradus/base/error.h"
#include "gradus/base/file.h"

template class nlohmann::basic_json<>;
template class nlohmann::basic_json<nlohmann::ordered_map>;
template class nlohmann::detail::serializer<nlohmann::json>;
template class nlohmann::detail::serializer<nlohmann::ordered_json>;

namespace gradus {

nlohmann::json parse_json(std::string_view text, const nlohmann::json::parser_callback_t& callback,
                          bool throws) {
  return nlohmann::json::parse(text, callback, throws);
}

nlohmann::ordered_json parse_ordered_json(
    std::string_view text, const nlohmann::ordered_json::parser_callback_t& callback) {
  return nlohmann::ordered_json::parse(text, callback);
}

nlohmann::json read_any_json(const std::filesystem::path& path) {
  try {
    // The parser does not recurse, but printing and copying do.
    return parse_json(read_file(path),
                      [&](int depth, nlohmann::json::parse_event_t, const nlohmann::json&) {
                        check(depth <= 100, "{}: it nests more than 100 deep", path.string());
                        return true;
                      });
  } catch (const nlohmann::json::exception& error) {
    fail("{}: not valid JSON: {}", path.string(), error.what());
  }
}

nlohmann::json read_json(const std::filesystem::path& path) {
  nlohmann::json json = read_any_json(path);
  check(json.is_object(), "{}: it must be a JSON object", path.string());
  return json;
}

}  // namespace gradus
