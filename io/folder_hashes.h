// The weights' file says by hashes what stood beside it when it was written: the configuration and
// the vocabulary. A folder in which one of them has changed since is refused, because labels or
// words that are shifted by one give wrong answers in silence. Folders without hashes (other
// tools') load as ever.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "gradus/models/bert_config.h"
#include "gradus/text/tokenizer.h"

namespace gradus {

// For the metadata of model.safetensors or adapter_model.safetensors. Of the configuration counts
// what changes an answer: sizes, activation, labels, kind of problem; not dropout.
std::map<std::string, std::string> folder_hashes(const BertConfig& config,
                                                 const Tokenizer& tokenizer);

// What has changed in the folder since `metadata` was written there: "config.json", "the
// vocabulary"; "" where nothing has, or nothing is said.
std::string changed_since(const std::map<std::string, std::string>& metadata,
                          const std::filesystem::path& folder);

}  // namespace gradus
