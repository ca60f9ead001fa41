#include "gradus/cli/version.h"

#include <cblas.h>
#include <fmt/format.h>

#include "cli/commit.h"
#include "gradus/kernels/gemm.h"
#include "gradus/kernels/kernels.h"
#include "gradus/version.h"

namespace gradus::cli {

std::string version_text() {
  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH …": what it is, without how it was built
  const std::string blas = openblas_get_config();
  const BlasCore& core = prepare_blas();
  return fmt::format("gradus {}, commit {}\n{}, core {}{}\nkernels {}", GRADUS_VERSION,
                     GRADUS_COMMIT, blas.substr(0, blas.find(' ', blas.find(' ') + 1)), core.core,
                     core.changed ? fmt::format(" (had chosen {})", core.started) : "",
                     kernels<float>().level);
}

}  // namespace gradus::cli
