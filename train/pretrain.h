// train/: the loops. pretrain() is BERT's pretraining from a corpus file to a Hugging Face folder.
//
// What is true: the run is a function of its options, data and seed, bit for bit, on any number of
// threads (a run limited by minutes is not: its rate follows the clock). The output folder always
// holds a complete model: files are replaced whole, at every evaluation and at the end. SIGINT,
// SIGTERM and SIGHUP finish the step, save and return. Numbers outside of their range are an Error
// before anything is made.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "gradus/optim/registry.h"
#include "gradus/optim/schedule.h"
#include "gradus/train/pretraining_batch.h"

namespace gradus {

struct PretrainOptions {
  std::filesystem::path data, out;
  // a size, a config.json, or with `init` what that folder says
  std::string model = "tiny";
  std::optional<std::filesystem::path> init;  // a Hugging Face folder to start from
  bool overwrite = false;

  // a step is batch_size * accumulation sequences
  int64_t max_seq_length = 128, batch_size = 32, gradient_accumulation_steps = 1;
  // 0: by epochs, or by minutes
  int64_t max_steps = 0;
  double epochs = 1, max_minutes = 0;
  // warmup below 1 is a share of the steps
  double learning_rate = 1e-4, warmup = 0.1, weight_decay = 0.01, max_grad_norm = 1;
  std::string schedule = "linear", optimizer = "adamw", initialization = "hugging_face";
  std::optional<double> dropout;  // both kinds; otherwise the configuration's
  InstanceOptions instances;      // masking and pair rules; max_seq_length is set from above
  uint64_t seed = 12345;

  int64_t eval_steps = 0;         // 0: ten times a run
  int64_t eval_instances = 2048;  // 0: all held-out ones
  int64_t logging_steps = 10;     // lines in metrics.jsonl
  bool quiet = false;             // no progress: for tests and the demo's own display
};

struct PretrainResult {
  int64_t steps = 0, tokens = 0;
  double seconds = 0, train_loss = 0;  // the mean of the last logging interval
  double sgemm_share = 0;
  // of the last evaluation; none without held-out documents
  std::optional<PretrainingMetrics> validation;
  int stopped_by = 0;  // the signal that ended it early
};

PretrainResult pretrain(const PretrainOptions& options);

// One optimizer step on a batch: forward and backward in `micro_batches` parts, clip, update.
// Returns the losses of the whole batch.
struct StepResult {
  double masked_loss = 0, next_loss = 0, gradient_norm = 0;
  int64_t masked_correct = 0, next_correct = 0;
  Tensors reached;
};
StepResult training_step(const BertForPreTraining& model, Optimizer& optimizer,
                         const PretrainingBatch& batch, int64_t micro_batches, double max_grad_norm,
                         uint64_t seed, uint64_t step);

}  // namespace gradus
