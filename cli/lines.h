// The lines of a file that a verb reads, or of standard input, which is called "-".
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "gradus/data/line_reader.h"

namespace gradus::cli {

// Calls f for each line, without its \n or \r\n, numbers from 1. Where the input pauses, at_pause
// is called: a partner that waits for the answers gets them.
inline void for_each_input_line(const std::string& file,
                                const std::function<void(std::string_view line, int64_t number)>& f,
                                const std::function<void()>& at_pause) {
  LineReader lines(file);
  for (std::string line; lines.next(line);) {
    if (line.ends_with('\r')) line.pop_back();
    f(line, lines.number());
    if (lines.pauses()) at_pause();
  }
}

}  // namespace gradus::cli
