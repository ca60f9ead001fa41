// Which level runs: the best that this processor and its operating system can, or the one that
// GRADUS_ISA names.
#include "gradus/kernels/kernels.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>

#include "gradus/base/error.h"
#include "gradus/kernels/loops.h"

namespace gradus {

extern const Kernels<float> kernels_baseline, kernels_avx2, kernels_avx512;
extern const Kernels<double> kernels_double;

namespace {

struct Levels {
  const Kernels<float>* table[3];
  int count = 0;

  Levels() {
    table[count++] = &kernels_baseline;
#if defined(__x86_64__)
    // __builtin_cpu_supports also asks XGETBV whether the operating system saves the wide
    // registers.
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      table[count++] = &kernels_avx2;
    if (count == 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
      table[count++] = &kernels_avx512;
#endif
  }
};

const Kernels<float>& choose_level() {
  int count;
  const auto* levels = kernel_levels(&count);
  const char* forced = std::getenv("GRADUS_ISA");
  if (!forced || !*forced) return *levels[count - 1];
  std::string known;
  for (int i = 0; i < count; ++i) {
    if (std::string(levels[i]->level) == forced) return *levels[i];
    known += (i ? ", " : "") + std::string(levels[i]->level);
  }
  fail("GRADUS_ISA={}: this processor runs {}", forced, known);
}

}  // namespace

const Kernels<float>* const* kernel_levels(int* count) {
  static const Levels levels;
  *count = levels.count;
  return levels.table;
}

namespace {
std::atomic<const Kernels<float>*>& running_level() {
  static std::atomic<const Kernels<float>*> level = &choose_level();
  return level;
}
}  // namespace

template <>
const Kernels<float>& kernels<float>() {
  return *running_level().load(std::memory_order_relaxed);
}

KernelLevel::KernelLevel(const Kernels<float>& level) : before_(running_level().exchange(&level)) {}
KernelLevel::~KernelLevel() { running_level() = before_; }

template <>
const Kernels<double>& kernels<double>() {
  return kernels_double;
}

Level level() {
  int count;
  const auto* levels = kernel_levels(&count);
  return static_cast<Level>(std::find(levels, levels + count, &kernels<float>()) - levels);
}

}  // namespace gradus
