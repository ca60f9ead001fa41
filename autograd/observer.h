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
  // Seconds are the op's own: those of ops that ran inside of it are theirs.
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

// From its construction: the seconds that a forward or a backward has taken, without those of the
// ones that ran inside of it. Costs nothing where there are no observers.
class OwnSeconds {
 public:
  OwnSeconds();
  ~OwnSeconds();
  OwnSeconds(const OwnSeconds&) = delete;
  OwnSeconds& operator=(const OwnSeconds&) = delete;
  double so_far() const;

 private:
  bool on_;
  double start_ = 0, inside_before_ = 0;
};

}  // namespace gradus
