// What a training step costs: floating-point operations by the usual formula, and the share of the
// machine's sgemm rate that a step reached.
#pragma once

#include "gradus/models/bert.h"

namespace gradus {

// FLOP of one training step, forward and backward, on sequences of these lengths with `predicted`
// tokens through the masked-language-model head (2 a multiply-add; backward twice the forward):
// layers * (72 H^2 tokens + 12 H sum of length^2) + 3 (2 H^2 + 2 H V) predicted, for intermediate =
// 4 H. A ModernBERT's feed-forward network has three matrices; its local layers see fewer pairs.
// Where the last layer is computed only where it is asked for, all its tokens have keys and values,
// and the predicted ones the rest.
double training_flop(const BertConfig& config, const std::vector<int64_t>& lengths,
                     int64_t predicted, bool last_layer_where_asked = false);

// The most memory this process has had resident, in MB.
int64_t peak_resident_mb();

}  // namespace gradus
