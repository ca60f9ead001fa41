// Low-rank adapters saved apart from the model that they belong to, as the `peft` package does:
// adapter_config.json names the model, adapter_model.safetensors holds the adapters and the head.
// config.json and the tokenizer stand beside them, so that the folder says its labels by itself.
#pragma once

#include <filesystem>

#include "gradus/models/heads.h"
#include "gradus/nn/lora.h"
#include "gradus/text/tokenizer.h"

namespace gradus {

// What is trained beside the adapters, and saved with them: the heads and the pooler, which have no
// pretrained values to add to.
inline const std::vector<std::string> trained_beside_adapters = {"classifier*", "qa_outputs*",
                                                                 "bert.pooler*", "head.*"};

void save_adapters(const std::filesystem::path& folder, const LoraAdapters& adapters,
                   const std::filesystem::path& base, const BertConfig& config,
                   const Tokenizer& tokenizer);

bool is_adapter_folder(const std::filesystem::path& folder);
// The folder of the model that they belong to; an Error where it is not there.
std::filesystem::path adapter_base(const std::filesystem::path& folder);

// Loads the base model's body and the adapters into `model`, merged: from then on it is a model
// like any other.
void load_adapters(const std::filesystem::path& folder, BertForTask& model);

}  // namespace gradus
