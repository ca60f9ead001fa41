// ops/: every operation on tensors, one op (or one family) a file with its formula, shapes,
// forward, backward and test samples. This is the contents page.
//
// What is true of all: inputs may be any strided view; outputs are new contiguous tensors unless
// called a view; binary ops broadcast by NumPy's rule; float inputs of one op have one dtype;
// results are the same, bit for bit, on any number of threads; wrong shapes, dtypes and indices are
// an Error that names the op and the shapes, before any kernel runs. Axes may be negative. A tensor
// is a value: slice() and unbind() instead of x[i], x = x + y instead of +=, equal() instead of ==.
// Uses autograd/ and kernels/, nothing above.
#pragma once

#include <concepts>
#include <optional>
#include <string_view>

#include "gradus/autograd/engine.h"
#include "gradus/autograd/random.h"
#include "gradus/ops/ragged.h"

namespace gradus {

// arithmetic.cpp: elementwise, broadcasting                           a [..], b [..] -> [broadcast]
Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);
Tensor maximum(const Tensor& a, const Tensor& b);  // at a tie the gradient goes to a
Tensor minimum(const Tensor& a, const Tensor& b);
inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }

// scalar.cpp: a number beside a tensor
Tensor add(const Tensor& x, double c);
Tensor mul(const Tensor& x, double c);
Tensor pow(const Tensor& x, double exponent);
Tensor reciprocal(const Tensor& x);
Tensor clamp(const Tensor& x, std::optional<double> low, std::optional<double> high = {});
Tensor leaky_relu(const Tensor& x, double slope = 0.01);
Tensor elu(const Tensor& x, double alpha = 1);
inline Tensor operator+(const Tensor& x, double c) { return add(x, c); }
inline Tensor operator+(double c, const Tensor& x) { return add(x, c); }
inline Tensor operator-(const Tensor& x, double c) { return add(x, -c); }
inline Tensor operator*(const Tensor& x, double c) { return mul(x, c); }
inline Tensor operator*(double c, const Tensor& x) { return mul(x, c); }
inline Tensor operator/(const Tensor& x, double c) { return mul(x, 1 / c); }
inline Tensor operator-(double c, const Tensor& x) { return add(mul(x, -1), c); }
inline Tensor operator/(double c, const Tensor& x) {
  return c == 1 ? reciprocal(x) : mul(reciprocal(x), c);
}

// power.cpp: a^b, elementwise, broadcasting
Tensor pow(const Tensor& a, const Tensor& b);
Tensor pow(double base, const Tensor& exponent);

// unary.cpp: elementwise
Tensor neg(const Tensor& x);
Tensor exp(const Tensor& x);
Tensor expm1(const Tensor& x);  // e^x - 1
Tensor log(const Tensor& x);
Tensor log1p(const Tensor& x);  // ln(1 + x)
Tensor sqrt(const Tensor& x);
Tensor rsqrt(const Tensor& x);  // 1 / sqrt(x)
Tensor square(const Tensor& x);
Tensor abs(const Tensor& x);  // derivative 0 at 0
Tensor relu(const Tensor& x);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor sigmoid(const Tensor& x);
Tensor erf(const Tensor& x);
Tensor softplus(const Tensor& x);  // ln(1 + e^x)
Tensor sign(const Tensor& x);      // -1, 0 or 1; no gradient flows
Tensor floor(const Tensor& x);     // nor here
inline Tensor operator-(const Tensor& x) { return neg(x); }

