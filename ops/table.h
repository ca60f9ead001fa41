// The table of ops: for every op its formula and samples, on which the tests (tests/ops), `gradus gradcheck` and the mutation test run. One row an op;
// an op's file defines its rows, table.cpp lists the files. A test fails when a file of ops/ is not in the table.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "autograd/gradcheck.h"
#include "autograd/random.h"
#include "ops/ops.h"

namespace gradus {

// A call with its inputs: f64 tensors are what is differentiated, integer and boolean ones are passed as they are. call works for f32 inputs as well.
struct Sample {
  std::string note;
  Tensors inputs;
  Function call;
};

// A wrong call: it must throw an Error whose text holds each of the parts (the op, the shapes, the values).
struct ErrorSample {
  std::string note;
  std::function<void()> call;
  std::vector<std::string> mentions;
};

struct OpInfo {
  std::string name;  // what the op's nodes are called
  std::string formula;
  std::string file;  // of ops/, without .cpp
  std::function<std::vector<Sample>()> samples;
  std::function<std::vector<ErrorSample>()> errors = [] { return std::vector<ErrorSample>{}; };
  bool differentiable = true;
  double f32_tolerance = 2e-6;              // of f32 results against f64 ones, relative to the largest of the tensor
  std::vector<size_t> zero_gradients = {};  // inputs whose true gradient is zero: no mutant of them can be noticed
};
using OpInfos = std::vector<OpInfo>;

const OpInfos& op_table();

// For samples: a fixed tensor of normal numbers (f64), different for each stream; and one of numbers in [low, high).
inline Tensor sample_normal(const Shape& shape, uint64_t stream) { return random_normal(shape, 7, stream, DType::f64); }
inline Tensor sample_uniform(const Shape& shape, double low, double high, uint64_t stream) {
  return random_uniform(shape, low, high, 7, stream, DType::f64);
}
Tensor sample_indices(const Shape& shape, int64_t below, uint64_t stream, DType dtype = DType::i32);

OpInfos arithmetic_ops();
OpInfos scalar_ops();
OpInfos unary_ops();
OpInfos select_ops();
OpInfos reduce_ops();
OpInfos view_ops();
OpInfos copy_ops();
OpInfos index_ops();
OpInfos matmul_ops();
OpInfos linear_ops();
OpInfos softmax_ops();
OpInfos gelu_ops();
OpInfos dropout_ops();
OpInfos layer_norm_ops();
OpInfos add_norm_ops();
OpInfos cross_entropy_ops();
OpInfos decoder_loss_ops();
OpInfos attention_ops();

}  // namespace gradus
