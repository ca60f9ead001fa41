// Observer: the one mechanism behind profiler, NaN detective, capture, statistics and report. While
// an observer lives, it is told of every op that runs (after its forward) and every step of a
// backward walk (after it), on the thread that made it.
#pragma once

#include <chrono>

#include "gradus/autograd/node.h"

namespace gradus {

class Observer {
 public:
  Observer();
  virtual ~Observer();
  Observer(const Observer&) = delete;
  Observer& operator=(const Observer&) = delete;
  virtual void forward(const Node&, Inputs, const Tensors& /*outputs*/, double /*seconds*/) {}
  virtual void backward(const Node&, const Tensors& /*dys*/, const Tensors& /*dxs*/,
                        double /*seconds*/) {}
  // Whether backward() must see every gradient; if not, ops may add gradients straight into leaves,
  // and those are not shown.
  virtual bool wants_gradients() const { return true; }
};

const std::vector<Observer*>& observers();
inline double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// Tells the observers of one forward; costs nothing where there are none.
class ForwardNotice {
 public:
  ForwardNotice(const Node& node, Inputs in)
      : node_(node), in_(in), start_(observers().empty() ? 0 : seconds_now()) {}
  void done(const Tensors& out) const {
    for (Observer* observer : observers())
      observer->forward(node_, in_, out, seconds_now() - start_);
  }

 private:
  const Node& node_;
  Inputs in_;
  double start_;
};

}  // namespace gradus