// compare.cpp: of two tensors, or a tensor and a number; results are boolean, without gradient.
// `&`, `|` and `!` are logic on booleans; `==` and `&&` are C++'s own.
Tensor equal(const Tensor& a, const Tensor& b);
Tensor not_equal(const Tensor& a, const Tensor& b);
Tensor less(const Tensor& a, const Tensor& b);
Tensor less_equal(const Tensor& a, const Tensor& b);
Tensor greater(const Tensor& a, const Tensor& b);
Tensor greater_equal(const Tensor& a, const Tensor& b);
Tensor equal(const Tensor& x, double c);
Tensor not_equal(const Tensor& x, double c);
Tensor less(const Tensor& x, double c);
Tensor less_equal(const Tensor& x, double c);
Tensor greater(const Tensor& x, double c);
Tensor greater_equal(const Tensor& x, double c);
inline Tensor equal(double c, const Tensor& x) { return equal(x, c); }
inline Tensor not_equal(double c, const Tensor& x) { return not_equal(x, c); }
inline Tensor less(double c, const Tensor& x) { return greater(x, c); }
inline Tensor less_equal(double c, const Tensor& x) { return greater_equal(x, c); }
inline Tensor greater(double c, const Tensor& x) { return less(x, c); }
inline Tensor greater_equal(double c, const Tensor& x) { return less_equal(x, c); }
inline Tensor operator<(const Tensor& a, const Tensor& b) { return less(a, b); }
inline Tensor operator<=(const Tensor& a, const Tensor& b) { return less_equal(a, b); }
inline Tensor operator>(const Tensor& a, const Tensor& b) { return greater(a, b); }
inline Tensor operator>=(const Tensor& a, const Tensor& b) { return greater_equal(a, b); }
inline Tensor operator<(const Tensor& x, double c) { return less(x, c); }
inline Tensor operator<=(const Tensor& x, double c) { return less_equal(x, c); }
inline Tensor operator>(const Tensor& x, double c) { return greater(x, c); }
inline Tensor operator>=(const Tensor& x, double c) { return greater_equal(x, c); }
inline Tensor operator<(double c, const Tensor& x) { return greater(x, c); }
inline Tensor operator<=(double c, const Tensor& x) { return greater_equal(x, c); }
inline Tensor operator>(double c, const Tensor& x) { return less(x, c); }
inline Tensor operator>=(double c, const Tensor& x) { return less_equal(x, c); }
Tensor logical_and(const Tensor& a, const Tensor& b);
Tensor logical_or(const Tensor& a, const Tensor& b);
Tensor logical_not(const Tensor& x);
inline Tensor operator&(const Tensor& a, const Tensor& b) { return logical_and(a, b); }
inline Tensor operator|(const Tensor& a, const Tensor& b) { return logical_or(a, b); }
inline Tensor operator!(const Tensor& x) { return logical_not(x); }

// select.cpp: choice, with broadcasting. A number has the dtype of the tensor beside it (f32 where
// there is none); an Error where integers lack it.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
Tensor where(const Tensor& condition, const Tensor& a, double b);
Tensor where(const Tensor& condition, double a, const Tensor& b);
Tensor where(const Tensor& condition, double a, double b);
Tensor maximum(const Tensor& x, double c);  // at a tie the gradient goes to x
Tensor minimum(const Tensor& x, double c);
inline Tensor maximum(double c, const Tensor& x) { return maximum(x, c); }
inline Tensor minimum(double c, const Tensor& x) { return minimum(x, c); }
// of x's shape and dtype, without history
Tensor full_like(const Tensor& x, double value);
inline Tensor zeros_like(const Tensor& x) { return full_like(x, 0); }
inline Tensor ones_like(const Tensor& x) { return full_like(x, 1); }
// Matrices [.., m, n]: of row i the columns up to i + diagonal (tril), or from there on (triu); the
// others are zero.
Tensor tril(const Tensor& x, int64_t diagonal = 0);
Tensor triu(const Tensor& x, int64_t diagonal = 0);

// reduce.cpp, extremum.cpp: over all elements, one axis (-1) or several ({0, 2}). The axes are
// dropped, or stay with size 1 under {.keep_axes = true}.
struct Axes {
  std::vector<int> list;
  Axes(int axis) : list{axis} {}
  // max(x, 1.0) is maximum(x, 1.0), misspelt
  template <std::floating_point T>
  Axes(T) = delete;
  Axes(std::initializer_list<int> axes) : list(axes) {}
  Axes(std::vector<int> axes) : list(std::move(axes)) {}
};
struct ReduceOptions {
  bool keep_axes = false;
};
Tensor sum(const Tensor& x);  // integers and booleans sum to i64, without gradient
Tensor sum(const Tensor& x, const Axes& axes, ReduceOptions options = {});
Tensor mean(const Tensor& x);
Tensor mean(const Tensor& x, const Axes& axes, ReduceOptions options = {});
// the mean of squares about the mean, of n elements: over n - 1 where unbiased, else over n
struct VarianceOptions {
  bool keep_axes = false;
  bool unbiased = true;
};
Tensor var(const Tensor& x, VarianceOptions options = {});
Tensor var(const Tensor& x, const Axes& axes, VarianceOptions options = {});
// NaN where an element is NaN; the gradient goes to the first of equals
Tensor max(const Tensor& x);
Tensor max(const Tensor& x, const Axes& axes, ReduceOptions options = {});
Tensor min(const Tensor& x);
Tensor min(const Tensor& x, const Axes& axes, ReduceOptions options = {});
// where along the axis the first of the largest (smallest) is: i64, without gradient
Tensor argmax(const Tensor& x, int axis, ReduceOptions options = {});
Tensor argmin(const Tensor& x, int axis, ReduceOptions options = {});
// sqrt of the sum of squares: a number, which prints as "not computed" where the tensor is
// undefined (a gradient that is zero because nobody computed it).
struct Norm {
  double value = 0;
  bool computed = true;
  operator double() const { return value; }
};
Norm norm(const Tensor& x);
// Rows of length 1: x / max(|x|, 1e-12) over the last axis, so that a row of zeros stays one.
Tensor normalize_rows(const Tensor& x);

