// Functions of functions: vjp, jvp, hvp and checkpoint. A Function takes tensors and returns
// tensors. What it captures (a layer's parameters, an activation with history) counts as constant,
// except in checkpoint, where captured parameters and activations get their gradients too.
//
// vjp, jvp and hvp record by themselves, whatever scope they are called in, return tensors without
// history, and leave every grad() as it is. A derivative that is zero is a tensor of zeros; only
// that by an input of an integer dtype is undefined. An Error where a direction is missing or of
// another shape or dtype than what it belongs to.
#pragma once

#include <functional>

#include "gradus/autograd/tensor.h"

namespace gradus {

using Function = std::function<Tensors(Inputs)>;

struct Vjp {
  Tensors ys, dxs;  // f(xs); and dys^T J
};
Vjp vjp(const Function& f, Inputs xs, const Tensors& dys);

struct Jvp {
  Tensors ys, dys;  // f(xs); and J dxs
};
// Forward mode as two reverse passes: dys^T J is linear in dys, and its own vjp is J dxs.
Jvp jvp(const Function& f, Inputs xs, const Tensors& dxs);

// H v of a scalar function, H its Hessian: the gradient of (gradient . v).
Tensors hvp(const std::function<Tensor(Inputs)>& f, Inputs xs, const Tensors& vs);

// Runs f without keeping what its ops save; its backward runs f again (with the same random draws)
// and differentiates that. Tensors with history and leaves that f captures are found in the first
// run and count as inputs, so that their gradients arrive as if f had been called plainly.
Tensors checkpoint(const Function& f, Inputs xs);

}  // namespace gradus
