// Muon: momentum whose matrices are made orthogonal before they are applied, so that every
// direction moves alike.            Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/
//   u = momentum u + (1 - momentum) g        d = momentum u + (1 - momentum) g (Nesterov's), or u
//   p -= learning_rate (scale orthogonalize(d) + decay p)
// for each parameter of two axes or more, seen as [first, the rest] (a convolution's kernel as one
// row for each output channel); query, key and value are matrices of their own, stacked or not. All
// others (biases, norms), the tables of embeddings (PartOptions::table), and those whose name
// matches a pattern of `adamw` (an output head, say; a pattern that matches nothing is an Error),
// are updated by AdamW in the same step.
//
// scale: `original`, sqrt(max(1, rows / columns)); or `match_rms_adamw`, 0.2 sqrt(max(rows,
// columns)), by which an update is as large as AdamW's and one learning rate serves both (Liu et
// al. 2025, arXiv 2502.16982). PyTorch's torch.optim.Muon has the same two; it iterates in bf16,
// this in f32 unless leave is given (kernels/gemm.h, MatmulPrecision). State: u of matrices, m and
// v of the others.
#pragma once

#include "gradus/optim/adam_moments.h"

namespace gradus {

enum class MuonScale { original, match_rms_adamw };

struct MuonOptions {
  double learning_rate = 0.02, momentum = 0.95, weight_decay = 0.01;
  bool nesterov = true;
  int iterations = 5;
  MuonScale scale = MuonScale::original;
  std::vector<std::string> adamw = {};
  // AdamW's; its rate keeps its ratio to learning_rate when set_learning_rate() changes that
  double adamw_learning_rate = 3e-4, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  // with match_rms_adamw, one rate for both
  static MuonOptions one_rate(double learning_rate) {
    MuonOptions options;
    options.learning_rate = options.adamw_learning_rate = learning_rate;
    options.scale = MuonScale::match_rms_adamw;
    return options;
  }
};

// x [m, n] with its singular values brought to about 1 (0.7 to 1.2), by Newton and Schulz's
// iteration with the quintic of the post: X / |X|, then 5 times
//   A = X X^T        X = a X + (b A + c A A) X        a, b, c = 3.4445, -4.7750, 2.0315
// Nothing is recorded. Products have the precision that the process gives them (kernels/gemm.h).
Tensor orthogonalize(const Tensor& x, int iterations = 5);

class Muon : public Optimizer {
 public:
  explicit Muon(const ParameterList& list, MuonOptions options = {});

 private:
  void update(double gradient_scale) override;
  void update_matrices(double gradient_scale);
  bool is_matrix(const ParameterArena::Range& range) const;
  ShapeOf kept_of(bool matrices) const;  // matrices keep a momentum, or the others their moments
  MuonOptions options_;
  double adamw_ratio_;
  StateBuffer& u_;
  AdamMoments moments_;
};

}  // namespace gradus
