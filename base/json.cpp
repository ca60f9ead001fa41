#include "gradus/base/json.h"

#include <array>
#include <unordered_set>

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

// Follows a text and remembers the keys of the objects that are open.
class KeyWatch : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::optional<std::string> repeated;

  bool key(string_t& name) override {
    if (open_.back().insert(name).second) return true;
    repeated = name;
    return false;
  }
  bool start_object(std::size_t) override { return open_.emplace_back(), true; }
  bool end_object() override { return open_.pop_back(), true; }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

 private:
  std::vector<std::unordered_set<std::string>> open_;
};

}  // namespace

std::optional<std::string> repeated_key(std::string_view text) {
  KeyWatch watch;
  nlohmann::json::sax_parse(text, &watch);
  return watch.repeated;
}

nlohmann::json parse_json(std::string_view text, bool throws) {
  if (throws) check_size(text, INT64_MAX);
  else if (!too_much(text, INT64_MAX).empty())
    return nlohmann::json(nlohmann::json::value_t::discarded);
  return nlohmann::json::parse(text, nullptr, throws);
}

nlohmann::ordered_json parse_ordered_json(std::string_view text) {
  check_size(text, most_ordered_members);
  return nlohmann::ordered_json::parse(text);
}

void add_member(nlohmann::ordered_json::object_t& object, std::string name,
                nlohmann::ordered_json value) {
  object.emplace_back(std::move(name), std::move(value));
}

int64_t count_of(const nlohmann::ordered_json& object, const char* key) {
  const auto& value = object.at(key);
  if (!value.is_number_integer() || value.get<int64_t>() < 0)
    fail("{} is {}; it must be a whole number from 0", key, value.dump());
  return value.get<int64_t>();
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
