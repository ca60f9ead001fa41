// Matrix products on row-major memory: C = alpha op(A) op(B) + beta C, op(A) [m, k], op(B) [k, n],
// C [m, n].
//
// gemm() runs on all threads: C is cut into panels by its shape alone, each panel is one
// single-threaded cblas call inside our own parallel region, so the result is the same, bit for
// bit, on any number of threads (OpenBLAS's own threading is not). Called inside a parallel region
// it runs on the calling thread, over the same panels. gemm_serial() is one cblas call on the
// calling thread: for small products inside a parallel loop. With beta = 0, C is written without
// being read. k = 0 gives beta C.
//
// An epilogue runs on each panel right after it is computed, on the same thread, while the panel is
// in cache: rows [i0, i1), columns [j0, j1) of C.
#pragma once

#include <cstdint>
#include <string>

namespace gradus {

struct Epilogue {
  void (*run)(const void* context, int64_t i0, int64_t i1, int64_t j0, int64_t j1) = nullptr;
  const void* context = nullptr;
};

template <class T>  // float, double
void gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, T alpha, const T* a,
          int64_t lda, const T* b, int64_t ldb, T beta, T* c, int64_t ldc, Epilogue epilogue = {});

template <class T>
void gemm_serial(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, T alpha,
                 const T* a, int64_t lda, const T* b, int64_t ldb, T beta, T* c, int64_t ldc);

// How exact products of f32 are, in PyTorch's words (torch.set_float32_matmul_precision); those of
// f64 always are.
//   highest  f32 throughout
//   high     of each number the first 16 bits, as two bf16: errors about 2^-16 of the largest terms
//   medium   of each number the nearest bf16 (8 bits): about 2^-8; sums are f32
// high and medium give leave: they hold where the processor has a matrix unit for bf16 (AMX), on
// products of at least 16 x 16 x 16, and elsewhere products stay f32. The same bits on any number
// of threads, as always.
enum class MatmulPrecision { highest, high, medium };
MatmulPrecision matmul_precision();  // that of the process: highest, unless a scope says otherwise
const char* matmul_unit();           // "amx", or null where there is none
// By its name; another name is an Error that begins with `option`.
MatmulPrecision matmul_precision_named(const char* option, const std::string& name);

// { const PrecisionScope scope(MatmulPrecision::medium); … }  in the whole process; ends with it.
class PrecisionScope {
 public:
  explicit PrecisionScope(MatmulPrecision precision);
  ~PrecisionScope();
  PrecisionScope(const PrecisionScope&) = delete;
  PrecisionScope& operator=(const PrecisionScope&) = delete;

 private:
  MatmulPrecision before_;
};

// The kernels OpenBLAS runs. Debian's 0.3.21 does not know newer Intel models and falls back to
// SSE3 ("Prescott"), five times slower, silently. The first gemm() (or prepare_blas(), which says
// so) compares openblas_get_corename() with what CPUID and XGETBV say this processor has, and
// re-initialises OpenBLAS for the wanted core where they differ. GRADUS_BLAS_CORE overrides the
// wanted core.
// Our products are calls of one thread each, which are spread here; a program's own calls of
// OpenBLAS have the threads that they had.
struct BlasCore {
  const char* core;     // what OpenBLAS runs now: "SkylakeX", "Haswell", "Zen", ...
  const char* wanted;   // the family this processor should run
  bool changed;         // it had chosen another one and was re-initialised
  bool right;           // core is as good as wanted; where it is not, the program says so loudly
  const char* started;  // the core that OpenBLAS had chosen by itself
};
const BlasCore& prepare_blas();
void set_blas_threads(int count);  // for calls of OpenBLAS by itself

// GFLOP/s of one large product (4096 x 3072 x 768): the better of gemm() and one call that OpenBLAS
// threads by itself, each the median of `repeats` runs. The machine's sgemm rate, of which shares
// are taken.
double measure_sgemm_rate(int repeats = 5);

}  // namespace gradus
