// The options that finetune, eval and predict share: how labelled files are read, and how answers are made.
#pragma once

#include "cli/cli.h"
#include "train/task.h"

namespace gradus::cli {

// Those that a kind of task has; "": those of all kinds, for verbs that learn the kind from the model.
void add_reading_options(CLI::App* verb, TaskOptions& options, const std::string& kind = "");

}  // namespace gradus::cli
