// The engine: reverse-mode differentiation as a walk over nodes, newest first.
//
//   backward(loss)         adds d loss / d leaf to the grad() of every leaf that loss was made from
//   grad(y, {x1, x2})      returns total derivatives by the tensors given, leaves or not, and
//                          touches no grad()
//   Walk walk(loss); while (auto step = walk.next()) …
//                          the same, one node at a time: backward() is this loop with nothing in it
//
// A node runs when every node that uses its outputs has run: those are all newer, so "newest first"
// is enough and nothing is sorted or recursive. Pending gradients are keyed by node and output, so
// an activation can be freed while its gradient is still coming. Broadcasting is undone here and
// nowhere else: a gradient is summed to the shape of the input it is for. What a node saved is
// freed once it has run, unless keep_graph.
#pragma once

#include <map>
#include <unordered_map>

#include "gradus/autograd/node.h"

namespace gradus {

class LeafGradients;  // leaf_gradients.h

struct GradOptions {
  // record the walk itself, so that its results can be differentiated again; implies keep_graph
  bool create_graph = false;
  bool keep_graph = false;  // do not free what the nodes saved: another walk will follow
  // nodes made before that sequence number do not run: what they made counts as given (for
  // recomputation)
  uint64_t since = 0;
  // the leaves' gradients go there, not to their grad()
  LeafGradients* into = nullptr;
};

class Walk {
 public:
  struct Step {
    std::shared_ptr<Node> node;  // null: the walk is over
    // gradients by the node's outputs and inputs; undefined ones are zero
    Tensors dys, dxs;
    explicit operator bool() const { return node != nullptr; }
    std::string op() const { return node->op(); }
    std::string path() const { return node->path(); }
  };

  explicit Walk(const Tensor& loss, GradOptions options = {});  // loss: a single element
  Walk(const Tensors& ys, const Tensors& dys, GradOptions options = {});
  // Gradients go to `wanted` alone, in results(); only nodes that lead to one of them run.
  Walk(const Tensors& ys, const Tensors& dys, const Tensors& wanted, GradOptions options = {});

  Step next();
  const Tensors& results() const { return results_; }
  const Tensors& reached() const { return reached_; }  // the leaves that got a gradient, each once

 private:
  friend class Node;
  friend struct BackwardReport backward(const Tensors& ys, const Tensors& dys, GradOptions options);
  friend Tensors grad(const Tensors& ys, const Tensors& dys, const Tensors& xs,
                      GradOptions options);
  struct Pending {
    std::shared_ptr<Node> node;
    Tensors dys;
  };
  void start(const Tensors& ys, const Tensors& dys);
  void find_leading(const Tensors& ys);
  void give(const Edge& edge, Tensor gradient, const Node* from = nullptr, size_t input = 0);
  Tensors run(Node& node, const Tensors& dys, bool watched);
  Tensor& pending_sum(const Edge& edge);
  Tensor* sum_of(const Edge& edge);
  GradientSlot slot(const Edge& edge);
  GradientSlot leaf_slot(const std::shared_ptr<TensorImpl>& leaf) const;
  bool has_gradient(const TensorImpl& leaf) const;
  void collect(const void* key, int output, const Tensor& gradient);
  void mark_reached(const std::shared_ptr<TensorImpl>& leaf);

  GradOptions options_;
  std::map<uint64_t, Pending, std::greater<>> pending_;  // by sequence, newest first
  bool to_leaves_ = true;
  bool shows_ = true;  // steps hand out every gradient; backward() and grad() need none of them
  // (node, output) or (leaf, 0) -> places in results_
  std::map<std::pair<const void*, int>, std::vector<size_t>> wanted_;
  std::unordered_map<const Node*, bool> leading_;
  Tensors results_, reached_;
  Tensors shown_;  // what run() showed of the last node
  std::unordered_map<const TensorImpl*, bool> seen_;
};

struct BackwardReport {
  // the leaves that the loss reached: what the audit compares with a model's parameters
  Tensors reached;
};
BackwardReport backward(const Tensor& loss, GradOptions options = {});
BackwardReport backward(const Tensors& ys, const Tensors& dys, GradOptions options = {});

// d y / d x for each x, in order; undefined where y does not depend on x. y has one element, or dys
// say by what to multiply.
Tensors grad(const Tensor& y, const Tensors& xs, GradOptions options = {});
Tensors grad(const Tensors& ys, const Tensors& dys, const Tensors& xs, GradOptions options = {});

// A leaf's own slot, made its grad(): empty, or with the gradient that is there already. A gradient
// that a caller holds too is copied first, so that it does not change under them.
GradientSlot slot_of(const Tensor& leaf);

// For the mutation test: sees, and may spoil, what every node's backward returns, where the walk
// calls it. Empty otherwise.
std::function<void(const Node&, Tensors& dxs)>& backward_interceptor();

// Identity with a node of its own.
Tensor alias(const Tensor& x);

// The three operations the engine itself needs; ops/ defines them.
Tensor add(const Tensor& a, const Tensor& b);
// Undoes broadcasting: the sum of x over the axes along which `shape` broadcasts to x's shape. An
// Error where it does not.
Tensor sum_to(const Tensor& x, const Shape& shape);
// y = x or y += x, unrecorded, for equal shapes and any strides: y may be a view.
void copy_into(const Tensor& x, Tensor& y, bool add_to_y);

}  // namespace gradus
