// What a folder of sentence-transformers says about how its BERT's output becomes one vector per
// text: modules.json lists a Transformer, a Pooling and perhaps a Normalize; 1_Pooling/config.json
// names the pooling, sentence_bert_config.json the length at which texts are cut.
#pragma once

#include <filesystem>

#include "gradus/models/embedding.h"

namespace gradus {

struct SentenceFolder {
  std::filesystem::path body;  // the folder of the BERT itself, most often the folder
  Pooling pooling = Pooling::mean;
  bool normalize = false;
  // tokens of a text, with [CLS] and [SEP]; 0: what the model's positions allow
  int64_t max_length = 0;
  // texts are lower-cased first: for an uncased tokenizer, which does it anyway
  bool needs_lower_case = false;
  // put before every text: the default prompt of config_sentence_transformers.json
  std::string prompt{};
};

// A folder without modules.json gives the mean and no Normalize, as sentence-transformers takes it;
// its max_length is model_max_length of tokenizer_config.json. Other modules (a Dense, another
// pooling) are refused by name: to leave them out would give other vectors.
SentenceFolder read_sentence_folder(const std::filesystem::path& folder);

// Writes the three files beside a model (save_model_folder) into settings.body, so that
// sentence-transformers opens the folder.
void save_sentence_folder(const SentenceFolder& settings, int64_t hidden_size);

}  // namespace gradus
