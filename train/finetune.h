// finetune(): from a pretrained folder and labelled files to a folder that predicts.
//
// What is true: the run is a function of its options, files and seed, bit for bit, on any number of
// threads. With a validation file the output folder holds the best model so far, judged by the
// task's first metric, otherwise the last; files are replaced whole. SIGINT, SIGTERM and SIGHUP
// finish the step, save unless a judged model is saved already, and return. Numbers outside of
// their range are an Error before anything is made. No padding: a batch is its texts' tokens; one
// of more than max_tokens is run in parts whose gradients add up to the whole.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "gradus/io/model_folder.h"
#include "gradus/optim/registry.h"
#include "gradus/optim/schedule.h"
#include "gradus/tasks/task.h"

namespace gradus {

struct FinetuneOptions {
  std::filesystem::path model, train, validation, out;  // validation may be empty
  bool overwrite = false;
  TaskOptions task;

  int64_t batch_size = 32, max_steps = 0, max_tokens = 8192,
          max_train_examples = 0;  // examples a step; 0: by epochs; tokens run at once; 0: all
  double epochs = 3;
  // warmup below 1 is a share of the steps
  double learning_rate = 5e-5, warmup = 0.1, weight_decay = 0.01, max_grad_norm = 1;
  std::string schedule = "linear", optimizer = "adamw";
  // each layer's learning rate is that of the layer above times this
  double layer_decay = 1;
  std::vector<std::string> freeze;  // patterns of parameter names
  // top layers (and the pooler) that start anew        Zhang et al. 2021 (arXiv 2006.05987)
  int64_t reinit_layers = 0;
  bool random_init = false;  // take the architecture and vocabulary of `model` only
  // above 0: train low-rank adapters and the head alone; saved apart unless merge_lora
  int64_t lora_rank = 0;
  double lora_alpha = 16;
  std::vector<std::string> lora_targets = {"*attention.self.query.weight",
                                           "*attention.self.value.weight"};
  bool merge_lora = false;
  std::optional<double> dropout;  // everywhere; otherwise the configuration's
  bool shuffle = true;
  uint64_t seed = 42;

  // 0: at the end of each epoch; stop after so many evaluations without a better one, 0: never
  int64_t eval_steps = 0, patience = 0;
  int64_t logging_steps = 10;
  bool quiet = false;
};

struct FinetuneResult {
  Evaluation evaluation;  // the best; without a validation file empty
  int64_t steps = 0, best_step = 0, tokens = 0;
  int stopped_by = 0;  // the signal that ended it early
  // training alone; evaluations; the mean of the last logging interval
  double seconds = 0, eval_seconds = 0, train_loss = 0;
  double score() const {
    return evaluation.metrics.empty() ? 0 : evaluation.metrics.front().second;
  }
};

FinetuneResult finetune(const FinetuneOptions& options);

// A fine-tuned folder, or one of adapters, for eval and predict. An Error where its head was never
// trained, unless that is asked for.
struct FinetunedModel {
  BertConfig config;
  Tokenizer tokenizer;
  TaskOptions task;  // its kind and labels
  BertForTask model;
  explicit FinetunedModel(const std::filesystem::path& folder, bool untrained_head = false);
};

// As eval_results.json has them, in transformers' way: "eval_accuracy".
nlohmann::ordered_json as_json(const Metrics& metrics);
std::string as_text(const Metrics& metrics);  // "accuracy 0.835  f1_macro 0.834"

}  // namespace gradus
