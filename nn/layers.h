// The layers every model is made of. All are values; x is [.., features], and leading axes pass
// through. Parameters begin as initialize() says (nn/initialize.h); before it, weights of linear
// layers and embeddings are zero, norms' weights one: a model that nobody initialised gives zeros
// and learns little.
#pragma once

#include "gradus/autograd/modes.h"
#include "gradus/nn/initialize.h"
#include "gradus/nn/parts.h"
#include "gradus/ops/ops.h"

namespace gradus {

// n layers, each constructed by itself: repeat(12, [&] { return Block(options); }). A copy of a
// layer, as std::vector<Block>(12, block) makes them, shares its parameters.
template <class Make>
auto repeat(int64_t n, const Make& make) {
  std::vector<std::invoke_result_t<const Make&>> layers;
  for (int64_t i = 0; i < n; ++i) layers.push_back(make());
  return layers;
}

struct LinearOptions {
  bool bias = true;
};

// y = x W^T + b.          x [.., in]  weight [out, in]  bias [out]  ->  y [.., out]
// Without a bias, `bias` is undefined and not listed.
struct Linear {
  Tensor weight, bias;
  Linear(int64_t in, int64_t out, LinearOptions options = {})
      : weight(zeros({out, in}).set_requires_grad()) {
    if (options.bias) bias = zeros({out}).set_requires_grad();
  }
  Tensor operator()(const Tensor& x) const { return linear(x, weight, bias); }
  void parts(Parts& p) {
    p("weight", weight);
    if (bias.defined()) p("bias", bias, Init::zeros);
  }
};

// Normalises the last axis to mean 0 and variance 1, then scales and shifts (Ba et al. 2016).
//                                                      x [.., n]  weight, bias [n]  ->  as x
// Without a bias it only scales; `bias` is then undefined and not listed.
struct LayerNorm {
  Tensor weight, bias;
  double eps;
  explicit LayerNorm(int64_t n, double eps = 1e-12, LinearOptions options = {})
      : weight(ones({n}).set_requires_grad()), eps(eps) {
    if (options.bias) bias = zeros({n}).set_requires_grad();
  }
  Tensor shift() const { return bias.defined() ? bias : zeros(weight.shape(), weight.dtype()); }
  Tensor operator()(const Tensor& x) const { return layer_norm(x, weight, shift(), eps); }
  void parts(Parts& p) {
    p("weight", weight, Init::ones);
    if (bias.defined()) p("bias", bias, Init::zeros);
  }
};

// y = x / rms(x) * weight over the last axis, rms^2 = mean(x^2) + eps (Zhang and Sennrich 2019).
//                                                              x [.., n]  weight [n]  ->  as x
struct RmsNorm {
  Tensor weight;
  double eps;
  explicit RmsNorm(int64_t n, double eps = 1e-6)
      : weight(ones({n}).set_requires_grad()), eps(eps) {}
  Tensor operator()(const Tensor& x) const { return rms_norm(x, weight, eps); }
  void parts(Parts& p) { p("weight", weight, Init::ones); }
};

// A row of the table for each id; an id outside of it is an Error.
//                                               weight [count, n]  ids [..], i32 or i64 -> [.., n]
struct Embedding {
  Tensor weight;
  Embedding(int64_t count, int64_t n) : weight(zeros({count, n}).set_requires_grad()) {}
  Tensor operator()(const Tensor& ids) const { return embedding(weight, ids); }
  void parts(Parts& p) { p("weight", weight, {.table = true}); }
};

// Convolution along each sequence, zeros beyond its ends; Conv1dOptions has stride, dilation and
// causal.   x [tokens, in]  weight [out, in, width]  bias [out]  ->  y [tokens, out]
// With a stride y has fewer rows: those of after(sequences).
struct Conv1d {
  Tensor weight, bias;
  Conv1dOptions options;
  Conv1d(int64_t in, int64_t out, int64_t width, Conv1dOptions options = {},
         LinearOptions linear = {})
      : weight(zeros({out, in, width}).set_requires_grad()), options(options) {
    if (linear.bias) bias = zeros({out}).set_requires_grad();
  }
  Tensor operator()(const Tensor& x, const Ragged& sequences) const {
    return conv1d(x, weight, bias, sequences, options);
  }
  Ragged after(const Ragged& sequences) const { return conv1d_sequences(sequences, options); }
  void parts(Parts& p) {
    p("weight", weight);
    if (bias.defined()) p("bias", bias, Init::zeros);
  }
};

// Drops elements with probability p inside a Training scope, and does nothing outside of one.
// `rows`, where the rows of x are tokens of sequences, makes the draw the same however a batch is
// cut (ops/ragged.h); without it row r is position r of one sequence.
struct Dropout {
  double p = 0;
  double rate() const { return training() ? p : 0; }
  Tensor operator()(const Tensor& x, const std::optional<Ragged>& rows = {}) const {
    return rate() == 0 ? x : dropout(x, p, rows);
  }
  void parts(Parts&) {}
};

// LayerNorm(x + Dropout(branch)), one pass: the residual connection of a post-norm transformer.
inline Tensor add_norm(const Tensor& x, const Tensor& branch, const LayerNorm& norm,
                       const Dropout& dropout, const std::optional<Ragged>& rows = {}) {
  return add_norm(x, branch, norm.weight, norm.shift(), norm.eps, dropout.rate(), rows);
}

}  // namespace gradus
