// The f32 half of the matrix once more on every instruction level: this program runs itself with
// GRADUS_ISA. (f64 has one level.) A level that this processor lacks is a named skip.
#include <spawn.h>
#include <sys/wait.h>

#include <set>

#include "gradus/kernels/kernels.h"
#include "tests/ops/samples.h"

extern char** environ;

namespace gradus::testing {

TEST_CASE("levels: the matrix and the fused ops hold in f32 on every instruction level") {
  int count = 0;
  const Kernels<float>* const* levels = kernel_levels(&count);
  std::set<std::string> present;
  for (int i = 0; i < count; ++i) present.insert(levels[i]->level);
  for (const std::string level : {"baseline", "avx2", "avx512"}) {
    if (!present.contains(level)) {
      MESSAGE("SKIPPED: this processor, or this build, has no level ", level);
      continue;
    }
    const std::string isa = "GRADUS_ISA=" + level, program = "/proc/self/exe",
                      cases = "-tc=matrix: values*,matrix: f32*,fused: values*,elementwise*", quiet = "-m";
    std::vector<char*> environment{const_cast<char*>(isa.c_str())};
    for (char** variable = environ; *variable; ++variable)
      if (std::string(*variable).rfind("GRADUS_ISA=", 0) != 0) environment.push_back(*variable);
    environment.push_back(nullptr);
    char* arguments[] = {const_cast<char*>("test-ops"), const_cast<char*>(cases.c_str()),
                         const_cast<char*>(quiet.c_str()), nullptr};
    pid_t child = 0;
    REQUIRE(::posix_spawn(&child, program.c_str(), nullptr, nullptr, arguments,
                          environment.data()) == 0);
    int status = -1;
    ::waitpid(child, &status, 0);
    CHECK_MESSAGE(status == 0, "the op matrix fails under ", isa);
  }
}

}  // namespace gradus::testing
