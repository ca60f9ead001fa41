// The options that finetune, eval and predict share: how labelled files are read, and how answers are made.
#pragma once

#include "cli/cli.h"
#include "train/task.h"

namespace gradus::cli {

void add_reading_options(CLI::App* verb, TaskOptions& options);
void add_answering_options(CLI::App* verb, TaskOptions& options);

}  // namespace gradus::cli
