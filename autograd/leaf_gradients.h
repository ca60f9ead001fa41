// LeafGradients: gradients of leaves that are kept apart from their grad(). Losses of the same
// leaves can so be differentiated side by side, each on a thread of its own and into its own, and
// be added up afterwards in an order that is always the same:
//
//   LeafGradients own;
//   backward(loss, {.into = &own});   // no grad() is touched
//   own.add_to_leaves();              // as if they had been accumulated
//
// Owns a tensor for each leaf that it ever had a gradient of, and keeps it for the next one.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "gradus/autograd/node.h"

namespace gradus {

class LeafGradients {
 public:
  // Where the leaf's gradient lies, or is to be written: then it counts as there from now on.
  GradientSlot slot(const std::shared_ptr<TensorImpl>& leaf);
  bool has(const TensorImpl* leaf) const;
  // Adds each to its leaf's grad(), and has none from now on.
  void add_to_leaves();

 private:
  struct Entry {
    Tensor leaf, gradient;
    bool there = false;
  };
  std::vector<Entry> entries_;
  std::unordered_map<const TensorImpl*, size_t> places_;  // in entries_
};

}  // namespace gradus
