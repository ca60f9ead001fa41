#include "gradus/train/measure.h"

#include <sys/resource.h>

#include <algorithm>

namespace gradus {

namespace {

// Pairs of tokens of a sequence that are at most `window` apart.
double seen_pairs(int64_t length, std::optional<int64_t> window) {
  const double n = static_cast<double>(length),
               w = static_cast<double>(std::min(window.value_or(length), length - 1));
  return n * (2 * w + 1) - w * (w + 1);
}

}  // namespace

double training_flop(const BertConfig& config, const std::vector<int64_t>& lengths,
                     int64_t predicted, bool last_layer_where_asked) {
  const TransformerOptions encoder = config.transformer();
  const auto hidden = static_cast<double>(config.hidden_size),
             inner = static_cast<double>(config.intermediate_size);
  const double matrices = config.modern ? 3 : 2;  // of the feed-forward network
  double flop = 6 * static_cast<double>(predicted) *
                (hidden * hidden + hidden * static_cast<double>(config.vocab_size));
  for (int64_t layer = 0; layer < encoder.layers; ++layer) {
    const auto window = encoder.is_local(layer) ? encoder.local_window : std::nullopt;
    double tokens = 0, pairs = 0;
    for (const int64_t length : lengths)
      tokens += static_cast<double>(length), pairs += seen_pairs(length, window);
    const bool in_part = last_layer_where_asked && layer == encoder.layers - 1;
    const double asked = in_part ? static_cast<double>(predicted) : tokens;
    flop += 6 * hidden *
            (2 * hidden * tokens + (2 * hidden + matrices * inner) * asked +
             2 * pairs * asked / tokens);
  }
  return flop;
}

int64_t peak_resident_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

}  // namespace gradus
