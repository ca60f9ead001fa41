// nn/: layers as plain values. A layer holds its parameters as Tensors, lists them once in parts(),
// and is called. Uses ops/, knows no model.
//
//   struct Xor {
//     Linear hidden{2, 8}, out{8, 1};
//     Tensor operator()(const Tensor& x) const { return out(tanh(hidden(x))); }
//     void parts(Parts& p) { p("hidden", hidden); p("out", out); }
//   };
//
// From that one list follow names ("hidden.weight"), counting, initial values, saving, freezing,
// printing and what an optimizer updates. Copies of a layer share its parameters; clone(layer) is
// the deep copy. One parameter under two names is an error unless declared with p.tied().
//
// A Parameter is a leaf, or a named range of a leaf's rows: BERT's query, key and value are ranges
// of one leaf that a single GEMM reads. Initialising, saving, decay and freezing act on (leaf,
// range).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/autograd/tensor.h"

namespace gradus {

struct Parameter {
  std::string name;  // "encoder.layer.0.attention.self.query.weight"
  Tensor leaf;
  int64_t begin = 0, end = 0;  // rows of the leaf
  // another name of a parameter that is listed elsewhere: not saved, counted or updated under this
  // one
  bool tied = false;
  Tensor view() const;  // those rows of the leaf, without history
  int64_t numel() const;
};

class Parts {
 public:
  // A parameter. It becomes a leaf that wants a gradient.
  void operator()(std::string_view name, Tensor& parameter);
  // The rows [begin, end) of a parameter; all ranges of a leaf together must cover it.
  void rows(std::string_view name, Tensor& parameter, int64_t begin, int64_t end);
  // A second name for a parameter that is listed elsewhere.
  void tied(std::string_view name, Tensor& parameter);
  // A layer, or a list of layers ("layer.0", "layer.1", …).
  template <class Layer>
  requires requires(Layer& layer, Parts& p) { layer.parts(p); }
  void operator()(std::string_view name, Layer& layer) {
    const size_t length = prefix_.size();
    enter(name);
    layer.parts(*this);
    prefix_.resize(length);
  }
  template <class Layer>
  void operator()(std::string_view name, std::vector<Layer>& layers) {
    for (size_t i = 0; i < layers.size(); ++i)
      (*this)(std::string(name) + "." + std::to_string(i), layers[i]);
  }
  // A layer whose parts a published model's files call otherwise. `rename` is given each name below
  // this one ("layer.0.attention.query.weight") and says what it is called instead; from then on it
  // has no other name. The layer itself knows nothing of it.
  template <class Layer>
  void operator()(std::string_view name, Layer& layer, std::string (*rename)(std::string_view)) {
    const size_t first = list.size();
    (*this)(name, layer);
    this->rename(first, name, rename);
  }

  std::vector<Parameter> list;
  std::vector<Tensor*> places;  // where the layer holds each of them

 private:
  void add(std::string_view name, Tensor& parameter, int64_t begin, int64_t end, bool tied);
  void enter(std::string_view name);
  void rename(size_t first, std::string_view name, std::string (*rename)(std::string_view));
  std::string prefix_;
};

// Checks the list: unique names; a leaf under two names only if tied or in ranges that cover it
// once. Gives the leaves their names.
std::vector<Parameter> checked_parameters(const Parts& parts);

template <class Layer>
std::vector<Parameter> parameters(Layer& layer) {
  Parts parts;
  layer.parts(parts);
  return checked_parameters(parts);
}

// Elements of all parameters, tied names counted once.
int64_t count_parameters(const std::vector<Parameter>& list);

// Whether a name matches a pattern with * (anything) and ? (one character).
bool matches(std::string_view name, std::string_view pattern);

// Leaves whose every name matches no gradient is wanted of: they are neither updated nor decayed.
// Returns how many parameters matched.
int64_t freeze(const std::vector<Parameter>& list, std::string_view pattern);

// Replaces each parameter of the layer that was listed by a new one with the same values, in
// another dtype if one is given; tied ones stay tied.
void renew_parameters(const Parts& parts, std::optional<DType> dtype = {});

// The deep copy: the same structure with parameters of its own. clone(layer, DType::f64) is for
// checking.
template <class Layer>
requires requires(Layer& layer, Parts& p) { layer.parts(p); }
Layer clone(const Layer& layer, std::optional<DType> dtype = {}) {
  Layer copy = layer;
  Parts parts;
  copy.parts(parts);
  renew_parameters(parts, dtype);
  return copy;
}

}  // namespace gradus
