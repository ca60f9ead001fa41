// The layers every model is made of. All are values; x is [.., features], and leading axes pass
// through.
#pragma once

#include "gradus/autograd/modes.h"
#include "gradus/nn/initialize.h"
#include "gradus/nn/parts.h"
#include "gradus/ops/ops.h"

namespace gradus {

// y = x W^T + b.                                                    weight [out, in]  bias [out]
struct Linear {
  Tensor weight, bias;
  Linear(int64_t in, int64_t out)
      : weight(zeros({out, in}).set_requires_grad()), bias(zeros({out}).set_requires_grad()) {}
  Tensor operator()(const Tensor& x) const { return linear(x, weight, bias); }
  void parts(Parts& p) {
    p("weight", weight);
    p("bias", bias);
  }
};

// Normalises the last axis to mean 0 and variance 1, then scales and shifts.       weight, bias [n]
struct LayerNorm {
  Tensor weight, bias;
  double eps;
  explicit LayerNorm(int64_t n, double eps = 1e-12)
      : weight(ones({n}).set_requires_grad()), bias(zeros({n}).set_requires_grad()), eps(eps) {}
  Tensor operator()(const Tensor& x) const { return layer_norm(x, weight, bias, eps); }
  void parts(Parts& p) {
    p("weight", weight);
    p("bias", bias);
  }
};

// A row of the table for each id.                            weight [count, n]  ids [..] -> [.., n]
struct Embedding {
  Tensor weight;
  Embedding(int64_t count, int64_t n) : weight(zeros({count, n}).set_requires_grad()) {}
  Tensor operator()(const Tensor& ids) const { return embedding(weight, ids); }
  void parts(Parts& p) { p("weight", weight); }
};

// Drops elements with probability p inside a Training scope, and does nothing outside of one.
struct Dropout {
  double p = 0;
  double rate() const { return training() ? p : 0; }
  Tensor operator()(const Tensor& x, const Ragged& rows) const {
    return rate() == 0 ? x : dropout(x, p, rows);
  }
};

// LayerNorm(x + Dropout(branch)), one pass: the residual connection of a post-norm transformer.
inline Tensor add_norm(const Tensor& x, const Tensor& branch, const LayerNorm& norm,
                       const Dropout& dropout, const Ragged& rows) {
  return add_norm(x, branch, norm.weight, norm.bias, norm.eps, dropout.rate(), rows);
}

}  // namespace gradus
