// What `gradus --version` says.
#pragma once

#include <string>

namespace gradus::cli {

// Version and commit ("unknown" where it was not built from a git checkout), the BLAS and its core,
// the level of our kernels.
std::string version_text();

}  // namespace gradus::cli
