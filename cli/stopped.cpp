#include "gradus/cli/cli.h"
#include "gradus/train/stop_signals.h"

namespace gradus::cli {

void end_if_stopped(int signal, int64_t steps, const std::string& said) {
  if (signal != 0)
    throw Error(fmt::format("stopped by {} after step {}; {}", signal_name(signal), steps, said),
                128 + signal);
}

}  // namespace gradus::cli
