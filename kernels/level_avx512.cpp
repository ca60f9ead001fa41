// The float kernels compiled for the level "avx512"; meson.build has its flags.
#include "gradus/kernels/table.h"

namespace gradus {
extern const Kernels<float> kernels_avx512;
constinit const Kernels<float> kernels_avx512 = table<float>("avx512");
}  // namespace gradus
