// models/: the published models, made of nn/'s parts. BertConfig is what config.json of a Hugging
// Face folder says, with the same names.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gradus/models/modern_bert_config.h"
#include "gradus/nn/transformer.h"

namespace gradus {

struct BertConfig {
  int64_t vocab_size = 30522, hidden_size = 768, num_hidden_layers = 12, num_attention_heads = 12,
          intermediate_size = 3072;
  int64_t max_position_embeddings = 512, type_vocab_size = 2, pad_token_id = 0;
  // "gelu": the exact form; "gelu_new", "gelu_pytorch_tanh": Google's tanh form
  std::string hidden_act = "gelu";
  double hidden_dropout_prob = 0.1, attention_probs_dropout_prob = 0.1, initializer_range = 0.02,
         layer_norm_eps = 1e-12;
  double classifier_dropout = -1;  // below 0: as hidden_dropout_prob
  std::vector<std::string> architectures;
  std::optional<ModernBert> modern;  // it is a ModernBERT: type_vocab_size is 0 then
  // of a classifier: ids from 0 without gaps. JSON also holds its inverse, label2id
  std::map<int64_t, std::string> id2label;
  // regression, single_label_classification, multi_label_classification; empty: not said
  std::string problem_type;
  // what it was fine-tuned for, where that does not follow from the above; empty: not said
  std::string finetuning_task;
  // how the folder's weights are stored; computing knows its own
  std::string dtype = "float32";

  // Of a classifier; Hugging Face's 2 where no labels are named.
  int64_t num_labels() const {
    return id2label.empty() ? 2 : static_cast<int64_t>(id2label.size());
  }

  // tiny, mini, small, medium, base, large, and modern-tiny to modern-large, ModernBERTs of about
  // as many parameters; or LAYERSxHIDDEN, with heads of 64, or LAYERSxHIDDENxHEADS, as 3x192x6 or
  // modern-3x192. An unknown name is an Error that lists them.
  static BertConfig named(const std::string& size, int64_t vocab_size = 30522);
  // Of model_type bert or modernbert. Errors name the key, its value and what would be right;
  // another position_embedding_type than absolute, or is_decoder, is refused by name.
  static BertConfig from_json(const std::string& text, const std::string& origin);
  std::string to_json() const;
  void validate(const std::string& origin) const;

  // "ForMaskedLM" -> "BertForMaskedLM", or "ModernBertForMaskedLM"
  std::string class_named(const std::string& ending) const {
    return (modern ? "ModernBert" : "Bert") + ending;
  }
  Gelu activation() const;
  TransformerOptions transformer() const;
};

}  // namespace gradus
