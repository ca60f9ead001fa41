// The lines of a file that a verb reads, or of standard input, which is called "-".
#pragma once

#include <iostream>

#include "gradus/base/error.h"
#include "gradus/base/file.h"

namespace gradus::cli {

// for_each_line (base/file.h) for either.
inline void for_each_input_line(
    const std::string& file, const std::function<void(std::string_view line, int64_t number)>& f) {
  if (file != "-") return for_each_line(file, f);
  int64_t number = 0;
  for (std::string line; std::getline(std::cin, line);) {
    ++number;
    if (line.ends_with('\r')) line.pop_back();
    if (find_invalid_utf8(line) != std::string_view::npos)
      fail("standard input, line {}: not valid UTF-8", number);
    f(line, number);
  }
}

}  // namespace gradus::cli
