// Optimizer: the base of them all, each of which is a file beside this one. Construct with a model
// (anything with parts()) or a list of parameters; after backward(), step() updates what the loss
// reached and clears the gradients. It may end before its parameters; another may then take them.
//
// A rule of one's own is an ElementwiseOptimizer with the rule for a piece of a parameter, or an
// Optimizer with a pass over all (optim/lion.h and optim/muon.h show both). What it keeps between
// steps it declares once, as a state buffer, and the base saves and restores it by the parameters'
// names:
//
//   class Lion : public ElementwiseOptimizer {
//    public:
//     explicit Lion(const ParameterList& list, LionOptions o = {})
//         : ElementwiseOptimizer("lion", list, o.learning_rate, o.weight_decay), options_(o) {}
//    private:
//     void rule(const Elements& e) override;   // e.p, e.g, e.n, and m_.of(e)
//     LionOptions options_;
//     StateBuffer& m_ = state_buffer("m");
//   };
#pragma once

#include <deque>
#include <optional>

#include "gradus/optim/arena.h"

namespace gradus {

// A piece of one parameter, which a rule updates.
struct Elements {
  const ParameterArena::Range& range;
  int64_t begin, n;       // its elements: [begin, begin + n) of the parameter's
  float* p;               // the parameter
  const float* g;         // its gradient as accumulated; clipping multiplies it by gradient_scale
  double gradient_scale;  // 1 where nothing is clipped
  double learning_rate;   // with the parameter's own rate in it
  double weight_decay;    // 0 where the parameter does not decay
};

// What an optimizer keeps of each parameter between steps (a moment): zeros at first. By default as
// many elements as the parameter has.
class StateBuffer {
 public:
  using Range = ParameterArena::Range;
  // the shape that it has for a parameter; nothing where that one needs none
  using ShapeOf = std::function<std::optional<Shape>(const Range&)>;
  // The parameter's, or of a piece of it; an Error where it has none.
  float* of(const Range& range);
  float* of(const Elements& e) { return of(e.range) + e.begin; }
  // The same as a tensor that shares the memory; undefined where the parameter has none.
  Tensor tensor(const Range& range) const;
  const std::string& name() const { return name_; }

 private:
  friend class Optimizer;
  StateBuffer(std::string name, const std::vector<Range>& ranges, const ShapeOf& shape_of);
  std::string name_;
  Tensor memory_;
  struct Place {
    std::optional<Shape> shape;
    int64_t offset;
  };
  std::vector<Place> places_;  // by range
};

// All that the next step depends on beside the parameters and the options.
struct OptimizerState {
  int64_t steps = 0;
  // "PARAMETER.BUFFER" ("encoder.layer.0.output.dense.weight.m") and its values
  std::vector<std::pair<std::string, Tensor>> tensors;
};

// A loss or gradient that is not finite: nothing was updated (exit code 1).
struct NotFinite : Error {
  explicit NotFinite(const std::string& text) : Error(text, 1) {}
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  // One update. max_norm > 0 scales the gradients so that their global norm is at most that
  // (applied as they are read; nothing is written for it). Returns the norm before clipping. A norm
  // that is not finite changes nothing and is NotFinite, an Error that names the parameters.
  double step(double max_norm = 0) { return step({this}, max_norm); }
  // The same for several optimizers on parts of one model: one norm over all their gradients, one
  // scale, and all of them are updated or none.
  //   Optimizer::step({&body, &head}, /*max_norm=*/1.0);
  static double step(const std::vector<Optimizer*>& optimizers, double max_norm = 0);
  void clear_gradients() { arena_.clear_gradients(); }
  // For the loss that step() would follow: NotFinite where it is not.
  void require_finite(double loss) const;

  // An Error unless it is finite and 0 or more.
  void set_learning_rate(double rate);
  double learning_rate() const { return learning_rate_; }
  int64_t steps() const { return steps_; }
  const std::string& name() const { return name_; }
  ParameterArena& arena() { return arena_; }

  // The tensors share the optimizer's memory: save them, or clone() what is to be kept.
  OptimizerState state() const;
  // With the state of an optimizer of the same kind on parameters of the same names, in any order,
  // the next step is that of the one it came from, to the last bit. Options are the caller's. An
  // Error where a tensor is missing, of another shape, or nobody's; then nothing is changed.
  void load_state(const OptimizerState& state);

 protected:
  Optimizer(std::string name, const ParameterList& list, double learning_rate, double weight_decay);
  // One update of all parameters that have a gradient. steps() already counts this step.
  virtual void update(double gradient_scale) = 0;

  using ShapeOf = StateBuffer::ShapeOf;
  // Declares what is kept of each parameter: once, in the constructor. By default it has the
  // parameter's own shape.
  StateBuffer& state_buffer(const std::string& name, const ShapeOf& shape_of = {});
  // Calls f with pieces that cover the parameters which are updated, cut by size; on all threads.
  void for_each_piece(double gradient_scale, const std::function<void(const Elements&)>& f);
  // What decay and learning rate are for one parameter.
  double rate_of(const ParameterArena::Range& range) const { return learning_rate_ * range.rate; }
  double decay_of(const ParameterArena::Range& range) const {
    return range.decays ? weight_decay_ : 0;
  }

  ParameterArena arena_;

 private:
  double checked_rate(const char* what, double value) const;
  std::string name_;
  double learning_rate_, weight_decay_;
  int64_t steps_ = 0;
  std::deque<StateBuffer> buffers_;
};

// The value, for options that must lie in [0, 1), as a moment's beta; an Error that names it
// otherwise: fraction("lion: beta1", options.beta1).
double fraction(const char* what, double value);

// The base of rules that treat every element alike.
class ElementwiseOptimizer : public Optimizer {
 protected:
  using Optimizer::Optimizer;
  // Updates the piece; called on all threads.
  virtual void rule(const Elements& e) = 0;

 private:
  void update(double gradient_scale) final {
    for_each_piece(gradient_scale, [this](const Elements& e) { rule(e); });
  }
};

}  // namespace gradus
