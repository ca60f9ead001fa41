// kernels/: raw loops on pointers, below everything else; no Tensor, no graph, no thread here
// (gemm.h excepted).
//
// Kernels<T> is a table of the loops that ops call. The float table exists once per instruction
// level (baseline, AVX2+FMA, AVX-512), all compiled from the same source; kernels<float>() is the
// one for this processor, or the one that GRADUS_ISA (baseline|avx2|avx512) forces. The double
// table is the baseline with the C library's functions: it is the test dtype. Every kernel works on
// contiguous rows and on one thread; ops cut the rows into blocks by size. Levels agree within the
// ulps stated in tests/kernels; a level's result never depends on how the rows are cut. Where a
// kernel adds into sums of columns (dweight, dbias), the caller passes a zeroed buffer per block
// and adds the blocks in order.
#pragma once

#include <stdint.h>

namespace gradus {

// Which elements dropout drops: a pure function of (key, place, sequence, position, column), so
// forward, backward and recomputation agree on any thread count, level and micro-batch. Within a
// row, columns come in groups of 128: column c of group g = c / 128, i = c % 128 takes the half (i
// / 64) (0: low 16 bits, 1: high) of word (i / 16) % 4 of philox(counter = {g * 16 + i % 16,
// position, sequence, place}, key), and is dropped when that 16-bit number is below round(p *
// 65536); kept values are multiplied by scale = 1 / (1 - round(p * 65536) / 65536). Row r has
// (sequence[r], position[r]). p = 0 drops nothing and draws nothing.
struct DropoutDraw {
  double p;
  uint64_t key;    // from seed and step
  uint32_t place;  // which dropout of the model it is (and, in attention, which head)
};

// What attention's rows are: queries first_query .. first_query + rows of one head of one sequence
// against `keys` keys; in `causal` attention a query sees the keys at and before its own position.
// Dropout as above with row = query and column = key: position = query, sequence as given.
struct AttentionRows {
  int64_t rows, keys, first_query;
  bool causal;
  double scale;  // 1 / sqrt(head size)
  uint32_t sequence;
  DropoutDraw draw;
};

struct AdamWStep {
  // decay is decoupled: p -= learning_rate * weight_decay * p
  double learning_rate, beta1, beta2, epsilon, weight_decay;
  // 1 - beta^t, or 1 for Google's Adam, which does not correct
  double correction1, correction2;
  // clipping's factor, applied to g as it is read
  double gradient_scale;
};

template <class T>
struct Kernels {
  const char* level;  // "baseline", "avx2", "avx512"

  // y[i] = f(x[i]), n elements; y may be x.
  void (*exp)(const T* x, T* y, int64_t n);
  void (*log)(const T* x, T* y, int64_t n);
  void (*tanh)(const T* x, T* y, int64_t n);
  void (*sigmoid)(const T* x, T* y, int64_t n);
  void (*erf)(const T* x, T* y, int64_t n);
  // GELU: x Phi(x) with the exact normal distribution (erf), or Google's tanh form. The backward
  // multiplies dy by the derivative at x.
  void (*gelu)(const T* x, T* y, int64_t n, bool tanh_form);
  void (*gelu_backward)(const T* x, const T* dy, T* dx, int64_t n, bool tanh_form);
  // y = gelu(x + bias); the backward also adds the column sums of dx into dbias.
  void (*bias_gelu)(const T* x, const T* bias, T* y, int64_t rows, int64_t n, bool tanh_form);
  void (*bias_gelu_backward)(const T* x, const T* bias, const T* dy, T* dx, T* dbias, int64_t rows,
                             int64_t n, bool tanh_form);

  // sums[j] += sum over rows of x[r, j].
  void (*column_sums)(const T* x, T* sums, int64_t rows, int64_t n);
  // y += x, and y = alpha * x + y; y = x * alpha; n elements.
  void (*add)(const T* x, T* y, int64_t n);
  void (*axpy)(T alpha, const T* x, T* y, int64_t n);
  void (*scale)(T alpha, const T* x, T* y, int64_t n);
  // The sum of squares of n elements, accumulated in double in a fixed order that is the same on
  // every level.
  double (*sum_of_squares)(const T* x, int64_t n);

  // Rows of n: y = softmax(x); dx = y * (dy - sum(dy * y)).  y = x - logsumexp(x); dx = dy - exp(y)
  // * sum(dy).
  void (*softmax)(const T* x, T* y, int64_t rows, int64_t n);
  void (*softmax_backward)(const T* y, const T* dy, T* dx, int64_t rows, int64_t n);
  void (*log_softmax)(const T* x, T* y, int64_t rows, int64_t n);
  void (*log_softmax_backward)(const T* y, const T* dy, T* dx, int64_t rows, int64_t n);

