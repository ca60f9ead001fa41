// The table of all kernels for one T, filled at compile time. Each level's .cpp includes this and
// defines one constant.
#pragma once

#include "gradus/kernels/attention.h"
#include "gradus/kernels/elementwise.h"
#include "gradus/kernels/kernels.h"
#include "gradus/kernels/layer_norm.h"
#include "gradus/kernels/optimizer.h"
#include "gradus/kernels/reduce.h"
#include "gradus/kernels/rotary.h"
#include "gradus/kernels/softmax.h"

namespace gradus {
namespace {

template <class T>
consteval Kernels<T> table(const char* level) {
  return {
      .level = level,
      .exp = exp_kernel<T>,
      .log = log_kernel<T>,
      .tanh = tanh_kernel<T>,
      .sigmoid = sigmoid_kernel<T>,
      .erf = erf_kernel<T>,
      .expm1 = expm1_kernel<T>,
      .log1p = log1p_kernel<T>,
      .softplus = softplus_kernel<T>,
      .activation = activation<T>,
      .activation_backward = activation_backward<T>,
      .bias_activation = bias_activation<T>,
      .bias_activation_backward = bias_activation_backward<T>,
      .gated_activation = gated_activation<T>,
      .gated_activation_backward = gated_activation_backward<T>,
      .column_sums = column_sums<T>,
      .add = add<T>,
      .axpy = axpy<T>,
      .scale = scale<T>,
      .sum_of = sum_of<T>,
      .sum_of_squares = sum_of_squares<T>,
      .squares_about = squares_about<T>,
      .max_of = max_of<T>,
      .min_of = min_of<T>,
      .softmax = softmax<T>,
      .softmax_backward = softmax_backward<T>,
      .log_softmax = log_softmax<T>,
      .log_softmax_backward = log_softmax_backward<T>,
      .logsumexp = logsumexp<T>,
      .logsumexp_backward = logsumexp_backward<T>,
      .cross_entropy = cross_entropy<T>,
      .layer_norm = layer_norm<T>,
      .layer_norm_backward = layer_norm_backward<T>,
      .rms_norm = rms_norm<T>,
      .rms_norm_backward = rms_norm_backward<T>,
      .rotary = rotary<T>,
      .dropout = dropout<T>,
      .add_norm = add_norm<T>,
      .add_norm_backward = add_norm_backward<T>,
      .attention_probabilities = attention_probabilities<T>,
      .attention_backward = attention_backward<T>,
      .adamw = adamw<T>,
  };
}

}  // namespace
}  // namespace gradus
