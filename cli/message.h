// What the program says when something is wrong.
#pragma once

#include <string>

namespace gradus::cli {

// On one line, printable, under 500 characters, whatever bytes the text quotes from a file: control
// characters, what turns a text's direction and invalid UTF-8 are shown as \x1b, line ends as "; ",
// and of a long text the beginning and the end, between which it says "…".
std::string one_line(const std::string& text);

}  // namespace gradus::cli
