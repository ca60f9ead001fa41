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
// against its keys first_key .. first_key + keys, all numbered by their position in the sequence.
// In `causal` attention a query sees the keys at and before its own position; with a window, those
// at most `window` positions away (-1: all). Every query sees at least one key of its block.
// Dropout as above with row = query and column = key: position = query, sequence as given.
struct AttentionRows {
  int64_t rows, keys, first_query, first_key;
  bool causal;
  int64_t window;
  uint32_t sequence;
  DropoutDraw draw;
};

// The activations that have kernels: GELU by the exact normal distribution, GELU in Google's tanh
// form, and SiLU, x sigmoid(x).
enum class Activation { gelu, gelu_tanh, silu };

// Heads of `size` columns side by side, for rotary(): pairs of columns are neighbours
// (interleaved), or half a head apart; `inverse` turns them back.
struct RotaryHeads {
  int64_t count, size;
  bool interleaved, inverse;
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
  void (*expm1)(const T* x, T* y, int64_t n);
  void (*log1p)(const T* x, T* y, int64_t n);
  void (*softplus)(const T* x, T* y, int64_t n);
  // y = f(x); the backward multiplies dy by the derivative at x.
  void (*activation)(const T* x, T* y, int64_t n, Activation f);
  void (*activation_backward)(const T* x, const T* dy, T* dx, int64_t n, Activation f);
  // y = f(x + bias); the backward also adds the column sums of dx into dbias.
  void (*bias_activation)(const T* x, const T* bias, T* y, int64_t rows, int64_t n, Activation f);
  void (*bias_activation_backward)(const T* x, const T* bias, const T* dy, T* dx, T* dbias,
                                   int64_t rows, int64_t n, Activation f);
  // y = f(a) b over rows of n. Rows of a, b, da and db lie ld elements apart, those of y and dy n.
  void (*gated_activation)(const T* a, const T* b, int64_t ld, T* y, int64_t rows, int64_t n,
                           Activation f);
  void (*gated_activation_backward)(const T* a, const T* b, int64_t ld, const T* dy, T* da, T* db,
                                    int64_t rows, int64_t n, Activation f);

  // sums[j] += sum over rows of x[r, j].
  void (*column_sums)(const T* x, T* sums, int64_t rows, int64_t n);
  // y += x, and y = alpha * x + y; y = x * alpha; n elements.
  void (*add)(const T* x, T* y, int64_t n);
  void (*axpy)(T alpha, const T* x, T* y, int64_t n);
  void (*scale)(T alpha, const T* x, T* y, int64_t n);
  // The sum of n elements, and of their squares, accumulated in double in a fixed order that is the
  // same on every level.
  double (*sum_of)(const T* x, int64_t n);
  double (*sum_of_squares)(const T* x, int64_t n);
  // The sum of (x - c)^2, in double too; levels differ by fused multiply-adds.
  double (*squares_about)(const T* x, double c, int64_t n);
  // The largest and the smallest of n elements: NaN if any is, -inf and inf of none.
  T (*max_of)(const T* x, int64_t n);
  T (*min_of)(const T* x, int64_t n);

  // Rows of n: y = softmax(x); dx = y * (dy - sum(dy * y)).  y = x - logsumexp(x); dx = dy - exp(y)
  // * sum(dy).
  void (*softmax)(const T* x, T* y, int64_t rows, int64_t n);
  void (*softmax_backward)(const T* y, const T* dy, T* dx, int64_t rows, int64_t n);
  void (*log_softmax)(const T* x, T* y, int64_t rows, int64_t n);
  void (*log_softmax_backward)(const T* y, const T* dy, T* dx, int64_t rows, int64_t n);

  // y[r] = log sum exp(x[r]);  dx = exp(x - y) dy.
  void (*logsumexp)(const T* x, T* y, int64_t rows, int64_t n);
  void (*logsumexp_backward)(const T* x, const T* y, const T* dy, T* dx, int64_t rows, int64_t n);

  // Rows of logits with one label each (negative: the row counts for nothing):
  //   losses[r] = logsumexp(logits[r]) - logits[r, label]
  // Where `gradient`, logits are overwritten by scale * (softmax - onehot). bias (may be null) is
  // added to the logits first. correct[r] (may be null): whether the label has the highest logit.
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

  // y = x * rstd * weight over rows of n, rstd = 1 / sqrt(mean(x^2) + eps).
  void (*rms_norm)(const T* x, const T* weight, T* y, T* rstd, int64_t rows, int64_t n, double eps);
  // g = dy * weight, xh = x * rstd:  dx = rstd * (g - xh * mean(g * xh));  dweight += sum dy * xh.
  void (*rms_norm_backward)(const T* x, const T* weight, const T* rstd, const T* dy, T* dx,
                            T* dweight, int64_t rows, int64_t n);

  // The pairs (a, b) of each head of row r become (a c - b s, b c + a s), c and s row position[r]
  // of the tables [positions, heads.size / 2]. Rows of x lie ld apart; y is contiguous.
  void (*rotary)(const T* x, int64_t ld, T* y, int64_t rows, RotaryHeads heads, const T* cosine,
                 const T* sine, const uint32_t* position);

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
  // ld), scaled and biased. Out, in place: dropout(softmax(scores)); logsumexp[r] of the row. Keys
  // that a query may not see become 0.
  void (*attention_probabilities)(T* scores, int64_t ld, T* logsumexp, AttentionRows rows);
  // The same block in the backward. In: the scores again; dprobabilities = dO V^T; logsumexp. Out,
  // in place: scores becomes the dropped probabilities P~ (for dV = P~^T dO); dprobabilities
  // becomes dscores = P * (mask * dP - delta), delta = the row's sum of P * mask * dP.
  void (*attention_backward)(T* scores, T* dprobabilities, int64_t ld, const T* logsumexp,
                             AttentionRows rows);

  // One pass of AdamW over n elements (Loshchilov and Hutter 2019, algorithm 2); m and v are the
  // moments.
  //   g' = gradient_scale * g;  m = b1 m + (1-b1) g';  v = b2 v + (1-b2) g'^2;
  //   p -= lr (m / c1 / (sqrt(v / c2) + eps) + decay p)
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
