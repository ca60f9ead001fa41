// gradcheck of a layer: are the derivatives by its inputs and by each of its parameters right?
// (autograd/gradcheck.h says how it is checked, and what the log says.)
//
//   auto result = gradcheck(layer, {x}, {.order = 2});                                // layer(x)
//   auto result = gradcheck(layer, [&](auto& l, Inputs in) { return l(in[0], sequences); }, {x});
//   if (!result) fmt::print("{}", result.log);
//
// A layer is anything with parts(). It is cloned to f64 and left as it is; x may be f32 or f64, and
// integers (ids, labels) are passed on. Each parameter has a line by its path
// ("attention.query.weight"), rows of a leaf one each, a tied one under its first name. A frozen
// parameter or a buffer is not differentiated by, and the log says so, as it does of a parameter
// that the call does not use. A tensor that the layer holds but does not list stays what it was: an
// f32 one in a layer of f64 is an Error of the op that meets both.
#pragma once

#include <type_traits>

#include "gradus/autograd/gradcheck.h"
#include "gradus/nn/parts.h"

namespace gradus {

namespace detail {
// The leaves of a list that want a gradient, by the names of the list; what is left out is noted.
std::vector<NamedLeaf> leaves_to_check(const std::vector<Parameter>& list, std::string& notes);

inline Tensors as_list(Tensor y) { return {std::move(y)}; }
inline Tensors as_list(Tensors ys) { return ys; }

template <class Layer>
Tensors call_layer(Layer& layer, Inputs in) {
  const auto with = [&]<size_t... I>(std::index_sequence<I...>)->Tensors {
    if constexpr (std::is_invocable_v<Layer&, decltype(in[I])...>) return as_list(layer(in[I]...));
    else
      fail(
          "gradcheck: the layer cannot be called with {} tensors; pass how it is called: "
          "gradcheck(layer, [&](auto& l, Inputs in) {{ return l(in[0], …); }}, {{x}})",
          sizeof...(I));
  };
  switch (in.size()) {
    case 0: return with(std::make_index_sequence<0>());
    case 1: return with(std::make_index_sequence<1>());
    case 2: return with(std::make_index_sequence<2>());
    case 3: return with(std::make_index_sequence<3>());
    case 4: return with(std::make_index_sequence<4>());
    default: fail("gradcheck: {} inputs; pass how the layer is called with them", in.size());
  }
}
}  // namespace detail

template <class T>
concept LayerWithParts = requires(T& layer, Parts& p) {
  layer.parts(p);
};

// `call` takes the layer (the f64 clone) and the inputs, and returns a Tensor or Tensors.
template <LayerWithParts Layer, class Call>
requires std::is_invocable_v<const Call&, Layer&, Inputs> GradcheckResult
gradcheck(const Layer& layer, const Call& call, Inputs xs, GradcheckOptions options = {}) {
  Layer exact = clone(layer, DType::f64);
  std::string notes;
  const auto leaves = detail::leaves_to_check(parameters(exact), notes);
  GradcheckResult result = gradcheck_with(
      [&](Inputs in) { return detail::as_list(call(exact, in)); }, xs, leaves, options);
  result.log = notes + result.log;
  return result;
}

template <LayerWithParts Layer>
GradcheckResult gradcheck(const Layer& layer, Inputs xs, GradcheckOptions options = {}) {
  return gradcheck(
      layer, [](Layer& l, Inputs in) { return detail::call_layer(l, in); }, xs, options);
}
template <LayerWithParts Layer>
GradcheckResult gradcheck(const Layer& layer, const Tensor& x, GradcheckOptions options = {}) {
  return gradcheck(layer, Tensors{x}, options);
}

}  // namespace gradus
