// OpInfo: what is known of an op beside its code: its formula, calls of it with inputs, and wrong
// calls with the words that their Errors say. From one OpInfo follow the tests of an op, `gradus
// gradcheck` and the mutation test; check_op(info) gives a user's op all of it.
//
//   OpInfos layer_norm_ops() {
//     const auto call = [](Inputs in) { return Tensors{layer_norm(in[0], in[1], in[2], 1e-3)}; };
//     return {{
//         .name = "layer_norm",
//         .formula = "(x - mean) rstd weight + bias",
//         .samples = {{"matrix",
//                      {sample::normal({3, 4}), sample::normal({4}), sample::normal({4})},
//                      call}},
//         .errors = {{"weight",
//                     [] { layer_norm(ones({2, 3}), ones({2}), ones({3}), 1e-5); },
//                     {"layer_norm", "[2, 3]", "[2]"}}},
//         .f32_tolerance = 2e-5,
//     }};
//   }
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gradus/autograd/transform.h"

namespace gradus {

// An input of a sample: a tensor, or how one is drawn. What is drawn differs between the inputs of
// a sample and between samples of another note, and is the same in every run. Floats are f64.
struct SampleInput {
  std::function<Tensor(uint64_t stream)> draw;
  SampleInput(std::function<Tensor(uint64_t stream)> draw) : draw(std::move(draw)) {}
  SampleInput(const Tensor& x) : draw([x](uint64_t) { return x; }) {}
};

namespace sample {
SampleInput normal(const Shape& shape);                            // mean 0, variance 1
SampleInput uniform(const Shape& shape, double low, double high);  // in [low, high)
SampleInput indices(const Shape& shape, int64_t below, DType dtype = DType::i32);  // 0 .. below - 1
}  // namespace sample

struct SampleInputs {
  Tensors given;  // or
  std::vector<SampleInput> to_draw;
  SampleInputs(std::initializer_list<SampleInput> inputs) : to_draw(inputs) {}
  SampleInputs(Tensors given) : given(std::move(given)) {}
};

// A call with its inputs: f64 tensors are what is differentiated, integer and boolean ones are
// passed as they are. The call works for f32 inputs as well.
struct Sample {
  std::string note;
  Tensors inputs;
  Function call;
  Sample(std::string note, const SampleInputs& inputs, Function call);
};

// A wrong call: it must throw an Error whose text holds each of the parts (the op, the shapes, the
// values).
struct ErrorSample {
  std::string note;
  std::function<void()> call;
  std::vector<std::string> mentions;
};

struct OpInfo {
  std::string name;  // what the op's nodes are called
  std::string formula;
  std::string file = "";  // of ops/, without .cpp; the table of ops fills it in
  std::vector<Sample> samples;
  std::vector<ErrorSample> errors = {};
  bool differentiable = true;
  // of f32 results against f64 ones, relative to the largest of the tensor
  double f32_tolerance = 2e-6;
  // inputs whose true gradient is zero: no mutant of them can be noticed
  std::vector<size_t> zero_gradients = {};
  // An expression of other ops, with no node of its own: its parts have the backward and its
  // mutants.
  bool composed = false;
  // f32 calls so large that threads share the work, where no sample can be enlarged to that: see
  // check_op.h
  std::vector<Sample> large = {};
};
using OpInfos = std::vector<OpInfo>;

}  // namespace gradus
