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

// Where the gradient of one input goes. All gradients of a tensor add up in one place: of a leaf,
// in a range of a flat arena or memory of its own; of any other, in the walk's pending sum. An op
// that can add into memory, or into a part of it, writes there directly. While the walk is
// recorded, the slot is new memory that backward returns. Nothing but this says where a gradient
// lies, so all walks leave the same bits, whoever watches them.
//
//   GradientSlot dw = slot(1);                      in backward, for an input that wants(1)
//   gemm(…, dw.add ? 1 : 0, dw.into.write<T>());    overwrites, or adds to what is there
//   return {dx, dw.gradient()};                     undefined where it lies in its place already
struct GradientSlot {
  Tensor into;        // contiguous, of the input's shape
  bool add = false;   // a gradient is there already: add to it. If not, what is there means nothing
  bool kept = false;  // it lies in its place; otherwise backward returns it
  void zero_unless_added_to();  // for kernels that only add
  Tensor gradient() const { return kept ? Tensor() : into; }
};

class Node : public std::enable_shared_from_this<Node> {
 public:
  virtual ~Node();
  virtual const char* op() const = 0;
  virtual std::string detail() const { return ""; }  // parameters, for printing: "axis=-1"

  virtual Tensors forward(Inputs in) = 0;  // runs unrecorded; calls save()
  // one gradient an input; undefined ones are zero, given and returned
  virtual Tensors backward(const Tensors& dys) = 0;
  // What the walk calls. Ops with a reference (below) differentiate that when someone records.
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
  // Bytes that stay in memory for the backward: what was saved and, of an op with a reference, its
  // inputs; memory that several of them share counts once.
  size_t saved_bytes() const;
  bool released() const { return released_; }
  virtual void release();  // frees what was saved: backward ran and the graph is not kept

 protected:
  // in forward: will there be a backward?
  bool recording() const { return recording_; }
  // for backward, in order; does nothing while nobody records
  void save(const Tensors& tensors);
  // in backward; an Error if it was freed or overwritten since
  Tensor saved(size_t i) const;
  // in backward: is that input's gradient wanted?
  bool wants(size_t input) const { return edges_[input].wanted(); }
  // In backward: where that input's gradient goes; asked once for an input, and written before
  // backward returns. A backward that asks may be run twice, once for a watcher, so it must not
  // change what it saved.
  GradientSlot slot(size_t input);

 private:
  friend Tensors record(const std::shared_ptr<Node>& node, Inputs in);
  friend class Walk;
  template <class Self>
  friend struct WithReference;
  struct Saved {
    Tensor tensor;
    int output;
    uint32_t version;
  };
  Tensor unpack(const Saved& saved) const;
  Saved pack(const Tensor& tensor) const {
    return {tensor, -1, tensor.defined() ? tensor.get().storage->version : 0};
  }

  uint64_t sequence_ = 0;
  std::shared_ptr<const std::string> path_;
  std::vector<Edge> edges_;
  std::vector<Output> outputs_;
  std::vector<Saved> saved_;
  // the inputs of an op with a reference, for differentiating that
  std::vector<Saved> reference_inputs_;
  // During a backward: the walk that says where slots are, if any does, and of which inputs this
  // node asked for one.
  Walk* slots_ = nullptr;
  std::vector<size_t> asked_slots_;
  bool recording_ = false;
  bool released_ = false;
};

// Runs node->forward(in) and, where recording is on and an input wants a gradient, makes the node
// the maker of the outputs.
Tensors record(const std::shared_ptr<Node>& node, Inputs in);

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

// What the backward of an op with a reference is when that is differentiated: by fresh aliases of
// the inputs, recorded if grad_enabled().
Tensors differentiate_reference(const Node& node, Inputs inputs, const Tensors& dys,
                                const std::function<Tensors(Inputs)>& reference);

// What Composed and Fused share: `Tensors reference(Inputs) const`, the readable expression that
// the op must equal. Under Expand and ExpandOutermost, the forward runs it.
template <class Self>
struct WithReference : Op<Self> {
  void keep_inputs(Inputs in) {
    for (const Tensor& x : in) this->reference_inputs_.push_back(this->pack(x));
  }

 protected:
  Tensors differentiate(const Tensors& dys) const {
    Tensors inputs;
    for (const auto& saved : this->reference_inputs_) inputs.push_back(this->unpack(saved));
    return differentiate_reference(*this, inputs, dys, [this](Inputs in) {
      return static_cast<const Self*>(this)->reference(in);
    });
  }
};

// The base of ops that have a forward of their own and whose derivatives, of every order, are those
// of the reference: the shortest way to a new op.
template <class Self>
struct Composed : WithReference<Self> {
  static bool needs_inputs() { return true; }
  Tensors backward(const Tensors& dys) final { return this->differentiate(dys); }
};

// The base of ops that have a backward of their own beside the reference. It may use kernels
// freely: it runs only when nobody records. When someone does, reference is differentiated.
template <class Self>
struct Fused : WithReference<Self> {
  static bool needs_inputs() { return !first_order_only(); }
  Tensors backward(const Tensors& dys) override = 0;
  Tensors run_backward(const Tensors& dys) final {
    return grad_enabled() ? this->differentiate(dys) : this->backward(dys);
  }
};

template <class O, class... Args>
Tensors apply(Inputs in, Args&&... args) {
  auto op = std::make_shared<O>(std::forward<Args>(args)...);
  if constexpr (std::is_base_of_v<WithReference<O>, O>) {
    if (expanding()) {
      const ExpandOutermost inside(false);
      return op->reference(in);
    }
    if (O::needs_inputs() && recording_wanted(in)) op->keep_inputs(in);
  }
  return record(op, in);
}

}  // namespace gradus
