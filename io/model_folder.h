// A model as a Hugging Face folder: config.json, model.safetensors, vocab.txt, tokenizer.json, tokenizer_config.json, special_tokens_map.json. What
// `transformers` writes is read, and what is written here opens there as it is. Every file is replaced whole.
#pragma once

#include <filesystem>

#include "models/bert_config.h"
#include "text/tokenizer.h"

namespace gradus {

void save_model_folder(const std::filesystem::path& folder, const BertConfig& config, const std::vector<Parameter>& parameters, const Tokenizer& tokenizer);

BertConfig load_config(const std::filesystem::path& folder);
// From vocab.txt; do_lower_case comes from tokenizer_config.json (true where that is missing).
Tokenizer load_tokenizer(const std::filesystem::path& folder);

// What loading did: parameters found, parameters that are new (they keep their values), tensors of the file that nobody wanted.
struct LoadReport {
  std::vector<std::string> loaded, fresh, unused;
  std::string to_text() const;
};

// Fills the parameters from model.safetensors, or from the shards of model.safetensors.index.json. Names are taken with or without the `bert.` prefix,
// LayerNorm.gamma and .beta as weight and bias; position_ids buffers are passed over, and a tied decoder counts as its embedding. A wrong shape is an Error.
LoadReport load_parameters(const std::filesystem::path& folder, const std::vector<Parameter>& parameters);

}  // namespace gradus
