// pretrain(): BERT's pretraining, from a corpus file to a Hugging Face folder, as an objective of
// the loop (train/loop.h), whose promises it has.
//
// The output folder holds the last model that was evaluated, and in the end the last one. Numbers
// outside of their range are an Error before anything is made.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "gradus/train/curriculum.h"
#include "gradus/train/distillation.h"
#include "gradus/train/estimate.h"
#include "gradus/train/learning.h"

namespace gradus {

struct PretrainOptions : LearningOptions {
  PretrainOptions() { seed = 12345; }
  std::filesystem::path data;
  // a size, a config.json, or with `init` what that folder says
  std::string model = "tiny";
  std::optional<std::filesystem::path> init;  // a Hugging Face folder to start from

  // A step is batch_size * accumulation sequences of max_seq_length. How long: max_steps, else
  // max_minutes, by whose clock the rate goes, else epochs.
  int64_t max_seq_length = 128, gradient_accumulation_steps = 1;
  // Of a model that starts from nothing: counts (of the corpus: models/counts_initialization.h),
  // hugging_face, google or mimetic (models/bert.h).
  std::string initialization = "counts";
  InstanceOptions instances;  // masking and pair rules; max_seq_length is set from above
  // What changes on the way: train/curriculum.h.
  std::vector<Phase> phases;
  std::optional<int64_t> final_batch_size;
  std::optional<double> final_masked_lm_prob;
  // Held-out instances have max_seq_length and are masked so, whatever is trained on.
  double eval_masked_lm_prob = 0.15;
  // eval_steps 0: ten times a run
  int64_t eval_instances = 2048;  // 0: all held-out ones
  // sentences with [MASK], one a line: filled at every evaluation; none: ""
  std::filesystem::path watch_masks;
  DistillationOptions distillation;
  // Only where it is looked at (BertForPreTraining): a step costs less, and means the same.
  bool last_layer_where_asked = false;
  bool estimate_first = false;  // says first what the run will take (train/estimate.h)
};

struct PretrainResult : TrainResult {
  // of the last evaluation; none without held-out documents
  std::optional<PretrainingMetrics> validation;
};

PretrainResult pretrain(const PretrainOptions& options);

// What that would take; nothing is written.
Estimate estimate(PretrainOptions options);

}  // namespace gradus
