#include "gradus/optim/optimizer.h"

#include <cmath>
#include <map>
#include <set>

#include "gradus/autograd/engine.h"
#include "gradus/autograd/modes.h"
#include "gradus/ops/ops.h"

namespace gradus {

StateBuffer::StateBuffer(std::string name, const std::vector<Range>& ranges,
                         const ShapeOf& shape_of)
    : name_(std::move(name)) {
  constexpr int64_t alignment = 16;  // elements: each begins on a cache line
  int64_t total = 0;
  for (const Range& range : ranges) {
    places_.push_back({shape_of ? shape_of(range) : range.shape, total});
    const int64_t n = places_.back().shape ? places_.back().shape->numel() : 0;
    total += (n + alignment - 1) / alignment * alignment;
  }
  memory_ = zeros({total});
}

float* StateBuffer::of(const Range& range) {
  const Place& place = places_[range.index];
  check(place.shape.has_value(), "the state '{}' was declared without a place for '{}'", name_,
        range.name);
  return reinterpret_cast<float*>(memory_.get().storage->data) + place.offset;
}

Tensor StateBuffer::tensor(const Range& range) const {
  const Place& place = places_[range.index];
  if (!place.shape) return {};
  return memory_.view(*place.shape, contiguous_strides(*place.shape), place.offset);
}

Optimizer::Optimizer(std::string name, const ParameterList& list, double learning_rate,
                     double weight_decay)
    : arena_(list),
      name_(std::move(name)),
      learning_rate_(checked_rate("learning rate", learning_rate)),
      weight_decay_(checked_rate("weight decay", weight_decay)) {}

double Optimizer::checked_rate(const char* what, double value) const {
  if (!(value >= 0 && std::isfinite(value)))
    fail("{}: a {} of {}; it must be 0 or more", name_, what, value);
  return value;
}

void Optimizer::set_learning_rate(double rate) {
  learning_rate_ = checked_rate("learning rate", rate);
}

double fraction(const char* what, double value) {
  if (!(value >= 0 && value < 1)) fail("{} is {}; it must be 0 or more and below 1", what, value);
  return value;
}

double Optimizer::step(const std::vector<Optimizer*>& optimizers, double max_norm) {
  const NoGrad scope;
  check(!optimizers.empty(), "step: it was given no optimizer");
  if (std::set<Optimizer*>(optimizers.begin(), optimizers.end()).size() != optimizers.size())
    fail("step: it was given one optimizer ({}) twice", optimizers[0]->name_);
  double squares = 0;
  for (const Optimizer* optimizer : optimizers) {
    optimizer->arena_.check_unfrozen();
    squares += optimizer->arena_.gradient_sum_of_squares();
  }
  const double total = std::sqrt(squares);
  if (!std::isfinite(total)) {
    std::string names;
    for (const Optimizer* optimizer : optimizers)
      for (const auto& range : optimizer->arena_.ranges())
        if (range.updated() && names.size() < 200 &&
            !std::isfinite(norm(optimizer->arena_.gradient(range))))
          names += (names.empty() ? "" : ", ") + range.name;
    throw NotFinite(fmt::format(
        "the gradient is not finite at step {}; the parameters concerned begin with: {}. Nothing "
        "was updated. Is the learning rate ({}) too high?",
        optimizers[0]->steps_ + 1, names, optimizers[0]->learning_rate_));
  }
  for (Optimizer* optimizer : optimizers) {
    ++optimizer->steps_;
    optimizer->update(max_norm > 0 && total > max_norm ? max_norm / total : 1);
    optimizer->arena_.mark_written();
    optimizer->arena_.clear_gradients();
  }
  return total;
}

void Optimizer::require_finite(double loss) const {
  if (!std::isfinite(loss))
    throw NotFinite(fmt::format(
        "the loss is not finite at step {}: nothing was updated; is the learning rate ({}) too "
        "high?",
        steps_ + 1, learning_rate_));
}

StateBuffer& Optimizer::state_buffer(const std::string& name, const ShapeOf& shape_of) {
  for (const StateBuffer& buffer : buffers_)
    if (buffer.name() == name) fail("{}: the state '{}' is declared twice", name_, name);
  buffers_.push_back(StateBuffer(name, arena_.ranges(), shape_of));
  return buffers_.back();
}

void Optimizer::for_each_piece(double gradient_scale,
                               const std::function<void(const Elements&)>& f) {
  float* values = arena_.values();
  const float* gradients = arena_.gradients();
  arena_.for_each_block([&](int64_t begin, int64_t end, const ParameterArena::Range& range) {
    f({.range = range,
       .begin = begin - range.begin,
       .n = end - begin,
       .p = values + begin,
       .g = gradients + begin,
       .gradient_scale = gradient_scale,
       .learning_rate = rate_of(range),
       .weight_decay = decay_of(range)});
  });
}

OptimizerState Optimizer::state() const {
  OptimizerState state{steps_, {}};
  for (const auto& range : arena_.ranges())
    for (const StateBuffer& buffer : buffers_)
      if (Tensor tensor = buffer.tensor(range); tensor.defined())
        state.tensors.emplace_back(range.name + "." + buffer.name(), std::move(tensor));
  return state;
}

void Optimizer::load_state(const OptimizerState& state) {
  std::map<std::string, Tensor> given;
  for (const auto& [name, tensor] : state.tensors)
    if (!given.emplace(name, tensor).second)
      fail("{}: the state to load has '{}' twice", name_, name);
  check(state.steps >= 0, "{}: the state to load has {} steps", name_, state.steps);
  OptimizerState own = this->state();
  for (const auto& [name, tensor] : own.tensors) {
    const auto found = given.find(name);
    if (found == given.end())
      fail("{}: the state to load has no '{}'; is it that of another optimizer, or model?", name_,
           name);
    if (found->second.shape() != tensor.shape() || found->second.dtype() != tensor.dtype())
      fail("{}: the state to load has '{}' as {} {}; it must be {} {}", name_, name,
           to_string(found->second.dtype()), found->second.shape(), to_string(tensor.dtype()),
           tensor.shape());
  }
  if (own.tensors.size() != given.size()) {
    for (const auto& [name, tensor] : own.tensors) given.erase(name);
    fail("{}: the state to load has '{}', which belongs to no parameter or buffer here", name_,
         given.begin()->first);
  }
  const NoGrad scope;
  for (auto& [name, tensor] : own.tensors) copy_into(given.at(name), tensor, false);
  steps_ = state.steps;
}

}  // namespace gradus
