// The table of all kernels for one T, filled at compile time. Each level's .cpp includes this and
// defines one constant.
#pragma once

#include "gradus/kernels/attention.h"
#include "gradus/kernels/elementwise.h"
#include "gradus/kernels/kernels.h"
#include "gradus/kernels/layer_norm.h"
#include "gradus/kernels/optimizer.h"
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
      .gelu = gelu<T>,
      .gelu_backward = gelu_backward<T>,
      .bias_gelu = bias_gelu<T>,
      .bias_gelu_backward = bias_gelu_backward<T>,
      .column_sums = column_sums<T>,
      .add = add<T>,
      .axpy = axpy<T>,
      .scale = scale<T>,
      .sum_of_squares = sum_of_squares<T>,
      .softmax = softmax<T>,
      .softmax_backward = softmax_backward<T>,
      .log_softmax = log_softmax<T>,
      .log_softmax_backward = log_softmax_backward<T>,
      .cross_entropy = cross_entropy<T>,
      .layer_norm = layer_norm<T>,
      .layer_norm_backward = layer_norm_backward<T>,
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
