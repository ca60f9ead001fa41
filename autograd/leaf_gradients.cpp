#include "gradus/autograd/leaf_gradients.h"

#include "gradus/autograd/engine.h"
#include "gradus/autograd/modes.h"

namespace gradus {

GradientSlot LeafGradients::slot(const std::shared_ptr<TensorImpl>& leaf) {
  const auto [place, is_new] = places_.try_emplace(leaf.get(), entries_.size());
  if (is_new) entries_.push_back({Tensor(leaf), Tensor::empty(leaf->shape, leaf->dtype)});
  Entry& entry = entries_[place->second];
  return {entry.gradient, std::exchange(entry.there, true), true};
}

bool LeafGradients::has(const TensorImpl* leaf) const {
  const auto place = places_.find(leaf);
  return place != places_.end() && entries_[place->second].there;
}

void LeafGradients::add_to_leaves() {
  const NoGrad scope;
  for (Entry& entry : entries_) {
    if (!std::exchange(entry.there, false)) continue;
    GradientSlot slot = slot_of(entry.leaf);
    copy_into(entry.gradient, slot.into, slot.add);
  }
}

}  // namespace gradus
