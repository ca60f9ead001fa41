// The options that pretrain and finetune share: how a run learns, and how it is kept and goes on.
#pragma once

#include "gradus/cli/cli.h"
#include "gradus/train/distillation.h"
#include "gradus/train/learning.h"

namespace gradus::cli {

// --learning-rate … --seed; under the heading that is set.
void add_learning_options(Verb& verb, LearningOptions& options);

// --teacher …, under a heading of their own.
void add_distillation_options(Verb& verb, DistillationOptions& options);

// --resume and those beside it, under a heading of their own. What it returns is called before the
// run: it reads what was given.
std::function<void()> add_run_options(Verb& verb, LearningOptions& options);

// "is in OUT", or where it is while OUT keeps a better one.
std::string place_of_model(const TrainResult& result, const std::filesystem::path& out);

// What is said in the end of a run that a signal stopped: an Error with exit code 128 + signal.
void end_if_stopped(const TrainResult& result, const std::filesystem::path& out);

}  // namespace gradus::cli
