// Where a verb's answers go: a file that is asked for, or standard output.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace gradus::cli {

// Before any work: an Error where `out` is one of the inputs, is a folder or lies in none, or is a
// file that is there already and may not be written over. Empty: standard output. What is no
// regular file (a pipe, /dev/stdout) is written through.
void check_output(const std::filesystem::path& out, bool overwrite,
                  const std::vector<std::filesystem::path>& inputs);

// For verbs that talk beside their work (training): what could not be printed is no failure.
void forgive_output();

// In the end of the program: an Error (exit code 1) where what a verb printed did not get out.
void check_standard_output();

}  // namespace gradus::cli
