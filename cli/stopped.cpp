#include "gradus/cli/cli.h"
#include "gradus/train/stop_signals.h"

namespace gradus::cli {

void end_if_stopped(int signal, const std::string& after) {
  if (signal != 0)
    throw Error(fmt::format("stopped by {} after {}", signal_name(signal), after), 128 + signal);
}

}  // namespace gradus::cli
