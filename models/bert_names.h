// What Hugging Face's files call the parts of nn/'s encoder. The layers have plain names of their
// own ("attention.query", "feed_forward.up"); a BERT lists them by these, so that parameters(bert),
// saved files, patterns of names and initial values, which follow from names, all speak as
// `transformers` does.
#pragma once

#include <string>
#include <string_view>

#include "gradus/models/bert_config.h"

namespace gradus {

// Of a layer's part in BERT: "0.feed_forward.up.weight" -> "0.intermediate.dense.weight". For
// Parts: p("layer", layers, bert_name). A name without a row in the table stays as it is.
std::string bert_name(std::string_view name);
// In ModernBERT: "0.attention.query.weight" -> "0.attn.Wqkv.weight", as those of key and value:
// Parts stacks them.
std::string modern_bert_name(std::string_view name);

// What the parameters of a model with a head begin with: of the body "bert.", of the layer 3
// "bert.encoder.layer.3.", of the embeddings "bert.embeddings."; of a ModernBERT "model.",
// "model.layers.3.", "model.embeddings.".
std::string body_prefix(const BertConfig& config);
std::string layer_prefix(const BertConfig& config, int64_t layer);
// as the body has it: "embeddings.word_embeddings.weight"
std::string word_embeddings_name(const BertConfig& config);

}  // namespace gradus
