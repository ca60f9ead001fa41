// finetune(): from a pretrained folder and labelled files to a folder that predicts, as an
// objective of the loop (train/loop.h), whose promises it has.
//
// With a validation file the output folder holds the best model so far, judged by the task's first
// metric, otherwise the last. Numbers outside of their range are an Error before anything is made.
// No padding: a batch is its texts' tokens; one of more than max_tokens is run in parts whose
// gradients add up to the whole.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "gradus/io/model_folder.h"
#include "gradus/tasks/task.h"
#include "gradus/train/distillation.h"
#include "gradus/train/learning.h"

namespace gradus {

struct FinetuneOptions : LearningOptions {
  FinetuneOptions() {
    epochs = 3;
    learning_rate = 5e-5;
  }
  std::filesystem::path model, train, validation;  // validation may be empty
  TaskOptions task;

  int64_t max_tokens = 8192;       // run at once
  int64_t max_train_examples = 0;  // 0: all
  bool shuffle = true;
  // each layer's learning rate is that of the layer above times this
  double layer_decay = 1;
  std::vector<std::string> freeze;  // patterns of parameter names
  // top layers (and the pooler) that start anew        Zhang et al. 2021 (arXiv 2006.05987)
  int64_t reinit_layers = 0;
  bool random_init = false;  // take the architecture and vocabulary of `model` only
  // above 0: train low-rank adapters and the head alone; saved apart unless merge_lora
  int64_t lora_rank = 0;
  double lora_alpha = 16;
  // patterns of names; none: queries and values, of a ModernBERT the matrix that has both
  std::vector<std::string> lora_targets;
  bool merge_lora = false;
  DistillationOptions distillation;
};

struct FinetuneResult : TrainResult {
  Evaluation evaluation;  // the best; without a validation file empty
  double score() const {
    return evaluation.metrics.empty() ? 0 : evaluation.metrics.front().second;
  }
};

FinetuneResult finetune(const FinetuneOptions& options);

}  // namespace gradus
