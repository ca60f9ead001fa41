#include "gradus/cli/output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "gradus/base/error.h"

namespace gradus::cli {
namespace fs = std::filesystem;
namespace {
bool forgiven = false;
}

void check_output(const fs::path& out, bool overwrite, const std::vector<fs::path>& inputs) {
  if (out.empty()) return;
  std::error_code error;
  for (const fs::path& input : inputs)
    if (input != "-" && fs::equivalent(out, input, error) && fs::is_regular_file(out, error))
      fail("--out {}: it is the file that is read; name another one", out.string());
  check(!fs::is_directory(out, error), "--out {}: it is a folder; name a file", out.string());
  if (const fs::path parent = out.parent_path();
      !parent.empty() && !fs::is_directory(parent, error))
    fail("--out {}: there is no folder {}", out.string(), parent.string());
  if (!overwrite && fs::is_regular_file(out, error))
    fail("--out {}: the file is there already; name another one, or pass --overwrite",
         out.string());
}

void forgive_output() { forgiven = true; }

void check_standard_output() {
  const bool failed = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (failed && !forgiven)
    fail_run("cannot write standard output: {}", errno ? std::strerror(errno) : "it is closed");
}

}  // namespace gradus::cli
