#include "gradus/autograd/node.h"

#include <algorithm>
#include <atomic>
#include <map>

#include "gradus/autograd/engine.h"
#include "gradus/autograd/observer.h"

namespace gradus {

// A chain of a million nodes must not destroy itself a million calls deep: each node hands what it
// holds to a list that the outermost destructor empties.
Node::~Node() {
  struct Held {
    std::vector<Edge> edges;
    std::vector<Saved> saved, inputs;
  };
  thread_local std::vector<Held>* waiting = nullptr;
  Held held{std::move(edges_), std::move(saved_), std::move(reference_inputs_)};
  if (waiting) {
    waiting->push_back(std::move(held));
    return;
  }
  std::vector<Held> list;
  waiting = &list;
  list.push_back(std::move(held));
  while (!list.empty()) {
    const Held next = std::move(list.back());
    list.pop_back();
  }
  waiting = nullptr;
}

void Node::save(const Tensors& tensors) {
  if (!recording_) return;
  for (const Tensor& tensor : tensors) saved_.push_back(pack(tensor));
}

Tensor Node::unpack(const Saved& saved) const {
  const Tensor& x = saved.tensor;
  if (!x.defined()) return x;  // an optional input
  if (const uint32_t now = x.get().storage->version; now != saved.version)
    fail(
        "{}: a tensor that it saved for backward, {}, was overwritten since (version {}, saved at "
        "{}); clone() it before writing",
        op(), describe(x), now, saved.version);
  if (saved.output < 0 || !grad_enabled()) return x;
  // An output of this node: stored without its history (which would be a cycle), given back with
  // it.
  Tensor output = x.detach();
  output.get().node = std::const_pointer_cast<Node>(shared_from_this());
  output.get().output = saved.output;
  return output;
}

Tensor Node::saved(size_t i) const {
  if (released_)
    fail(
        "{}: backward ran already and its saved tensors were freed; pass keep_graph to run it "
        "again",
        op());
  if (i >= saved_.size())
    fail(
        "{}: its backward asks for saved tensor {}, but its forward saved {}; what backward needs, "
        "forward must save()",
        op(), i, saved_.size());
  return unpack(saved_[i]);
}

Tensors Node::saved_tensors() const {
  Tensors tensors;
  for (const Saved& saved : saved_) tensors.push_back(saved.tensor);
  return tensors;
}

size_t Node::saved_bytes() const {
  std::map<const Storage*, size_t> bytes;
  for (const auto* list : {&saved_, &reference_inputs_})
    for (const Saved& saved : *list) {
      const Tensor& x = saved.tensor;
      if (!x.defined()) continue;
      size_t& largest = bytes[x.get().storage.get()];
      largest = std::max(largest, std::min(x.get().storage->bytes,
                                           static_cast<size_t>(x.numel()) * size_of(x.dtype())));
    }
  size_t total = 0;
  for (const auto& [storage, size] : bytes) total += size;
  return total;
}

void Node::release() {
  saved_.clear();
  reference_inputs_.clear();
  released_ = true;
}

GradientSlot Node::slot(size_t input) {
  const Edge& edge = edges_.at(input);
  const auto goes_there = [&](size_t other) {
    const Edge& asked = edges_[other];
    return asked.node == edge.node && asked.output == edge.output && asked.leaf == edge.leaf;
  };
  // A second input that is the same tensor: its gradient is added when backward has returned.
  const bool again = std::any_of(asked_slots_.begin(), asked_slots_.end(), goes_there);
  if (edge.wanted() && !grad_enabled() && !again) {
    asked_slots_.push_back(input);
    if (slots_) return slots_->slot(edge);
  }
  return {Tensor::empty(edge.shape, edge.dtype)};
}

void GradientSlot::zero_unless_added_to() {
  if (add) return;
  dispatch(into.dtype(), [&]<class T>() { std::fill_n(into.write<T>(), into.numel(), T{}); });
}

namespace {
std::atomic<uint64_t> created{0};
}
uint64_t nodes_made() { return created; }

Tensors record(const std::shared_ptr<Node>& node, Inputs in) {
  if (Tensors* touched = detail::modes().touched)
    for (const Tensor& x : in)
      if (x.defined() && x.requires_grad()) touched->push_back(x);
  node->recording_ = recording_wanted(in);
  node->path_ = current_path();
  node->sequence_ = ++created;
  const OwnSeconds seconds;
  Tensors out;
  {
    NoGrad scope;
    out = node->forward(in);
  }
  // an op may hand on an input as it is; as an output it is a tensor of its own
  for (Tensor& y : out)
    for (const Tensor& x : in)
      if (y.same(x)) {
        y = x.detach();
        break;
      }
  if (node->recording_) {
    for (const Tensor& x : in) {
      Edge edge;
      if (x.defined()) {
        edge.shape = x.shape();
        edge.dtype = x.dtype();
        edge.node = x.get().node;
        edge.output = x.get().output;
        if (x.is_leaf()) edge.leaf = x.impl();
      }
      node->edges_.push_back(std::move(edge));
    }
    for (size_t i = 0; i < out.size(); ++i) {
      node->outputs_.push_back({out[i].shape(), out[i].dtype()});
      for (auto& saved : node->saved_)
        if (saved.tensor.same(out[i])) {
          saved.tensor = out[i].detach();
          saved.output = static_cast<int>(i);
        }
      if (!is_float(out[i].dtype())) continue;
      out[i].get().node = node;
      out[i].get().output = static_cast<int>(i);
    }
  }
  for (Observer* observer : observers()) observer->forward(*node, in, out, seconds.so_far());
  return out;
}

namespace {
// Identity with a node of its own: the recorded alias of an input on which a fused op's reference
// is differentiated.
struct Alias : Op<Alias> {
  static constexpr const char* name = "alias";
  Tensors forward(Inputs in) override { return {in[0].detach()}; }
  Tensors backward(const Tensors& dys) override { return dys; }
};
}  // namespace

Tensor alias(const Tensor& x) { return apply<Alias>({x})[0]; }

// By fresh aliases and not by the inputs themselves: an input given twice, or one that depends on
// another, would be counted twice.
Tensors differentiate_reference(const Node& node, Inputs inputs, const Tensors& dys,
                                const std::function<Tensors(Inputs)>& reference) {
  if (node.released())
    fail(
        "{}: backward ran already and its saved tensors were freed; pass keep_graph to run it "
        "again",
        node.op());
  if (inputs.empty())
    fail(
        "{}: its backward cannot be differentiated: the graph was recorded under FirstOrderOnly, "
        "which saves no inputs for that",
        node.op());
  const bool again = grad_enabled();
  const RecordingScope recording(true);
  const uint64_t since = nodes_made();  // the inputs' own history is the outer walk's
  Tensors fresh, wanted;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!node.edges()[i].wanted()) {
      fresh.push_back(inputs[i]);
      continue;
    }
    fresh.push_back(again ? alias(inputs[i]) : inputs[i].detach().set_requires_grad());
    wanted.push_back(fresh.back());
  }
  const Tensors found =
      grad(reference(fresh), dys, wanted, {.create_graph = again, .since = since});
  Tensors dxs(inputs.size());
  for (size_t i = 0, next = 0; i < inputs.size(); ++i)
    if (node.edges()[i].wanted()) dxs[i] = found[next++];
  return dxs;
}

}  // namespace gradus