// view.cpp: the same memory seen otherwise (reshape copies where the strides forbid a view)
Tensor reshape(const Tensor& x, const Shape& shape);  // one size may be -1
Tensor permute(const Tensor& x, const std::vector<int>& axes);
Tensor transpose(const Tensor& x, int a = -2, int b = -1);
Tensor expand(const Tensor& x, const Shape& shape);  // broadcasts without copying

// copy.cpp
Tensor contiguous(const Tensor& x);  // x itself where it is contiguous already
Tensor clone(const Tensor& x);
Tensor cast(const Tensor& x, DType dtype);
// x's elements become those of y, in place and without history, whatever x's strides: for buffers,
// assign(mean_, 0.99 * mean_ + 0.01 * m). An Error where x has a history, or shapes or dtypes
// differ.
void assign(const Tensor& x, const Tensor& y);

// slice.cpp: ranges of an axis (a view), and their transpose
// x[begin], x[begin + step], … before `end`; 0 <= begin <= end <= size, step >= 1
Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end, int64_t step = 1);
struct Padding {
  int64_t before = 0;
  int64_t after = 0;
  int64_t between = 0;  // any two elements
};
Tensor pad(const Tensor& x, const std::vector<Padding>& widths, double value = 0);  // one per axis
Tensor pad(const Tensor& x, int axis, Padding width, double value = 0);

// split.cpp: one tensor as several along an axis (views), several as one
Tensors split(const Tensor& x, const std::vector<int64_t>& sizes, int axis);
inline Tensors split(const Tensor& x, std::initializer_list<int64_t> sizes, int axis) {
  return split(x, std::vector<int64_t>(sizes), axis);
}
Tensors split(const Tensor& x, int parts, int axis);  // equal parts
Tensors chunk(const Tensor& x, int parts, int axis);  // at most so many; the last may be smaller
Tensors unbind(const Tensor& x, int axis = 0);        // x[0], x[1], …, without that axis
Tensor concat(const Tensors& xs, int axis);
Tensor stack(const Tensors& xs, int axis = 0);  // along a new axis

// index.cpp: rows by number (i32 or i64; out of range is an Error)
Tensor take(const Tensor& x, const Tensor& rows);  // x [n, ..], rows [..] -> [rows.., ..]:  x[rows]
inline Tensor embedding(const Tensor& weight, const Tensor& ids) { return take(weight, ids); }
// y [rows.., ..] -> x [n, ..]: zeros, then x[rows] += y; rows met twice are added in their order
Tensor scatter_rows(const Tensor& y, const Tensor& rows, int64_t n);
// x with x[rows] = values, and with x[rows] += values. Values broadcast to x[rows]; of rows put
// twice the last one stays.
Tensor index_put(const Tensor& x, const Tensor& rows, const Tensor& values);
Tensor index_add(const Tensor& x, const Tensor& rows, const Tensor& values);
// ids [..] of 0 .. classes-1 -> [.., classes]: 1 where the class is the id, else 0
Tensor one_hot(const Tensor& ids, int64_t classes, DType dtype = DType::f32);

// gather.cpp: elements by number along one axis, here the last of two; the index has the shape of
// its values
Tensor gather(const Tensor& x, int axis, const Tensor& index);  // y[i, j] = x[i, index[i, j]]
// y[i, index[i, j]] += x[i, j] into zeros whose axis has size n; in the order of j
Tensor scatter(const Tensor& x, int axis, const Tensor& index, int64_t n);
// x with x[i, index[i, j]] += values[i, j]
Tensor scatter_add(const Tensor& x, int axis, const Tensor& index, const Tensor& values);

