// The tree's source files and what they include, for the tests of its structure.
#pragma once

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "gradus/base/file.h"

namespace gradus::testing {

inline const std::filesystem::path source_root = GRADUS_SOURCE_ROOT;

// The "…" and <…> of every #include of a file.
inline std::vector<std::string> includes_of(const std::filesystem::path& path) {
  std::vector<std::string> names;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("#include")) continue;
    const size_t begin = line.find_first_of("\"<"), end = line.find_last_of("\">");
    if (begin != std::string::npos && end > begin)
      names.push_back(line.substr(begin, end - begin + 1));
  }
  return names;
}

// The .h and .cpp files of a folder and the folders in it.
inline std::vector<std::filesystem::path> sources_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".h" || entry.path().extension() == ".cpp")
      paths.push_back(entry.path());
  return paths;
}

}  // namespace gradus::testing
