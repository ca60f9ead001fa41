// base/: what every room may use and what knows none of them: errors, files, threads, hashing,
// random numbers.
//
// An Error is something a person can put right: its text names the thing (op, file, line, value)
// and says what would have been right. exit_code is what the program ends with: 2 for wrong usage
// or input, 1 for a run that failed.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>

namespace gradus {

struct Error : std::runtime_error {
  int exit_code;
  explicit Error(const std::string& text, int code = 2)
      : std::runtime_error(text), exit_code(code) {}
};

// Throws an Error: fail("{}:{}: the label {} is unknown", file, line, label).
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) {
  throw Error(fmt::format(text, std::forward<Args>(args)...));
}

// The same for a run that was asked for rightly and went wrong (a full disk, a loss that became
// NaN): exit code 1.
template <class... Args>
[[noreturn]] void fail_run(fmt::format_string<Args...> text, Args&&... args) {
  throw Error(fmt::format(text, std::forward<Args>(args)...), 1);
}

// The arguments are evaluated at the call; where building them costs something, write `if (!ok)
// fail(...)`.
template <class... Args>
void check(bool ok, fmt::format_string<Args...> text, Args&&... args) {
  if (!ok) [[unlikely]]
    fail(text, std::forward<Args>(args)...);
}

}  // namespace gradus
