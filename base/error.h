// base/: what every room may use and what knows none of them: errors, files, threads, hashing,
// random numbers.
//
// An Error is something a person can put right: its text names the thing (op, file, line, value)
// and says what would have been right. exit_code is what the program ends with: 2 for wrong usage
// or input, 1 for a run that failed.
#pragma once

#include <fmt/core.h>

#include <stdexcept>
#include <string>

namespace gradus {

struct Error : std::runtime_error {
  int exit_code;
  explicit Error(const std::string& text, int code = 2)
      : std::runtime_error(text), exit_code(code) {}
};

// Throws the Error of fail() and fail_run(). Apart from them, so that a call costs its place
// little.
[[noreturn]] void throw_error(int exit_code, fmt::string_view text, fmt::format_args arguments);

// Throws an Error: fail("{}:{}: the label {} is unknown", file, line, label).
template <class... Args>
[[noreturn, gnu::cold, gnu::noinline]] void fail(fmt::format_string<Args...> text, Args&&... args) {
  throw_error(2, text, fmt::make_format_args(args...));
}

// The same for a run that was asked for rightly and went wrong (a full disk, a loss that became
// NaN): exit code 1.
template <class... Args>
[[noreturn, gnu::cold, gnu::noinline]] void fail_run(fmt::format_string<Args...> text,
                                                     Args&&... args) {
  throw_error(1, text, fmt::make_format_args(args...));
}

// The arguments are evaluated at the call; where building them costs something, write `if (!ok)
// fail(...)`.
template <class... Args>
void check(bool ok, fmt::format_string<Args...> text, Args&&... args) {
  if (!ok) [[unlikely]]
    fail(text, std::forward<Args>(args)...);
}

}  // namespace gradus
