// What a fine-tuning begins with: the configuration for its task, the weights of the folder or new
// ones, and which of them learn how fast.
#pragma once

#include "gradus/train/finetune.h"

namespace gradus {

// `config`, which the model's folder says, with dropout as asked and the task's labels.
BertConfig configuration(BertConfig config, const FinetuneOptions& options, const Task& task);

// Random, then the folder's. A head comes along only where it answers the same labels; otherwise it
// begins anew. Returns what was done, for people. `before`: what the folder says.
std::string load_weights(const FinetuneOptions& options, const BertConfig& before,
                         const BertConfig& config, const std::vector<Parameter>& list);

// options.layer_decay.
void set_layer_rates(const FinetuneOptions& options, const BertConfig& config,
                     Optimizer& optimizer);

// options.lora_targets, or what they are where none are named.
std::vector<std::string> lora_targets(const FinetuneOptions& options, const BertConfig& config);

// Whether both were, or are to be, fine-tuned for the same: head and labels.
bool has_same_head(const BertConfig& before, const BertConfig& config);

// Numbers that an optimizer would move.
int64_t count_trained(const std::vector<Parameter>& list);

// Of all values: whether two runs begin with the same.
std::string hash_of(const std::vector<Parameter>& list);

}  // namespace gradus
