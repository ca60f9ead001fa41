// The small model and tokenizer that the tests of io save and load.
#pragma once

#include "gradus/io/model_folder.h"
#include "gradus/models/bert.h"
#include "gradus/models/heads.h"
#include "tests/support.h"

namespace gradus::testing {

inline Tokenizer small_tokenizer(TokenizerOptions options = {}) {
  return Tokenizer(Vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "##a",
                               "##b", "the", "."}),
                   options);
}

inline BertConfig small_config() {
  BertConfig config = BertConfig::named("tiny", small_tokenizer().vocabulary().size());
  config.hidden_size = 8, config.num_attention_heads = 2, config.intermediate_size = 16,
  config.max_position_embeddings = 16;
  return config;
}

inline BertForPreTraining small_model(uint64_t seed) {
  BertForPreTraining model(small_config());
  initialize_bert(parameters(model), small_config(), BertInitialization::google, seed);
  return model;
}

inline BertConfig small_classifier_config(const std::vector<std::string>& labels = {"no", "yes"}) {
  BertConfig config = small_config();
  config.architectures = {"BertForSequenceClassification"};
  for (size_t i = 0; i < labels.size(); ++i) config.id2label[static_cast<int64_t>(i)] = labels[i];
  return config;
}

inline void save_small_classifier(const std::filesystem::path& folder,
                                  const std::vector<std::string>& labels = {"no", "yes"},
                                  uint64_t seed = 1) {
  const BertConfig config = small_classifier_config(labels);
  BertForTask model(BertHead::sequence_classification, config);
  initialize_bert(parameters(model), config, BertInitialization::google, seed);
  save_model_folder(folder, config, parameters(model), small_tokenizer());
}

}  // namespace gradus::testing
