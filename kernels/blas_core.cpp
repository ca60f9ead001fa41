// The check that OpenBLAS runs kernels made for this processor (gemm.h, BlasCore).
//
// Debian's 0.3.21 finds the processor by its model number and gives models newer than itself the
// SSE3 kernels of Prescott. OpenBLAS reads OPENBLAS_CORETYPE when it is loaded, before main(), so
// setting it here is too late; but its two functions for choosing a core are exported, and running
// them again before the first product is safe (later, buffers of another blocking might be in use).
#include <cblas.h>
#include <dlfcn.h>
#include <omp.h>
#include <strings.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "gradus/base/error.h"
#include "gradus/base/memory_limit.h"
#include "gradus/base/parallel.h"
#include "gradus/kernels/gemm.h"

namespace gradus {
namespace {

// How wide a core's kernels are: 3 AVX-512, 2 AVX2 with FMA, 1 anything older (or of another
// architecture).
int width_of(const std::string& core) {
  for (const char* name : {"SkylakeX", "Cooperlake", "SapphireRapids"})
    if (strcasecmp(core.c_str(), name) == 0) return 3;
  for (const char* name : {"Haswell", "Zen"})
    if (strcasecmp(core.c_str(), name) == 0) return 2;
  return 1;
}

// The core this processor should run, by its features (CPUID) and what the operating system saves
// (XGETBV), not by its model number.
std::string wanted_core(const std::string& started) {
  const char* forced = std::getenv("GRADUS_BLAS_CORE");
  if (forced && *forced) return forced;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (avx512 && width_of(started) < 3) return "SkylakeX";
  if (avx2 && width_of(started) < 2) return __builtin_cpu_is("amd") ? "Zen" : "Haswell";
#endif
  return started;
}

// Makes OpenBLAS choose again, with `core` as its choice. False where this OpenBLAS does not export
// the means.
bool choose_again(const std::string& core) {
  const auto quit = reinterpret_cast<void (*)()>(dlsym(RTLD_DEFAULT, "gotoblas_dynamic_quit"));
  const auto init = reinterpret_cast<void (*)()>(dlsym(RTLD_DEFAULT, "gotoblas_dynamic_init"));
  if (!quit || !init) return false;
  quit();
  setenv("OPENBLAS_CORETYPE", core.c_str(), 1);
  init();
  return true;
}

struct Check {
  std::string started = openblas_get_corename(), wanted = wanted_core(started), core;
  BlasCore result;

  Check() {
    const bool forced = wanted != started && std::getenv("GRADUS_BLAS_CORE");
    const bool change = strcasecmp(wanted.c_str(), started.c_str()) != 0 &&
                        (forced || width_of(wanted) > width_of(started));
    const bool changed = change && choose_again(wanted);
    core = openblas_get_corename();
    const bool right =
        forced ? strcasecmp(core.c_str(), wanted.c_str()) == 0 : width_of(core) >= width_of(wanted);
    if (!right)
      std::fprintf(
          stderr,
          "gradus: OpenBLAS runs its %s kernels where this processor should run %s: matrix "
          "products may be several times slower.\n"
          "gradus: start the program with OPENBLAS_CORETYPE=%s, or install a newer OpenBLAS.\n",
          core.c_str(), wanted.c_str(), wanted.c_str());
    result = {core.c_str(), wanted.c_str(), changed, right, started.c_str()};
  }
};

// OpenBLAS asks for a buffer of 32 MiB a thread at its first product, and where it gets none it
// asks again, for ever.
void check_memory() {
  constexpr uint64_t buffer = uint64_t{48} << 20;
  if (!could_allocate(buffer * static_cast<uint64_t>(thread_count() + 1)))
    fail_run(
        "there is not enough memory for matrix products ({} MiB for {} threads); the process may "
        "take too little (ulimit -v, a container's limit)",
        (buffer * static_cast<uint64_t>(thread_count() + 1)) >> 20, thread_count());
}

}  // namespace

const BlasCore& prepare_blas() {
  static const Check check = [] {
    check_memory();
    return Check();
  }();
  // Ours are calls of one thread. It takes the number from OpenMP at each call (gemm.cpp), and
  // changing it is not safe on several threads at once.
  if (openblas_get_num_threads() != 1) set_blas_threads(1);
  return check.result;
}

void set_blas_threads(int count) {
  const Threads kept(omp_get_max_threads());
  openblas_set_num_threads(count);  // which sets OpenMP's number too
}

}  // namespace gradus
