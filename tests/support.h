// What every test may use: a scratch folder, the shared data where it is present, a check of an
// Error's text.
#pragma once

#include <doctest/doctest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "gradus/base/error.h"

namespace gradus::testing {

// A folder of the test's own, removed at its end.
class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "gradus-test-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Scratch() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// The shared corpora and checkpoints, beside the checkout or where GRADUS_SHARED_DATA says; empty
// where there are none: then print what is skipped.
inline std::filesystem::path shared_data(const std::string& name) {
  const char* folder = std::getenv("GRADUS_SHARED_DATA");
  const auto path =
      (folder ? std::filesystem::path(folder)
              : std::filesystem::path(GRADUS_SOURCE_ROOT) / ".." / "shared" / "data") /
      name;
  if (std::filesystem::exists(path)) return path;
  MESSAGE("SKIPPED: needs shared data '", name, "', which is not here");
  return {};
}

// The text of the Error that f() throws; a test failure where it throws none. Example:
// CHECK_MENTIONS(error_of([&] { add(a, b); }), "add");
template <class F>
std::string error_of(F&& f) {
  try {
    f();
  } catch (const Error& error) { return error.what(); }
  FAIL_CHECK("no error was thrown");
  return "";
}

}  // namespace gradus::testing

// The text is evaluated once, before the check: an assertion inside it would wait for doctest's own
// lock.
#define CHECK_MENTIONS(text, ...)                                                               \
  do {                                                                                          \
    const std::string mentions_text = (text);                                                   \
    for (const std::string& mentions_part : std::vector<std::string>{__VA_ARGS__})              \
      CHECK_MESSAGE(mentions_text.find(mentions_part) != std::string::npos, "'", mentions_text, \
                    "' should mention '", mentions_part, "'");                                  \
  } while (false)