  // Rows of logits with one label each: losses[r] = logsumexp(logits[r]) - logits[r, label]; where
  // `gradient`, logits are overwritten by scale * (softmax - onehot). bias (may be null) is added
  // to the logits first. correct[r] (may be null): whether the label has the highest logit.
  void (*cross_entropy)(T* logits, const T* bias, const int32_t* labels, T* losses,
                        uint8_t* correct, int64_t rows, int64_t n, T scale, bool gradient);

  // y = (x - mean) * rstd * weight + bias over rows of n, rstd = 1 / sqrt(var + eps), var biased,
  // computed in two passes (mean, then squares about it).
  void (*layer_norm)(const T* x, const T* weight, const T* bias, T* y, T* mean, T* rstd,
                     int64_t rows, int64_t n, double eps);
  // g = dy * weight, xh = (x - mean) * rstd:  dx = rstd * (g - mean(g) - xh * mean(g * xh));
  // dweight += sum dy * xh; dbias += sum dy.
  void (*layer_norm_backward)(const T* x, const T* weight, const T* mean, const T* rstd,
                              const T* dy, T* dx, T* dweight, T* dbias, int64_t rows, int64_t n);

  // y = x with elements dropped and the others scaled; the backward is the same call on dy.
  void (*dropout)(const T* x, T* y, int64_t rows, int64_t n, const uint32_t* sequence,
                  const uint32_t* position, DropoutDraw draw);

  // One pass of a post-norm residual: h = x + dropout(branch); y = layer_norm(h). h, mean and rstd
  // are what the backward needs.
  void (*add_norm)(const T* x, const T* branch, const T* weight, const T* bias, T* h, T* y, T* mean,
                   T* rstd, int64_t rows, int64_t n, double eps, const uint32_t* sequence,
                   const uint32_t* position, DropoutDraw draw);
  // dx = layer_norm_backward(h, dy); dbranch = dropout(dx). With p = 0 dbranch may be null (it
  // equals dx).
  void (*add_norm_backward)(const T* h, const T* weight, const T* mean, const T* rstd, const T* dy,
                            T* dx, T* dbranch, T* dweight, T* dbias, int64_t rows, int64_t n,
                            const uint32_t* sequence, const uint32_t* position, DropoutDraw draw);

  // Attention's probabilities for one block of queries. In: scores [rows, keys] (leading dimension
  // ld) = Q K^T, unscaled. Out, in place: dropout(softmax( scale * scores)); logsumexp[r] of the
  // scaled row. Keys a causal query may not see become 0.
  void (*attention_probabilities)(T* scores, int64_t ld, T* logsumexp, AttentionRows rows);
  // The same block in the backward. In: scores = Q K^T again; dprobabilities = dO V^T; logsumexp.
  // Out, in place: scores becomes the dropped probabilities P~ (for dV = P~^T dO); dprobabilities
  // becomes dscores = scale * P * (mask * dP - delta), delta = the row's sum of P * mask * dP.
  void (*attention_backward)(T* scores, T* dprobabilities, int64_t ld, const T* logsumexp,
                             AttentionRows rows);

  // One pass of AdamW over n elements (Loshchilov and Hutter 2019, algorithm 2); m and v are the
  // moments.
  //  g' = gradient_scale * g;  m = b1 m + (1-b1) g';  v = b2 v + (1-b2) g'^2;  p -= lr (m / c1 / (sqrt(v / c2) + eps) + decay p)
  void (*adamw)(T* p, const T* g, T* m, T* v, int64_t n, AdamWStep step);
};

template <class T>
const Kernels<T>& kernels();

// Every level compiled in that this processor can run, baseline first: for tests and `bench`.
const Kernels<float>* const* kernel_levels(int* count);

// { const KernelLevel scope(*levels[i]); … }  that level runs, in the whole process, and then the
// one that ran before. For checks that compare levels; no other thread may compute meanwhile.
class KernelLevel {
 public:
  explicit KernelLevel(const Kernels<float>& level);
  ~KernelLevel();
  KernelLevel(const KernelLevel&) = delete;
  KernelLevel& operator=(const KernelLevel&) = delete;

 private:
  const Kernels<float>* before_;
};

}  // namespace gradus
