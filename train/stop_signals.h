// While a StopSignals lives, the first SIGINT or SIGTERM asks the loop to stop after its step; a
// second one ends the program as usual.
#pragma once

#include <csignal>

namespace gradus {

inline volatile std::sig_atomic_t stop_signal = 0;

class StopSignals {
 public:
  StopSignals() {
    stop_signal = 0;
    struct sigaction action {};
    action.sa_handler = [](int) { stop_signal = 1; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, &before_[0]);
    sigaction(SIGTERM, &action, &before_[1]);
  }
  ~StopSignals() {
    sigaction(SIGINT, &before_[0], nullptr);
    sigaction(SIGTERM, &before_[1], nullptr);
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  bool asked() const { return stop_signal != 0; }

 private:
  struct sigaction before_[2];
};

}  // namespace gradus