// sort.cpp: order along an axis; equal elements keep theirs, NaN counts as the largest
struct Ranked {
  Tensor values;
  Tensor indices;  // i64, of the values in x; without gradient
};
Ranked sort(const Tensor& x, int axis = -1, bool descending = false);
Tensor argsort(const Tensor& x, int axis = -1, bool descending = false);
Ranked topk(const Tensor& x, int64_t k, int axis = -1);  // the k largest, largest first

// cumsum.cpp: y[i] = x[0] + … + x[i] along an axis
Tensor cumsum(const Tensor& x, int axis);

// segment.cpp: over the tokens of each sequence                  [tokens, ..] -> [sequences, ..]
Tensor segment_sum(const Tensor& x, const Ragged& sequences);
Tensor segment_mean(const Tensor& x, const Ragged& sequences);
Tensor segment_max(const Tensor& x, const Ragged& sequences);  // gradient to the first of equals
// the other way: each token gets its sequence's row            [sequences, ..] -> [tokens, ..]
Tensor segment_expand(const Tensor& y, const Ragged& sequences);

// einsum.cpp: sums of products named by letters, "bij,bjk->bik"; '...' stands for any axes before
// or after and broadcasts; without '->' the letters met once, in alphabetical order, are the
// output. Operands are joined from the left.
Tensor einsum(std::string_view formula, const Tensors& xs);

// matmul.cpp, linear.cpp
// [.., m, k] [.., k, n] -> [.., m, n]; leading axes broadcast
Tensor matmul(const Tensor& a, const Tensor& b);
// x W^T + b: x [.., in], W [out, in], b [out] -> [.., out]
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

// softmax.cpp: over one axis
Tensor softmax(const Tensor& x, int axis = -1);
Tensor log_softmax(const Tensor& x, int axis = -1);
Tensor logsumexp(const Tensor& x, int axis = -1, ReduceOptions options = {});  // log(sum(exp(x)))

// activation.cpp
enum class Gelu { erf, tanh };  // the exact normal distribution, or Google's tanh approximation
Tensor gelu(const Tensor& x, Gelu form = Gelu::erf);
Tensor silu(const Tensor& x);  // x sigmoid(x), also called swish
Tensor bias_gelu(const Tensor& x, const Tensor& bias, Gelu form = Gelu::erf);  // gelu(x + bias)

// gated.cpp: silu(a) b and gelu(a) b, of the halves of x [.., 2n] -> [.., n], a the first, or of
// two tensors of one shape
Tensor swiglu(const Tensor& x);
Tensor swiglu(const Tensor& a, const Tensor& b);
Tensor geglu(const Tensor& x, Gelu form = Gelu::erf);
Tensor geglu(const Tensor& a, const Tensor& b, Gelu form = Gelu::erf);

// dropout.cpp: elements become 0 with probability p, the others are scaled by 1 / (1 - p). Off
// under p = 0.
Tensor dropout(const Tensor& x, double p, const std::optional<Ragged>& rows = {});

// layer_norm.cpp, rms_norm.cpp, add_norm.cpp: over the last axis
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps);
// x / sqrt(mean(x^2) + eps) * weight
Tensor rms_norm(const Tensor& x, const Tensor& weight, double eps);
Tensor add_norm(const Tensor& x, const Tensor& branch, const Tensor& weight, const Tensor& bias,
                double eps, double p = 0,
                const std::optional<Ragged>& rows = {});  // layer_norm(x + dropout(branch))

// cross_entropy.cpp: the sum of -log softmax(logits)[label] over the rows, divided by denominator.
// labels [rows] are i32 or i64.
struct LossOptions {
  std::optional<double> denominator = {};  // default: the number of rows that count
  std::optional<int64_t> ignore_index =
      {};  // rows with this label do not count; the field uses -100
};
Tensor cross_entropy(const Tensor& logits, const Tensor& labels, LossOptions options);
Tensor cross_entropy(const Tensor& logits, const Tensor& labels,
                     std::optional<double> denominator = {});

// kl_div.cpp: the sum of p (ln p - log_q) over all elements, divided by denominator (default: the
// number of rows of [.., n], PyTorch's "batchmean")
Tensor kl_div(const Tensor& log_q, const Tensor& p, std::optional<double> denominator = {});

