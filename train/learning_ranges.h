// The ranges of the numbers that pretraining and fine-tuning both ask for, under the same names.
#pragma once

#include "gradus/base/range.h"

namespace gradus {

template <class Options>
void check_learning_ranges(const Options& o) {
  check_count("options.batch_size", o.batch_size, 1);
  check_count("options.max_steps", o.max_steps, 0);
  check_count("options.eval_steps", o.eval_steps, 0);
  check_count("options.logging_steps", o.logging_steps, 1);
  check_range("options.epochs", o.epochs, {.above = 0});
  check_range("options.learning_rate", o.learning_rate, {.at_least = 0});
  check_range("options.warmup_steps", o.warmup, {.at_least = 0});
  check_range("options.weight_decay", o.weight_decay, {.at_least = 0});
  check_range("options.max_grad_norm", o.max_grad_norm, {.at_least = 0});
  check_range("options.dropout", o.dropout, {.at_least = 0, .below = 1});
}

}  // namespace gradus
