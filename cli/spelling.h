// How things are called elsewhere, and here.
#pragma once

#include <string>

namespace gradus::cli {

// Google's and Hugging Face's spellings are accepted everywhere: --max_seq_length is
// --max-seq-length, and where the name itself differs, it is ours.
std::string our_spelling(const std::string& argument);

// The library's errors speak of its API; what is said here speaks of options: "options.out F: …
// options.overwrite …" becomes "--out F: … --overwrite …".
std::string with_options(const std::string& error);

}  // namespace gradus::cli
