// What a model is trained to make small, each from logits and what they should have been. Written
// in ops, so that derivatives of every order follow; the plain case of each runs on a fused kernel
// where there is one.
//
// Contrastive losses need no function of their own: InfoNCE of paired rows a, b is
// cross_entropy(matmul(a, transpose(b)) / temperature, arange(n)).
//
// Every loss is a sum over rows divided by a denominator: by default what PyTorch divides by, or
// the count of the whole accumulated batch, so that micro-batches add up to the big batch.
#pragma once

#include <optional>

#include "gradus/ops/ops.h"

namespace gradus {

struct CrossEntropyOptions {
  std::vector<double> class_weights = {};  // one per class; empty: all 1
  // the target is (1 - s) of the label and s spread evenly over all classes     Szegedy et al. 2016
  double label_smoothing = 0;
  // a row counts by (1 - p)^gamma, p the probability of its label            Lin et al. 2017, eq. 4
  double focal_gamma = 0;
  // rows with this label do not count; the field uses -100
  std::optional<int64_t> ignore_index = {};
  bool plain() const { return class_weights.empty() && label_smoothing == 0 && focal_gamma == 0; }
};

// The default denominator of weighted_cross_entropy: the labels' weights added up, of the rows that
// count.
double total_weight(const std::vector<int32_t>& labels, const CrossEntropyOptions& options);

// PyTorch's CrossEntropyLoss(weight, label_smoothing), and the focal factor.
//  logits [rows, classes]  labels [rows], i32 or i64, or a vector  ->  []
// Errors: a label outside of the classes, another number of class weights than classes.
Tensor weighted_cross_entropy(const Tensor& logits, const Tensor& labels,
                              const CrossEntropyOptions& options = {},
                              std::optional<double> denominator = {});
Tensor weighted_cross_entropy(const Tensor& logits, const std::vector<int32_t>& labels,
                              const CrossEntropyOptions& options = {},
                              std::optional<double> denominator = {});

// sum((predictions - targets)^2) / their number.
//  [..], [..] -> []   An Error where the shapes differ: [n, 1] against [n] would compare all pairs.
Tensor mean_squared_error(const Tensor& predictions, const Tensor& targets,
                          std::optional<double> denominator = {});

// Each element a yes/no question of its own: PyTorch's BCEWithLogitsLoss.
//  logits [..]  targets [..] of 0 and 1, or between  ->  []   An Error where the shapes differ.
Tensor binary_cross_entropy(const Tensor& logits, const Tensor& targets,
                            std::optional<double> denominator = {});

// Question answering: the cross-entropies of the start and of the end of a span, each over the
// tokens of its own sequence, averaged.
//  logits [tokens, 2]  starts, ends: a position in each sequence  ->  []
//  denominator: the number of sequences
Tensor span_loss(const Tensor& logits, const Ragged& sequences, const std::vector<int32_t>& starts,
                 const std::vector<int32_t>& ends, std::optional<double> denominator = {});

// The share of rows whose largest logit is that of the label.
//  logits [rows, classes]  labels [rows]
double accuracy(const Tensor& logits, const Tensor& labels);

}  // namespace gradus