// decoder_loss.cpp: the same over a vocabulary, logits = x W^T + bias never held whole
struct DecoderLoss {
  Tensor loss;      // as cross_entropy
  int64_t correct;  // rows whose label has the highest logit
};
DecoderLoss decoder_loss(const Tensor& x, const Tensor& weight, const Tensor& bias,
                         const Tensor& labels, LossOptions options,
                         int64_t chunk_rows = 0);  // 0: chosen by size
DecoderLoss decoder_loss(const Tensor& x, const Tensor& weight, const Tensor& bias,
                         const Tensor& labels, std::optional<double> denominator = {},
                         int64_t chunk_rows = 0);

// rotary.cpp: rotary position embedding (Su et al. 2021) of heads side by side, by the position of
// each row in its sequence.                              x [tokens, heads d], d even  ->  y as x
struct RotaryOptions {
  int64_t heads = 1;
  double base = 10000;       // the longest wave is nearly 2 pi base positions long
  bool interleaved = false;  // columns (2i, 2i+1) of a head turn together, not (i, i + d/2)
};
Tensor rotary(const Tensor& x, const Ragged& sequences, RotaryOptions options = {});

// conv1d.cpp: convolution along each sequence of a batch
struct Conv1dOptions {
  int64_t stride = 1;    // every stride-th row is computed, beginning with the first
  int64_t dilation = 1;  // rows between two taps
  // a row sees itself and what came before; else as far ahead as back, with an even width one row
  // further ahead (PyTorch's padding="same")
  bool causal = false;
};
// x [tokens, in], weight [out, in, width] -> [tokens, out]: a row for each row of x, zeros beyond a
// sequence's ends. With a stride, the sequences of the result are conv1d_sequences().
Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Ragged& sequences,
              Conv1dOptions options = {});
Ragged conv1d_sequences(const Ragged& sequences, Conv1dOptions options);
// What conv1d multiplies: the rows under each tap side by side, [tokens, width in].
Tensor unfold(const Tensor& x, const Ragged& sequences, int64_t width, Conv1dOptions options = {});

// attention.cpp: softmax(Q K^T / sqrt(d) + bias) V for each sequence and head, with dropout on the
// probabilities. Positions count from 0 in each sequence, for queries and for keys.
struct AttentionOptions {
  int64_t heads = 1;
  // of keys and values, each for heads / kv_heads of the queries'; 0: as many as heads
  int64_t kv_heads = 0;
  double dropout = 0;
  // a query sees the keys at its own position and before
  bool causal = false;
  // A query sees the keys at most that many positions away. Mistral's sliding window of W is
  // causal with W - 1, ModernBERT's local attention of 128 is 64.
  std::optional<int64_t> window = {};
  // of each head, times the distance of key and query, is subtracted (Press et al. 2022, ALiBi)
  std::vector<double> alibi_slopes = {};
  // [heads, n, m], added to the scores of query i and key j of every sequence; at least as large as
  // the longest. May want a gradient: a learned relative bias, gathered to this shape.
  Tensor bias = {};
  // the keys' and values' own sequences, one for each of the queries' (cross-attention)
  std::optional<Ragged> key_sequences = {};
  // rows of scores held at once
  int64_t query_block = 128;
};
// q [tokens, heads d], k and v [key tokens, kv_heads d] -> [tokens, heads d]
Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const Ragged& sequences,
                 const AttentionOptions& options);
// the three side by side in one matrix: qkv [tokens, (heads + 2 kv_heads) d] -> [tokens, heads d]
Tensor attention(const Tensor& qkv, const Ragged& sequences, const AttentionOptions& options);
// What attention() multiplies V with, for looking at: the softmax before dropout, [heads, n, m]
// (query, key) of each sequence.
Tensors attention_probabilities(const Tensor& q, const Tensor& k, const Ragged& sequences,
                                const AttentionOptions& options);
Tensors attention_probabilities(const Tensor& qkv, const Ragged& sequences,
                                const AttentionOptions& options);
// ALiBi's slopes for a number of heads: 2^(-8 i / heads), i = 1 .. heads, where it is a power of 2;
// else those of the power of 2 below, and every other of the next one's.
std::vector<double> alibi_slopes(int64_t heads);

}  // namespace gradus

template <>
struct fmt::formatter<gradus::Norm> : fmt::formatter<double> {
  fmt::appender format(const gradus::Norm& norm, fmt::format_context& context) const;
};
