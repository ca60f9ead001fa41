#include "gradus/autograd/gradcheck/watch.h"

#include <algorithm>
#include <cstring>

#include "gradus/autograd/engine.h"

namespace gradus {
namespace {

// A copy with memory of its own, without history and unrecorded.
Tensor copy_of(const Tensor& x) {
  return dispatch(x.dtype(), [&]<class T>() {
    Tensor copy = Tensor::empty(x.shape(), x.dtype());
    const std::vector<T> values = x.detach().to_vector<T>();
    std::copy(values.begin(), values.end(), copy.write<T>());
    return copy;
  });
}

bool is_zero(const Tensor& x) {
  const std::vector<double> values = x.to_vector<double>();
  return std::all_of(values.begin(), values.end(), [](double v) { return v == 0; });
}

}  // namespace

bool same_bits(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  if (a.shape() != b.shape() || a.dtype() != b.dtype()) return false;
  return dispatch(a.dtype(), [&]<class T>() {
    const std::vector<T> u = a.to_vector<T>(), v = b.to_vector<T>();
    if constexpr (std::is_same_v<T, bool>) return u == v;
    else return u.empty() || std::memcmp(u.data(), v.data(), u.size() * sizeof(T)) == 0;
  });
}

std::string where(const Node& node) {
  return node.path().empty() ? node.op() : fmt::format("{} at {}", node.op(), node.path());
}

void Watch::complain(std::string sentence) {
  if (std::find(complaints_.begin(), complaints_.end(), sentence) == complaints_.end())
    complaints_.push_back(std::move(sentence));
}

void Watch::keep(const Tensor& x, const std::string& name) {
  if (x.defined()) kept_.try_emplace(x.impl().get(), Kept{x, copy_of(x), name});
}

bool Watch::intact(const Tensor& x) {
  if (!x.defined()) return true;
  const auto found = kept_.find(x.impl().get());
  if (found == kept_.end() || same_bits(x, found->second.copy)) return true;
  found->second.copy = copy_of(x);
  return false;
}

std::string Watch::changed() const {
  std::string names;
  for (const auto& [impl, kept] : kept_)
    if (!kept.name.empty() && !same_bits(kept.tensor, kept.copy))
      names += (names.empty() ? "" : ", ") + kept.name;
  return names;
}

void Watch::forward(const Node& node, Inputs in, const Tensors& out, double) {
  for (const Tensor& y : out)
    if (first_f32_op_.empty() && y.defined() && y.dtype() == DType::f32)
      first_f32_op_ = where(node);
  if (node.edges().empty()) return;  // not recorded
  ops_.push_back(node.op());
  for (size_t i = 0; i < in.size(); ++i)
    if (!intact(in[i]))
      complain(fmt::format(
          "the forward of {} writes into its input {} {}: whoever else uses that tensor, and "
          "backward, then read other values; write into a new tensor (Tensor::empty, clone)",
          where(node), i, in[i].shape()));
  for (const Tensor& y : out) keep(y, "");
  forwards_.insert_or_assign(&node, std::pair{in, out});
}

void Watch::backward(const Node& node, const Tensors& dys, const Tensors& dxs, double) {
  Backward step{std::const_pointer_cast<Node>(node.shared_from_this()), {}, {}, {}, dxs};
  if (const auto found = forwards_.find(&node); found != forwards_.end())
    std::tie(step.inputs, step.outputs) = found->second;
  for (size_t i = 0; i < dys.size(); ++i) {
    const bool was = dys[i].defined() && kept_.contains(dys[i].impl().get());
    // what it was given, before it wrote there
    step.dys.push_back(was ? kept_.at(dys[i].impl().get()).copy : dys[i]);
    if (!intact(dys[i]))
      complain(fmt::format(
          "the backward of {} writes into the dy that it is given: in place on dy; an add hands "
          "the same dy to both of its sides, so others read what was written there; write into a "
          "new tensor",
          where(node)));
  }
  for (size_t i = 0; i < step.inputs.size(); ++i)
    if (!intact(step.inputs[i]))
      complain(fmt::format("the backward of {} writes into its input {} {}", where(node), i,
                           step.inputs[i].shape()));
  bool recorded = false;
  for (const Tensor& dy : dys) recorded = recorded || (dy.defined() && dy.requires_grad());
  recorded = recorded && grad_enabled();
  for (size_t i = 0; i < dxs.size() && i < node.edges().size(); ++i) {
    if (!node.edges()[i].wanted()) continue;
    if (recorded && no_history_.empty() && dxs[i].defined() && !dxs[i].requires_grad() &&
        !is_zero(dxs[i]))
      no_history_ = fmt::format(
          "what the backward of {} returned for its input {} has no history: it is computed by "
          "loops or under NoGrad, not by recorded ops; give the op a `reference` (Fused), or write "
          "its backward in ops",
          where(node), i);
    keep(dxs[i], "");
  }
  backwards_.push_back(std::move(step));
}

}  // namespace gradus
