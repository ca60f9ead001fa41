// JSON: nlohmann's, and its files. Its large functions are compiled once, in json.cpp: a file that
// includes <nlohmann/json.hpp> itself compiles them again, so none does (tests/structure).
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

extern template class nlohmann::basic_json<>;
extern template class nlohmann::basic_json<nlohmann::ordered_map>;
extern template class nlohmann::detail::serializer<nlohmann::json>;
extern template class nlohmann::detail::serializer<nlohmann::ordered_json>;

namespace gradus {

// Texts that nest deeper are no JSON here.
inline constexpr size_t deepest_json = 100;
// and, of objects whose members keep their order, those with more of them
inline constexpr int64_t most_ordered_members = 20000;

// nlohmann's parse: what is no JSON throws a nlohmann::json::exception, or, where nothing is to be
// thrown, gives a value that is_discarded(). All JSON is read by these two, in time that grows with
// its length. An object that is parsed in order keeps its members in the order of the text.
nlohmann::json parse_json(std::string_view text, bool throws = true);
nlohmann::ordered_json parse_ordered_json(std::string_view text);

// The first key that some object of a JSON text has twice, of which parsing takes the last; nothing
// where there is none.
std::optional<std::string> repeated_key(std::string_view text);

// A JSON file, as an Error where it is none; read_json's holds one object.
nlohmann::json read_any_json(const std::filesystem::path& path);
nlohmann::json read_json(const std::filesystem::path& path);
nlohmann::ordered_json read_ordered_json(const std::filesystem::path& path);

// Adds a member to an object that has none of its name. ordered_json's own way looks for it among
// all that are there: with thousands of them, too slow.
void add_member(nlohmann::ordered_json::object_t& object, std::string name,
                nlohmann::ordered_json value);

// A member that counts something. An Error where it is no whole number from 0.
int64_t count_of(const nlohmann::ordered_json& object, const char* key);

}  // namespace gradus
