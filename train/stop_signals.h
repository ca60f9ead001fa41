// While a StopSignals lives, the first SIGINT, SIGTERM or SIGHUP asks the loop to stop after its
// step; a second one ends the program at once. SIGPIPE is ignored: who reads the progress may go,
// the training stays.
#pragma once

#include <csignal>
#include <string>

namespace gradus {

inline volatile std::sig_atomic_t stop_signal = 0;

class StopSignals {
 public:
  StopSignals() {
    stop_signal = 0;
    struct sigaction action {};
    action.sa_handler = [](int signal) { stop_signal = signal; };
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (size_t i = 0; i < count; ++i) sigaction(signals[i], &action, &before_[i]);
    action.sa_handler = SIG_IGN;
    action.sa_flags = 0;
    sigaction(SIGPIPE, &action, &before_[count]);
  }
  ~StopSignals() {
    for (size_t i = 0; i < count; ++i) sigaction(signals[i], &before_[i], nullptr);
    sigaction(SIGPIPE, &before_[count], nullptr);
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  // The signal that asked; 0: none did.
  int asked() const { return static_cast<int>(stop_signal); }

 private:
  static constexpr int signals[] = {SIGINT, SIGTERM, SIGHUP};
  static constexpr size_t count = std::size(signals);
  struct sigaction before_[count + 1];
};

inline std::string signal_name(int signal) {
  if (signal == SIGINT) return "SIGINT";
  if (signal == SIGTERM) return "SIGTERM";
  if (signal == SIGHUP) return "SIGHUP";
  return "signal " + std::to_string(signal);
}

}  // namespace gradus
