// Node: one recorded application of an op. It holds edges to what it was made from, and what its
// backward needs in `saved` (nothing anywhere else, so that generic code can list, count, print,
// free and version-check it).
//
// Nodes live as long as a tensor or a newer node refers to them: there is no tape. `sequence`
// counts all nodes ever made; creation order is a topological order, so the walk backwards is
// "newest first". Destruction of a long chain does not recurse.
//
// An op is a subclass (see ops/): it has forward() and backward(), and a reader finds both in one
// file.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "gradus/autograd/modes.h"
#include "gradus/autograd/tensor.h"

namespace gradus {

class Walk;

struct Edge {
  std::shared_ptr<Node> node;  // the maker of this input, and which of its outputs the input is
  int output = 0;
  // or the leaf that the input is; neither: no gradient is wanted
  std::shared_ptr<TensorImpl> leaf;
  Shape shape;
  DType dtype = DType::f32;
  bool wanted() const { return node || leaf; }
};

// Where an input's gradient may be put directly, instead of being returned and added: see
// Node::destination.
struct Destination {
  Tensor into;       // undefined: return the gradient as usual
  bool add = false;  // add to what is there (GEMM's beta = 1), or overwrite it
  explicit operator bool() const { return into.defined(); }
};

class Node : public std::enable_shared_from_this<Node> {
 public:
  virtual ~Node();
  virtual const char* op() const = 0;
  virtual std::string detail() const { return ""; }  // parameters, for printing: "axis=-1"

  virtual Tensors forward(Inputs in) = 0;  // runs unrecorded; calls save()
  // one gradient an input; undefined ones are zero, given and returned
  virtual Tensors backward(const Tensors& dys) = 0;
  // What the walk calls. Fused ops (below) differentiate their reference instead when someone
  // records.
  virtual Tensors run_backward(const Tensors& dys) { return backward(dys); }

  uint64_t sequence() const { return sequence_; }
  // of the module that applied it: "encoder.layer.3.attention"
  const std::string& path() const { return *path_; }
  const std::vector<Edge>& edges() const { return edges_; }
  struct Output {
    Shape shape;
    DType dtype;
  };
  const std::vector<Output>& outputs() const { return outputs_; }
  Tensors saved_tensors() const;
  size_t saved_bytes() const;
  bool released() const { return released_; }
  virtual void release();  // frees what was saved: backward ran and the graph is not kept

 protected:
  // in forward: will there be a backward?
  bool recording() const { return recording_; }
  // for backward, in order; does nothing while nobody records
  void save(Tensors tensors);
  // in backward; an Error if it was freed or overwritten since
  Tensor saved(size_t i) const;
  // in backward: is that input's gradient wanted?
  bool wants(size_t input) const { return edges_[input].wanted(); }
  // In backward: a place in the gradient that is being summed for an input (a leaf's own, or the
  // pending one of what another node made), for ops that can add into it, or into a part of it.
  // Write there at once, and return an undefined gradient. There may be none: while somebody
  // records or observes, or where the sum has another holder.
  Destination destination(size_t input);

 private:
  friend Tensors record(std::shared_ptr<Node> node, Inputs in);
  friend class Walk;
  template <class Self>
  friend struct Fused;
  struct Saved {
    Tensor tensor;
    int output;
    uint32_t version;
  };
  Tensor unpack(const Saved& saved) const;
  Saved pack(const Tensor& tensor) const { return {tensor, -1, tensor.get().storage->version}; }

  uint64_t sequence_ = 0;
  std::shared_ptr<const std::string> path_;
  std::vector<Edge> edges_;
  std::vector<Output> outputs_;
  std::vector<Saved> saved_;
  // a fused op's inputs, for differentiating its reference
  std::vector<Saved> fused_inputs_;
  bool recording_ = false, released_ = false;
  Walk* destinations_ = nullptr;  // the walk that runs this backward, where it has destinations
};

// Runs node->forward(in) and, where recording is on and an input wants a gradient, makes the node
// the maker of the outputs.
Tensors record(std::shared_ptr<Node> node, Inputs in);

// apply<LayerNorm>({x, weight, bias}, eps): constructs the op from the arguments and records it.
template <class O, class... Args>
Tensors apply(Inputs in, Args&&... args);

// How many nodes were ever made: the sequence number of the newest.
uint64_t nodes_made();

// The base of plain ops: Self::name is the op's name; backward is written in differentiable ops, so
// derivatives of every order follow.
template <class Self>
struct Op : Node {
  const char* op() const override { return Self::name; }
};

// What a fused op's backward is when its reference is differentiated: by fresh aliases of the
// inputs, recorded if grad_enabled().
Tensors differentiate_reference(const Node& node, Inputs inputs, const Tensors& dys,
                                const std::function<Tensors(Inputs)>& reference);

// The base of fused ops: Self also has `Tensors reference(Inputs) const`, the readable expression
// that it must equal. backward() may use kernels freely: it runs only when nobody records. When
// someone does, or where Self writes no backward() of its own, reference is differentiated. Under
// Expand, the forward runs it too.
template <class Self>
struct Fused : Op<Self> {
  Tensors backward(const Tensors& dys) override {
    Tensors inputs;
    for (const auto& saved : this->fused_inputs_) inputs.push_back(this->unpack(saved));
    return differentiate_reference(*this, inputs, dys, [this](Inputs in) {
      return static_cast<const Self*>(this)->reference(in);
    });
  }
  Tensors run_backward(const Tensors& dys) override {
    return grad_enabled() ? Fused::backward(dys) : this->backward(dys);
  }
  void keep_inputs(Inputs in) {
    constexpr bool has_own_backward =
        !std::is_same_v<decltype(&Self::backward), Tensors (Fused::*)(const Tensors&)>;
    if (!has_own_backward || !first_order_only())
      for (const Tensor& x : in) this->fused_inputs_.push_back(this->pack(x));
  }
};

template <class O, class... Args>
Tensors apply(Inputs in, Args&&... args) {
  auto op = std::make_shared<O>(std::forward<Args>(args)...);
  if constexpr (std::is_base_of_v<Fused<O>, O>) {
    if (expanding()) return op->reference(in);
    if (recording_wanted(in)) op->keep_inputs(in);
  }
  return record(std::move(op), in);
}

}  // namespace gradus
