// A model as a Hugging Face folder: config.json, model.safetensors, vocab.txt, tokenizer.json, tokenizer_config.json,
// special_tokens_map.json. What `transformers` writes is read, and what is written here opens there as it is. Every file is replaced whole.
#pragma once

#include <filesystem>

#include "models/bert_config.h"
#include "text/tokenizer.h"

namespace gradus {

// Tied parameters are written once, ranges of a leaf as tensors of their own. An Error where the vocabulary has more tokens than the model.
void save_model_folder(const std::filesystem::path& folder, const BertConfig& config, const std::vector<Parameter>& parameters,
                       const Tokenizer& tokenizer);

BertConfig load_config(const std::filesystem::path& folder);

// From vocab.txt or tokenizer.json. Whether it lower-cases is do_lower_case of tokenizer_config.json; where that is silent, the normalizer
// of tokenizer.json; without both, yes (`transformers` 5 lower-cases in the second case too, whatever tokenizer.json says).
Tokenizer load_tokenizer(const std::filesystem::path& folder);

// What loading did: parameters found, parameters that are new (they keep their values), tensors of the file that nobody wanted.
struct LoadReport {
  std::vector<std::string> loaded, fresh, unused;
  std::string to_text() const;
};

// Fills the parameters from model.safetensors, or from the shards of model.safetensors.index.json. Names are taken with or without the
// `bert.` prefix, LayerNorm.gamma and .beta as weight and bias; position_ids buffers are passed over; a tied parameter may have either of
// its names, or both with the same values. A wrong shape is an Error that names both. Every name, shape and dtype is checked before the
// first parameter is written.
LoadReport load_parameters(const std::filesystem::path& folder, const std::vector<Parameter>& parameters);

}  // namespace gradus
