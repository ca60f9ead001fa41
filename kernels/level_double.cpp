// The double kernels: the baseline's loops with the C library's functions. It is the dtype of
// tests.
#include "gradus/kernels/table.h"

namespace gradus {
extern const Kernels<double> kernels_double;
constinit const Kernels<double> kernels_double = table<double>("baseline");
}  // namespace gradus
