#include "gradus/text/reading_plan.h"

#include "gradus/base/error.h"

namespace gradus {
namespace fs = std::filesystem;

bool is_readable_again(const fs::path& file) { return file != "-" && fs::is_regular_file(file); }

nlohmann::ordered_json identity_of(const fs::path& file) {
  return {file.string(), fs::file_size(file), fs::last_write_time(file).time_since_epoch().count()};
}

void check_same_plan(const nlohmann::ordered_json& begun, const nlohmann::ordered_json& plan,
                     const fs::path& where) {
  for (const auto& [key, value] : plan.items())
    check(begun.at(key) == value,
          "{}: this was begun with other {}; resume it as it was, or begin anew, with "
          "options.overwrite",
          where.string(), key == "files" ? "files (names, sizes or times)" : "options." + key);
}

}  // namespace gradus
