// Imports run one way (DESIGN, section 1): what each room may include. A new room must be entered
// here.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cctype>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "tests/structure/sources.h"

namespace gradus::testing {
namespace {

using Rooms = std::set<std::string>;

const std::map<std::string, Rooms>& allowed() {
  static const std::map<std::string, Rooms> rooms = [] {
    const Rooms engine{"base", "kernels", "autograd", "ops"};
    const auto with = [](Rooms rooms, const Rooms& more) {
      rooms.insert(more.begin(), more.end());
      return rooms;
    };
    const Rooms models = with(engine, {"nn", "text", "models"});
    const Rooms io = with(models, {"optim", "data", "io"});
    const Rooms tasks = with(models, {"data", "tasks"});
    const Rooms train = with(io, {"tasks", "train"});
    return std::map<std::string, Rooms>{{"base", {"base"}},
                                        {"kernels", {"base", "kernels"}},
                                        {"autograd", {"base", "kernels", "autograd"}},
                                        {"ops", engine},
                                        {"nn", with(engine, {"nn"})},
                                        {"models", models},
                                        {"optim", with(engine, {"nn", "optim"})},
                                        {"text", {"base", "text"}},
                                        {"data", {"base", "text", "data"}},
                                        {"story", {"base", "story"}},
                                        {"tasks", tasks},
                                        {"io", io},
                                        {"train", train},
                                        {"study", with(models, {"io", "study"})},
                                        {"cli", with(train, {"story", "study", "cli"})}};
  }();
  return rooms;
}

const std::set<std::string> made_by_the_build{"\"op_files.inc\"", "\"cli/commit.h\""};

}  // namespace

TEST_CASE("structure: includes run along the arrows, by the names that users write") {
  int files = 0;
  for (const auto& [room, may_use] : allowed()) {
    if (!std::filesystem::exists(source_root / room)) continue;
    for (const std::filesystem::path& path : sources_in(source_root / room)) {
      ++files;
      for (const std::string& include : includes_of(path)) {
        if (include[0] != '"' || made_by_the_build.contains(include)) continue;
        const std::string name = include.substr(1, include.size() - 2);
        const std::string file = std::filesystem::relative(path, source_root).string();
        if (name.rfind("gradus/", 0) != 0) {
          FAIL_CHECK(file, " includes ", name, "; every header is gradus/ROOM/FILE.h");
          continue;
        }
        const std::string below = name.substr(7), from = below.substr(0, below.find('/'));
        if (below == "version.h") continue;  // above all rooms, and knows none
        if (!may_use.contains(from))
          FAIL_CHECK(fmt::format("{} includes {}; {}/ stands below {}/, or beside it", file, name,
                                 room, from));
      }
    }
  }
  CHECK(files > 60);
}

TEST_CASE("structure: every folder with sources is a room, or stands above all of them") {
  const Rooms above{"tests", "examples", "bench", "scripts", "docs", "include"};
  for (const auto& entry : std::filesystem::directory_iterator(source_root)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory() || name[0] == '.' || name.rfind("build", 0) == 0) continue;
    if (above.contains(name) || sources_in(entry.path()).empty()) continue;
    CHECK_MESSAGE(allowed().contains(name), name,
                  "/ has sources but no row in tests/structure/arrows.cpp");
    CHECK_MESSAGE(std::filesystem::is_symlink(source_root / "include/gradus" / name),
                  "include/gradus/", name, " should be a link to ../../", name);
  }
}

TEST_CASE("structure: headers that take seconds to compile are included in one place") {
  const std::map<std::string, std::string> places{{"<nlohmann/json.hpp>", "base/json.h"},
                                                  {"<CLI/CLI.hpp>", "cli/verb.cpp"}};
  for (const auto& [room, may_use] : allowed()) {
    if (!std::filesystem::exists(source_root / room)) continue;
    for (const std::filesystem::path& path : sources_in(source_root / room)) {
      const std::string file = std::filesystem::relative(path, source_root).string();
      for (const std::string& include : includes_of(path))
        if (const auto place = places.find(include); place != places.end())
          CHECK_MESSAGE(file == place->second, file, " includes ", include, ", which ",
                        place->second, " does for all");
    }
  }
}

TEST_CASE("structure: the library's errors speak of its options, not of the program's") {
  for (const auto& [room, may_use] : allowed()) {
    if (room == "cli" || !std::filesystem::exists(source_root / room)) continue;
    for (const std::filesystem::path& path : sources_in(source_root / room)) {
      std::istringstream lines(read_file(path));
      int number = 0;
      bool command = false;  // in full: in a model's README.md, or a kind's example
      for (std::string line; std::getline(lines, line);) {
        ++number;
        const size_t quote = line.find('"'), code = line.find_first_not_of(' ');
        if (quote == std::string::npos || line.compare(code, 2, "//") == 0) continue;
        const size_t program = line.find("gradus ");
        const bool begins = program != std::string::npos && program + 7 < line.size() &&
                            std::islower(static_cast<unsigned char>(line[program + 7]));
        command = begins || (command && line[code] == '"');  // it goes on
        if (command) continue;
        const size_t dashes = line.find("--", quote);
        const bool option = dashes != std::string::npos && dashes + 2 < line.size() &&
                            (std::islower(static_cast<unsigned char>(line[dashes + 2])) ||
                             line[dashes + 2] == '{') &&
                            line.find('"', dashes) != std::string::npos;
        CHECK_MESSAGE(!option, std::filesystem::relative(path, source_root).string(), ":", number,
                      " names an option of the program; say options.FIELD, which cli/spelling.cpp "
                      "turns into one");
      }
    }
  }
}

TEST_CASE("structure: what is compiled for one instruction level includes C headers only") {
  // A shared inline function compiled with AVX-512 and linked first kills the baseline: no C++
  // header in the level files' reach.
  std::set<std::filesystem::path> seen, open;
  for (const std::filesystem::path& path : sources_in(source_root / "kernels"))
    if (path.filename().string().rfind("level_", 0) == 0) open.insert(path);
  CHECK(open.size() >= 2);
  while (!open.empty()) {
    const std::filesystem::path path = *open.begin();
    open.erase(open.begin());
    if (!seen.insert(path).second) continue;
    for (const std::string& include : includes_of(path)) {
      const std::string name = include.substr(1, include.size() - 2);
      const bool is_ours = include[0] == '"';
      CHECK_MESSAGE((is_ours || name.ends_with(".h")), path.filename().string(), " includes <",
                    name, ">, not a C header");
      if (is_ours) open.insert(source_root / name.substr(7));
    }
  }
  CHECK(seen.size() > 8);
}

}  // namespace gradus::testing
