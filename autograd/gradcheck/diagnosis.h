// Diagnosis: which mistake does a wrong gradient look like? Each hypothesis computes, from the
// right gradient and from what is known of the op, what that mistake would give; the first one that
// gives the very numbers found is named. Where none does, nothing is guessed.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "gradus/autograd/tensor.h"

namespace gradus {

// A wrong derivative of one op, or of a whole function, and what stands around it.
struct Evidence {
  Shape shape;
  std::vector<double> analytic, numeric;  // the wrong and the right one, row-major
  Tensors inputs, outputs, dys;           // dys: the cotangents; undefined ones are zero
  std::vector<std::string> names;         // of the inputs: "input 1", "value.weight"
  size_t input;                           // the one of `inputs` that it is the derivative by
  // the right derivative by inputs[which], for other inputs and cotangents; an Error where that is
  // no legal call
  std::function<std::vector<double>(const Tensors& inputs, const Tensors& dys, size_t which)> right;
  // the one under test, by inputs[input], for other inputs; may be empty
  std::function<std::vector<double>(const Tensors& inputs)> wrong;
};

// A sentence part, "the sign: it is -1 times the right one"; empty where no hypothesis fits.
std::string likeliest_mistake(const Evidence& evidence);

// The values agree to 1e-5 of the largest of b: as far as differences can tell mistakes apart.
bool close(const std::vector<double>& a, const std::vector<double>& b);

// Whether all values that are not zero are numbers of f32, and enough of them that it is no chance.
bool all_f32(const std::vector<double>& values);

// The multi-index of an element: "[2, 0]".
std::string index_text(const Shape& shape, size_t element);

}  // namespace gradus
