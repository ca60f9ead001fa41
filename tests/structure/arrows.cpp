// Imports run one way (DESIGN, section 1): what each room may include. A new room must be entered here.
#include <doctest/doctest.h>

#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "base/file.h"

namespace gradus::testing {
namespace {

using Rooms = std::set<std::string>;

const std::map<std::string, Rooms>& allowed() {
  static const std::map<std::string, Rooms> rooms{
      {"base", {"base"}},
      {"autograd", {"base", "autograd"}},
      {"ops", {"base", "autograd", "ops"}},
      {"nn", {"base", "autograd", "ops", "nn"}},
      {"models", {"base", "autograd", "ops", "nn", "text", "models"}},
      {"optim", {"base", "autograd", "ops", "nn", "optim"}},
      {"text", {"base", "text"}},
      {"data", {"base", "text", "data"}},
      {"io", {"base", "autograd", "ops", "nn", "models", "optim", "text", "data", "io"}},
      {"train", {"base", "autograd", "ops", "nn", "models", "optim", "text", "data", "io", "train", "study"}},
      {"study", {"base", "autograd", "ops", "nn", "models", "text", "io", "study"}},
      {"cli", {"base", "autograd", "ops", "nn", "models", "optim", "text", "data", "io", "train", "study", "cli"}}};
  return rooms;
}

// Single headers that cross a border: the counter-based generator and the table of kernels are plain C headers below everything.
bool crosses_by_agreement(const std::string& room, const std::string& included) {
  if (room == "base") return included == "ops/kernels/philox.h";
  if (room == "autograd") return included == "ops/kernels/kernels.h";
  return false;
}

// The "…" and <…> of every #include of a file.
std::vector<std::string> includes_of(const std::filesystem::path& path) {
  std::vector<std::string> names;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("#include", 0) != 0) continue;
    const size_t begin = line.find_first_of("\"<"), end = line.find_last_of("\">");
    if (begin != std::string::npos && end > begin) names.push_back(line.substr(begin, end - begin + 1));
  }
  return names;
}

template <class F>
void for_each_source(const std::filesystem::path& folder, F&& f) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".h" || entry.path().extension() == ".cpp") f(entry.path());
}

const std::filesystem::path root = GRADUS_SOURCE_ROOT;

}  // namespace

TEST_CASE("structure: includes run along the arrows") {
  int files = 0;
  for (const auto& [room, may_use] : allowed()) {
    if (!std::filesystem::exists(root / room)) continue;
    for_each_source(root / room, [&, &room = room, &may_use = may_use](const std::filesystem::path& path) {
      ++files;
      for (const std::string& include : includes_of(path)) {
        if (include[0] != '"') continue;
        const std::string name = include.substr(1, include.size() - 2), from = name.substr(0, name.find('/'));
        CHECK_MESSAGE((may_use.contains(from) || crosses_by_agreement(room, name)), std::filesystem::relative(path, root).string(),
                      " includes ", name, "; ", room, "/ stands below ", from, "/, or beside it");
      }
    });
  }
  CHECK(files > 60);
}

TEST_CASE("structure: every folder with sources is a room with its arrows, or stands above all of them") {
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (!entry.is_directory() || name[0] == '.' || name.rfind("build", 0) == 0) continue;
    bool sources = false;
    for_each_source(entry.path(), [&](const auto&) { sources = true; });
    const bool above = Rooms{"tests", "examples", "bench", "scripts", "docs"}.contains(name);
    CHECK_MESSAGE((!sources || above || allowed().contains(name)), name, "/ has sources but no row in tests/structure/arrows.cpp");
  }
}

TEST_CASE("structure: what is compiled for one instruction level includes kernel and C headers only") {
  // A shared inline function compiled with AVX-512 and linked first kills the baseline: no C++ header, and none of base/, in the level
  // files' reach.
  std::set<std::filesystem::path> seen, open;
  for_each_source(root / "ops/kernels", [&](const std::filesystem::path& path) {
    if (path.filename().string().rfind("level_", 0) == 0) open.insert(path);
  });
  CHECK(open.size() >= 2);
  while (!open.empty()) {
    const std::filesystem::path path = *open.begin();
    open.erase(open.begin());
    if (!seen.insert(path).second) continue;
    for (const std::string& include : includes_of(path)) {
      const std::string name = include.substr(1, include.size() - 2);
      if (include[0] == '<')
        CHECK_MESSAGE((name.size() > 2 && name.substr(name.size() - 2) == ".h"), path.filename().string(), " includes <", name,
                      ">, not a C header");
      else CHECK_MESSAGE(name.rfind("ops/kernels/", 0) == 0, path.filename().string(), " includes ", name);
      if (include[0] == '"' && std::filesystem::exists(root / name)) open.insert(root / name);
    }
  }
}

}  // namespace gradus::testing
