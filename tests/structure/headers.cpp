// The headers that users see: those that a room's meson.build lists as public, which are installed.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <sstream>

#include "gradus/base/file.h"
#include "tests/structure/sources.h"

namespace gradus::testing {
namespace {

std::set<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

// "base/error.h" …
std::set<std::string> public_headers() { return words(GRADUS_PUBLIC_HEADERS); }

std::set<std::string> private_headers() { return words(GRADUS_PRIVATE_HEADERS); }

std::string room_of(const std::string& header) { return header.substr(0, header.find('/')); }

// What a file of ours includes of ours, as "base/error.h".
std::vector<std::string> ours_in(const std::filesystem::path& path) {
  std::vector<std::string> names;
  for (const std::string& include : includes_of(path))
    if (include.starts_with("\"gradus/")) names.push_back(include.substr(8, include.size() - 9));
  return names;
}

}  // namespace

TEST_CASE("structure: every header of the library is public or private") {
  const auto shown = public_headers(), kept = private_headers();
  CHECK(shown.size() > 80);
  std::set<std::string> rooms;
  for (const std::string& header : shown) {
    rooms.insert(room_of(header));
    CHECK_MESSAGE(!kept.contains(header), header, " is public and private");
  }
  for (const std::string& room : rooms)
    for (const auto& path : sources_in(source_root / room)) {
      if (path.extension() != ".h") continue;
      const std::string header = std::filesystem::relative(path, source_root).string();
      CHECK_MESSAGE((shown.contains(header) || kept.contains(header)), header, " is not in ", room,
                    "/meson.build: public_headers are installed, private_headers are not");
    }
}

TEST_CASE("structure: a public header opens with what it is, and includes public ones only") {
  const auto shown = public_headers();
  for (const std::string& header : shown) {
    const std::string text = read_file(source_root / header);
    const size_t end = text.find("#pragma once");
    CHECK_MESSAGE((text.starts_with("// ") && end != std::string::npos), header,
                  " should begin with a comment that says what it is, then #pragma once");
    for (const std::string& include : ours_in(source_root / header))
      CHECK_MESSAGE(shown.contains(include), header, " is public and includes ", include,
                    ", which is private");
  }
  for (const std::string& include : ours_in(source_root / "include/gradus/gradus.h"))
    CHECK_MESSAGE((include == "version.h" || shown.contains(include)), "gradus.h includes ",
                  include, ", which is private");
}

// A header that is some source file's first include was compiled alone there. The others are tried
// here.
TEST_CASE("structure: every public header compiles alone") {
  std::set<std::string> left = public_headers();
  left.insert("gradus.h");
  const auto rooms = left;
  for (const std::string& header : rooms)
    if (header.find('/') != std::string::npos)
      for (const auto& path : sources_in(source_root / room_of(header)))
        if (path.extension() == ".cpp")
          if (const auto first = ours_in(path); !first.empty() && first[0] == header &&
                                                includes_of(path)[0] == "\"gradus/" + header + "\"")
            left.erase(header);
  CHECK(left.size() < 20);
  for (const std::string& header : left) {
    const std::string command =
        std::string("echo '#include \"gradus/") + header + "\"' | " + GRADUS_COMPILER +
        " -x c++ -std=c++20 -fopenmp -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I '" +
        (source_root / "include").string() + "' -I '" GRADUS_BUILD_ROOT "/include' -";
    CHECK_MESSAGE(std::system(command.c_str()) == 0, header, " does not compile alone");
  }
}

}  // namespace gradus::testing
