// ops/: every operation on tensors, one op (or one family) a file with its formula, shapes,
// forward, backward and test samples. This is the contents page.
//
// What is true of all: inputs may be any strided view; outputs are new contiguous tensors unless
// called a view; binary ops broadcast by NumPy's rule; float inputs of one op have one dtype;
// results are the same, bit for bit, on any number of threads; wrong shapes, dtypes and indices are
// an Error that names the op and the shapes, before any kernel runs. Axes may be negative. Uses
// autograd/ and kernels/, nothing above.
#pragma once

#include <optional>

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
inline Tensor operator+(const Tensor& x, double c) { return add(x, c); }
inline Tensor operator+(double c, const Tensor& x) { return add(x, c); }
inline Tensor operator-(const Tensor& x, double c) { return add(x, -c); }
inline Tensor operator*(const Tensor& x, double c) { return mul(x, c); }
inline Tensor operator*(double c, const Tensor& x) { return mul(x, c); }
inline Tensor operator/(const Tensor& x, double c) { return mul(x, 1 / c); }
inline Tensor operator-(double c, const Tensor& x) { return add(mul(x, -1), c); }

// unary.cpp: elementwise
Tensor neg(const Tensor& x);
Tensor exp(const Tensor& x);
Tensor log(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor rsqrt(const Tensor& x);  // 1 / sqrt(x)
Tensor square(const Tensor& x);
Tensor reciprocal(const Tensor& x);
Tensor abs(const Tensor& x);  // derivative 0 at 0
Tensor relu(const Tensor& x);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor sigmoid(const Tensor& x);
Tensor erf(const Tensor& x);
Tensor softplus(const Tensor& x);  // ln(1 + e^x)
inline Tensor operator-(const Tensor& x) { return neg(x); }

// select.cpp: comparison (results are boolean, without gradient) and choice
Tensor equal(const Tensor& a, const Tensor& b);
Tensor less(const Tensor& a, const Tensor& b);
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);

// reduce.cpp                               x [.., n, ..] -> [.., ..], or [.., 1, ..] with keep_axis
Tensor sum(const Tensor& x);  // all elements, shape []
Tensor sum(const Tensor& x, const std::vector<int>& axes, bool keep_axes = false);
Tensor mean(const Tensor& x);
Tensor mean(const Tensor& x, int axis, bool keep_axis = true);
// the gradient goes to the first of equals
Tensor max(const Tensor& x, int axis, bool keep_axis = true);
Tensor argmax(const Tensor& x, int axis);  // i64, without gradient
// sqrt of the sum of squares, a number
// sqrt of the sum of squares: a number, which prints as "not computed" where the tensor is undefined
// (a gradient that is zero because nobody computed it).
struct Norm {
  double value = 0;
  bool computed = true;
  operator double() const { return value; }
};
Norm norm(const Tensor& x);

// view.cpp: the same memory seen otherwise (reshape copies where the strides forbid a view)
Tensor reshape(const Tensor& x, const Shape& shape);  // one size may be -1
Tensor permute(const Tensor& x, const std::vector<int>& axes);
Tensor transpose(const Tensor& x, int a = -2, int b = -1);
Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end);
Tensor expand(const Tensor& x, const Shape& shape);  // broadcasts without copying

// copy.cpp
Tensor contiguous(const Tensor& x);  // x itself where it is contiguous already
Tensor clone(const Tensor& x);
Tensor cast(const Tensor& x, DType dtype);

// index.cpp: rows and elements by number (i32 or i64; out of range is an Error)
Tensor take(const Tensor& x, const Tensor& rows);  // x [n, ..], rows [..] -> [rows.., ..]:  x[rows]
inline Tensor embedding(const Tensor& weight, const Tensor& ids) { return take(weight, ids); }
// y[i, j] = x[i, index[i, j]] for the last axis, and likewise for others
Tensor gather(const Tensor& x, int axis, const Tensor& index);
Tensor concat(const Tensors& xs, int axis);

// matmul.cpp, linear.cpp
// [.., m, k] [.., k, n] -> [.., m, n]; leading axes broadcast
Tensor matmul(const Tensor& a, const Tensor& b);
// x W^T + b: x [.., in], W [out, in], b [out] -> [.., out]
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

// softmax.cpp: over the last axis
Tensor softmax(const Tensor& x);
Tensor log_softmax(const Tensor& x);

// gelu.cpp
enum class Gelu { erf, tanh };  // the exact normal distribution, or Google's tanh approximation
Tensor gelu(const Tensor& x, Gelu form = Gelu::erf);
Tensor bias_gelu(const Tensor& x, const Tensor& bias, Gelu form = Gelu::erf);  // gelu(x + bias)

// dropout.cpp: elements become 0 with probability p, the others are scaled by 1 / (1 - p). Off
// under p = 0.
Tensor dropout(const Tensor& x, double p, const std::optional<Ragged>& rows = {});

// layer_norm.cpp, add_norm.cpp: over the last axis
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double eps);
Tensor add_norm(const Tensor& x, const Tensor& branch, const Tensor& weight, const Tensor& bias,
                double eps, double p = 0,
                const std::optional<Ragged>& rows = {});  // layer_norm(x + dropout(branch))

// cross_entropy.cpp: the sum of -log softmax(logits)[label] over the rows, divided by denominator
// (default: the number of rows)
Tensor cross_entropy(const Tensor& logits, const Tensor& labels,
                     std::optional<double> denominator = {});

// decoder_loss.cpp: the same over a vocabulary, logits = x W^T + bias never held whole
struct DecoderLoss {
  Tensor loss;      // as cross_entropy
  int64_t correct;  // rows whose label has the highest logit
};
DecoderLoss decoder_loss(const Tensor& x, const Tensor& weight, const Tensor& bias,
                         const Tensor& labels, std::optional<double> denominator = {},
                         int64_t chunk_rows = 0);  // 0: chosen by size

// attention.cpp: softmax(Q K^T / sqrt(d)) V for each sequence and head, with dropout on the
// probabilities
struct AttentionOptions {
  int64_t heads = 1;
  double dropout = 0;
  bool causal = false;        // a token sees itself and what came before
  int64_t query_block = 128;  // rows of scores held at once
};
// qkv [tokens, 3 hidden] -> [tokens, hidden]
Tensor attention(const Tensor& qkv, const Ragged& sequences, AttentionOptions options);
// What attention() multiplies V with, for looking at: the softmax before dropout, [heads, n, n]
// (query, key) of each sequence of n tokens.
Tensors attention_probabilities(const Tensor& qkv, const Ragged& sequences,
                                AttentionOptions options);

}  // namespace gradus

template <>
struct fmt::formatter<gradus::Norm> : fmt::formatter<double> {
  auto format(const gradus::Norm& norm, fmt::format_context& context) const {
    if (!norm.computed) return fmt::format_to(context.out(), "not computed");
    return fmt::formatter<double>::format(norm.value, context);
  }
};
