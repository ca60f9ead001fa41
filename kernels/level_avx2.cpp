// The float kernels compiled for the level "avx2"; meson.build has its flags.
#include "gradus/kernels/table.h"

namespace gradus {
extern const Kernels<float> kernels_avx2;
constinit const Kernels<float> kernels_avx2 = table<float>("avx2");
}  // namespace gradus
