#include "gradus/base/json.h"

#include <array>

#include "gradus/base/error.h"
#include "gradus/base/file.h"

template class nlohmann::basic_json<>;
template class nlohmann::basic_json<nlohmann::ordered_map>;
template class nlohmann::detail::serializer<nlohmann::json>;
template class nlohmann::detail::serializer<nlohmann::ordered_json>;

namespace gradus {
namespace {

// What the parser would take and the rest of the program would not survive: nesting, which printing
// and copying follow down the stack; and, of an object that keeps its order, so many members that
// looking each one up takes for ever. One pass over the text, without memory.
std::string too_much(std::string_view text, int64_t most_members) {
  std::array<int64_t, deepest_json + 1> members{};
  size_t depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      else in_string = c != '"';
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '{' || c == '[') {
      if (++depth > deepest_json) return fmt::format("it nests more than {} deep", deepest_json);
      members[depth] = 0;
    }
    if ((c == '}' || c == ']') && depth > 0) --depth;
    if (c == ':' && ++members[depth] > most_members)
      return fmt::format("an object in it has more than {} members", most_members);
  }
  return "";
}

void check_size(std::string_view text, int64_t most_members) {
  if (const std::string fault = too_much(text, most_members); !fault.empty())
    throw nlohmann::json::other_error::create(599, fault,
                                              static_cast<const nlohmann::json*>(nullptr));
}

}  // namespace

nlohmann::json parse_json(std::string_view text, const nlohmann::json::parser_callback_t& callback,
                          bool throws) {
  if (throws) check_size(text, INT64_MAX);
  else if (!too_much(text, INT64_MAX).empty())
    return nlohmann::json(nlohmann::json::value_t::discarded);
  return nlohmann::json::parse(text, callback, throws);
}

nlohmann::ordered_json parse_ordered_json(std::string_view text) {
  check_size(text, most_ordered_members);
  return nlohmann::ordered_json::parse(text);
}

nlohmann::json read_any_json(const std::filesystem::path& path) {
  try {
    return parse_json(read_file(path));
  } catch (const nlohmann::json::exception& error) {
    fail("{}: not valid JSON: {}", path.string(), error.what());
  }
}

nlohmann::ordered_json read_ordered_json(const std::filesystem::path& path) {
  try {
    return parse_ordered_json(read_file(path));
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
