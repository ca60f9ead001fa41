// The float kernels compiled for the level "baseline"; meson.build has its flags.
#include "gradus/kernels/table.h"

namespace gradus {
extern const Kernels<float> kernels_baseline;
constinit const Kernels<float> kernels_baseline = table<float>("baseline");
}  // namespace gradus
