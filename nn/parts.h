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
// Listing makes a tensor a leaf that is trained (requires_grad), unless it is frozen, which is a
// mark of its own: freeze(), or set_requires_grad(false). A layer says there too how a part begins
// and whether weight decay acts on it; a tensor that is saved and loaded and never trained is a
// buffer.
//
//   void parts(Parts& p) {
//     p("weight", weight);                                     // [out, in]: drawn, decays
//     p("gamma", gamma, Init::keep);                           // [n]: as constructed, no decay
//     p("table", table, {.init = Normal{0.02}, .decay = false});
//     p.buffer("running_mean", running_mean);                  // changed by assign() (ops/ops.h)
//   }
//
// A Parameter is a leaf, or a named range of a leaf's rows: BERT's query, key and value are ranges
// of one leaf that a single GEMM reads. Initialising, saving, decay and freezing act on (leaf,
// range).
#pragma once

#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "gradus/autograd/tensor.h"
#include "gradus/nn/init.h"

namespace gradus {

// What a layer says of a part beside its name. Where it says nothing, a tensor of two axes or more
// is drawn by initialize() and decays; one of fewer (biases, norms, scales) keeps what its
// constructor gave it and does not decay.
struct PartOptions {
  std::optional<Init> init = {};
  std::optional<bool> decay = {};
  // its rows are looked up, not multiplied (Embedding): Muon leaves it to AdamW
  bool table = false;
};

namespace detail {
template <class>
inline constexpr bool never = false;
}  // namespace detail

struct Parameter {
  std::string name;  // "encoder.layer.0.attention.self.query.weight"
  Tensor leaf;
  int64_t begin = 0, end = 0;  // rows of the leaf
  // another name of a parameter that is listed elsewhere: not saved, counted or updated under this
  // one
  bool tied = false;
  Init init = Init::drawn;  // what initialize() does with it
  bool decays = true;       // does weight decay act on it?
  bool table = false;       // rows that are looked up
  bool buffer = false;      // saved and loaded, never trained, of any dtype
  int64_t stacked = 1;      // matrices that lie in it one under the other, of equally many rows
  Tensor view() const;      // those rows of the leaf, without history
  int64_t numel() const;
};

class Parts {
 public:
  // A parameter. It becomes a leaf that wants a gradient, unless it is frozen. An Error where it
  // was made by an op while recording (it has a history, and an update would not reach it), or is
  // of a dtype without gradients.
  void operator()(std::string_view name, Tensor& parameter, PartOptions options = {});
  void operator()(std::string_view name, Tensor& parameter, Init init) {
    (*this)(name, parameter, PartOptions{.init = init});
  }
  // The rows [begin, end) of a parameter; all ranges of a leaf together must cover it.
  void rows(std::string_view name, Tensor& parameter, int64_t begin, int64_t end,
            PartOptions options = {});
  // A tensor that belongs to the layer and is no parameter (a running mean, a table of rotations):
  // saved, loaded, cloned and cast with it.
  void buffer(std::string_view name, Tensor& tensor);
  // A second name for a parameter or buffer that is listed elsewhere.
  void tied(std::string_view name, Tensor& parameter);
  // A layer, or a vector or array of layers ("layer.0", "layer.1", …).
  template <class Layer>
  requires requires(Layer& layer, Parts& p) { layer.parts(p); }
  void operator()(std::string_view name, Layer& layer) {
    const size_t length = prefix_.size();
    enter(name);
    layer.parts(*this);
    prefix_.resize(length);
  }
  template <class Layers>
  requires requires(Layers& layers) {
    std::size(layers);
    layers[0];
  }
  void operator()(std::string_view name, Layers& layers) {
    for (size_t i = 0; i < std::size(layers); ++i)
      (*this)(std::string(name) + "." + std::to_string(i), layers[i]);
  }
  // What cannot be listed, said by the compiler.
  template <class T, class... More>
  void operator()(std::string_view, const T&, const More&...) {
    static_assert(detail::never<T>,
                  "parts(): a part is a Tensor, a layer with `void parts(Parts&)`, or a vector or "
                  "array of layers; none is const, nor is parts() itself");
  }
  // A layer whose parts a published model's files call otherwise. `rename` is given each name below
  // this one ("layer.0.attention.query.weight") and says what it is called instead; from then on it
  // has no other name. Neighbouring ranges of a leaf that get one name become one parameter, in
  // which they are stacked. The layer itself knows nothing of it.
  template <class Layer>
  void operator()(std::string_view name, Layer& layer, std::string (*rename)(std::string_view)) {
    const size_t first = list.size();
    (*this)(name, layer);
    this->rename(first, name, rename);
  }

  std::vector<Parameter> list;
  std::vector<Tensor*> places;  // where the layer holds each of them

 private:
  Parameter& add(std::string_view name, Tensor& tensor);
  Parameter& add_trained(std::string_view name, Tensor& parameter, const PartOptions& options);
  void enter(std::string_view name);
  void rename(size_t first, std::string_view name, std::string (*rename)(std::string_view));
  void join_ranges(size_t first);
  std::string prefix_;
};

// Checks the list: unique names; a leaf under two names only if tied or in ranges that cover it
// once. Gives the leaves their names.
std::vector<Parameter> checked_parameters(const Parts& parts);

template <class Layer>
std::vector<Parameter> parameters(Layer& layer) {
  static_assert(!std::is_const_v<Layer>,
                "a const layer cannot list its parameters, which whoever has the list may change");
  Parts parts;
  layer.parts(parts);
  return checked_parameters(parts);
}

// A list of parameters, or a model that has one: what functions take that want either.
struct ParameterList : std::vector<Parameter> {
  ParameterList(std::vector<Parameter> list) : std::vector<Parameter>(std::move(list)) {}
  template <class Layer>
  requires requires(Layer& layer, Parts& p) { layer.parts(p); }
  ParameterList(Layer& layer) : std::vector<Parameter>(parameters(layer)) {}
  template <class Layer>
  requires(std::is_const_v<Layer>&& requires(std::remove_const_t<Layer>& layer, Parts& p) {
    layer.parts(p);
  }) ParameterList(Layer& layer)
      : std::vector<Parameter>(parameters(layer)) {}
};

// Elements of all parameters, tied names counted once, buffers not.
int64_t count_parameters(const ParameterList& list);

// Whether a name matches a pattern with * (anything) and ? (one character).
bool matches(std::string_view name, std::string_view pattern);

// Those whose names match, to save or train a part of a model. An Error where none does.
ParameterList select(const ParameterList& list, std::string_view pattern);

// Marks the leaves whose names match: no gradient is wanted of them, and they are neither updated
// nor decayed. Returns how many parameters matched. An Error where a pattern matches nothing,
// or some of the ranges of a leaf and not all.
int64_t freeze(const ParameterList& list, std::string_view pattern = "*");
// Takes the mark away. An optimizer that was made before knows nothing of them: make a new one.
int64_t unfreeze(const ParameterList& list, std::string_view pattern = "*");

// Replaces each part of the layer that was listed by a new one with the same values, in another
// dtype if one is given (buffers of integers keep theirs); tied ones stay tied, frozen ones frozen.
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
