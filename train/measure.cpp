#include "gradus/train/measure.h"

#include <sys/resource.h>

namespace gradus {

double training_flop(const BertConfig& config, const std::vector<int64_t>& lengths,
                     int64_t predicted) {
  const auto hidden = static_cast<double>(config.hidden_size),
             inner = static_cast<double>(config.intermediate_size);
  double tokens = 0, pairs = 0;
  for (const int64_t length : lengths)
    tokens += static_cast<double>(length),
        pairs += static_cast<double>(length) * static_cast<double>(length);
  const double layer =
      6 * tokens * (4 * hidden * hidden + 2 * hidden * inner) + 12 * hidden * pairs;
  const double head = 6 * static_cast<double>(predicted) *
                      (hidden * hidden + hidden * static_cast<double>(config.vocab_size));
  return static_cast<double>(config.num_hidden_layers) * layer + head;
}

int64_t peak_resident_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

}  // namespace gradus
