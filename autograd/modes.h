// The switches that change how ops run, each a scope on the calling thread: whether to record,
// whether fused ops run expanded, which module is running.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "gradus/autograd/tensor.h"

namespace gradus {

// All of them.
struct Modes {
  bool grad_enabled = true, expanding = false, expanding_outermost = false;
  bool first_order_only = false, training = false;
  std::shared_ptr<const std::string> path;
  // checkpoint's first forward: tensors with a gradient that the function uses
  Tensors* touched = nullptr;
};

namespace detail {
Modes& modes();
template <auto member, bool on = true>
class Switch {
 public:
  explicit Switch(bool value = on) : before_(modes().*member) { modes().*member = value; }
  ~Switch() { modes().*member = before_; }
  Switch(const Switch&) = delete;
  Switch& operator=(const Switch&) = delete;

 private:
  bool before_;
};
}  // namespace detail

// { NoGrad scope; … }  nothing is recorded
using NoGrad = detail::Switch<&Modes::grad_enabled, false>;
// { RecordingScope scope(on); … }
using RecordingScope = detail::Switch<&Modes::grad_enabled>;
// fused ops run as the expression they equal: for looking, not for speed
using Expand = detail::Switch<&Modes::expanding>;
// The same for the outermost alone, as one composes a layer: attention is matmul, softmax, dropout
// and matmul, and softmax is one op.
using ExpandOutermost = detail::Switch<&Modes::expanding_outermost>;
// What is recorded will be differentiated once: fused ops save only what their kernels need, and
// create_graph through them is an Error.
using FirstOrderOnly = detail::Switch<&Modes::first_order_only>;

// layers drop out; without it they do not
using Training = detail::Switch<&Modes::training>;

inline bool training() { return detail::modes().training; }
inline bool grad_enabled() { return detail::modes().grad_enabled; }
inline bool expanding() { return detail::modes().expanding || detail::modes().expanding_outermost; }
inline bool first_order_only() { return detail::modes().first_order_only; }
bool recording_wanted(Inputs in);  // grad_enabled() and an input wants a gradient

// A thread that does a part of another's work has its modes:
//   const Modes modes = current_modes();   // on that one
//   { const ModesScope scope(modes); … }   // on this one
inline Modes current_modes() { return detail::modes(); }
class ModesScope {
 public:
  explicit ModesScope(Modes modes) : before_(std::exchange(detail::modes(), std::move(modes))) {}
  ~ModesScope() { detail::modes() = std::move(before_); }
  ModesScope(const ModesScope&) = delete;
  ModesScope& operator=(const ModesScope&) = delete;

 private:
  Modes before_;
};

// The module that is running: nodes made inside { Scope scope("layer.3"); … } have the path
// "….layer.3".
class Scope {
 public:
  explicit Scope(std::string_view name);
  Scope(std::string_view name, int64_t index);  // "layer", 3: layer.3
  // a whole path, kept from before: recomputation runs where the first run did
  explicit Scope(std::shared_ptr<const std::string> path);
  ~Scope();
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

 private:
  std::shared_ptr<const std::string> before_;
};
std::shared_ptr<const std::string> current_path();

}  // namespace gradus
