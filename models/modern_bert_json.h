// The part of BertConfig that is a ModernBERT's: its defaults, and its config.json, where much
// stands under other names than in a BERT's. Used by bert_config.cpp alone.
#pragma once

#include "gradus/models/bert_config.h"
#include "gradus/models/json_object.h"

namespace gradus {

// What every ModernBERT has otherwise, whatever its sizes: no token types, an epsilon of 1e-5, no
// dropout.
void make_modern(BertConfig& config);

// Over the published sizes, where the file leaves them out. Errors name what cannot be computed.
void read_modern_bert(const JsonObject& object, BertConfig& config);
void check_modern_bert(const BertConfig& config, const std::string& origin);
nlohmann::ordered_json modern_bert_json(const BertConfig& config);

}  // namespace gradus
