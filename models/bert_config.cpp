#include "models/bert_config.h"

#include <nlohmann/json.hpp>

namespace gradus {
using Json = nlohmann::ordered_json;

BertConfig BertConfig::named(const std::string& size, int64_t vocab_size) {
  struct Size { const char* name; int64_t layers, hidden, heads; };
  BertConfig config;
  config.vocab_size = vocab_size;
  for (const Size& s : {Size{"tiny", 2, 128, 2}, Size{"mini", 4, 256, 4}, Size{"small", 4, 512, 8}, Size{"medium", 8, 512, 8}, Size{"base", 12, 768, 12},
                        Size{"large", 24, 1024, 16}})
    if (size == s.name) {
      config.num_hidden_layers = s.layers;
      config.hidden_size = s.hidden;
      config.num_attention_heads = s.heads;
      config.intermediate_size = 4 * s.hidden;
      return config;
    }
  fail("no model size is called '{}'; there are tiny, mini, small, medium, base and large, or give a config.json", size);
}

Gelu BertConfig::activation() const { return hidden_act == "gelu" ? Gelu::erf : Gelu::tanh; }

TransformerOptions BertConfig::transformer() const {
  return {.hidden = hidden_size, .layers = num_hidden_layers, .heads = num_attention_heads, .intermediate = intermediate_size, .activation = activation(),
          .hidden_dropout = hidden_dropout_prob, .attention_dropout = attention_probs_dropout_prob, .layer_norm_eps = layer_norm_eps};
}

void BertConfig::validate(const std::string& origin) const {
  const auto positive = [&](const char* key, int64_t value) { if (value < 1 || value > (int64_t{1} << 31)) fail("{}: {} is {}; it must be between 1 and 2^31", origin, key, value); };
  positive("vocab_size", vocab_size);
  positive("hidden_size", hidden_size);
  positive("num_hidden_layers", num_hidden_layers);
  positive("num_attention_heads", num_attention_heads);
  positive("intermediate_size", intermediate_size);
  positive("max_position_embeddings", max_position_embeddings);
  positive("type_vocab_size", type_vocab_size);
  if (hidden_size % num_attention_heads != 0)
    fail("{}: hidden_size {} is not divisible by num_attention_heads {}", origin, hidden_size, num_attention_heads);
  if (hidden_act != "gelu" && hidden_act != "gelu_new" && hidden_act != "gelu_pytorch_tanh")
    fail("{}: hidden_act is '{}'; known are gelu, gelu_new and gelu_pytorch_tanh", origin, hidden_act);
  for (const auto& [key, p] : {std::pair{"hidden_dropout_prob", hidden_dropout_prob}, std::pair{"attention_probs_dropout_prob", attention_probs_dropout_prob}})
    if (!(p >= 0 && p < 1)) fail("{}: {} is {}; it must be in [0, 1)", origin, key, p);
  if (!(layer_norm_eps > 0)) fail("{}: layer_norm_eps is {}; it must be above 0", origin, layer_norm_eps);
}

BertConfig BertConfig::from_json(const std::string& text, const std::string& origin) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::exception& error) {
    fail("{}: not valid JSON: {}", origin, error.what());
  }
  check(json.is_object(), "{}: the configuration must be a JSON object", origin);
  BertConfig config;
  const auto read = [&](const char* key, auto& value) {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) return;
    try {
      found->get_to(value);
    } catch (const Json::exception&) {
      fail("{}: {} is {}, which is of the wrong kind", origin, key, found->dump());
    }
  };
  std::string model_type = "bert", position_embedding_type = "absolute";
  bool is_decoder = false;
  read("model_type", model_type);
  read("position_embedding_type", position_embedding_type);
  read("is_decoder", is_decoder);
  if (model_type != "bert") fail("{}: model_type is '{}'; only bert can be read", origin, model_type);
  if (position_embedding_type != "absolute") fail("{}: position_embedding_type is '{}'; only absolute is supported", origin, position_embedding_type);
  check(!is_decoder, "{}: is_decoder is true; only the encoder is supported", origin);
  read("vocab_size", config.vocab_size);
  read("hidden_size", config.hidden_size);
  read("num_hidden_layers", config.num_hidden_layers);
  read("num_attention_heads", config.num_attention_heads);
  read("intermediate_size", config.intermediate_size);
  read("max_position_embeddings", config.max_position_embeddings);
  read("type_vocab_size", config.type_vocab_size);
  read("pad_token_id", config.pad_token_id);
  read("hidden_act", config.hidden_act);
  read("hidden_dropout_prob", config.hidden_dropout_prob);
  read("attention_probs_dropout_prob", config.attention_probs_dropout_prob);
  read("classifier_dropout", config.classifier_dropout);
  read("initializer_range", config.initializer_range);
  read("layer_norm_eps", config.layer_norm_eps);
  read("architectures", config.architectures);
  if (const auto labels = json.find("id2label"); labels != json.end() && labels->is_object())
    for (const auto& [id, label] : labels->items()) {
      check(label.is_string() && !id.empty() && id.find_first_not_of("0123456789") == std::string::npos, "{}: id2label has the entry {}: {}", origin, id, label.dump());
      config.id2label[std::stoll(id)] = label.get<std::string>();
    }
  config.validate(origin);
  return config;
}

std::string BertConfig::to_json() const {
  Json json;
  json["architectures"] = architectures;
  json["model_type"] = "bert";
  json["vocab_size"] = vocab_size;
  json["hidden_size"] = hidden_size;
  json["num_hidden_layers"] = num_hidden_layers;
  json["num_attention_heads"] = num_attention_heads;
  json["intermediate_size"] = intermediate_size;
  json["hidden_act"] = hidden_act;
  json["hidden_dropout_prob"] = hidden_dropout_prob;
  json["attention_probs_dropout_prob"] = attention_probs_dropout_prob;
  json["classifier_dropout"] = classifier_dropout < 0 ? Json() : Json(classifier_dropout);
  json["max_position_embeddings"] = max_position_embeddings;
  json["type_vocab_size"] = type_vocab_size;
  json["initializer_range"] = initializer_range;
  json["layer_norm_eps"] = layer_norm_eps;
  json["pad_token_id"] = pad_token_id;
  json["position_embedding_type"] = "absolute";
  json["use_cache"] = false;
  if (!id2label.empty()) {
    Json forward = Json::object(), backward = Json::object();
    for (const auto& [id, label] : id2label) forward[std::to_string(id)] = label, backward[label] = id;
    json["id2label"] = forward;
    json["label2id"] = backward;
  }
  json["torch_dtype"] = "float32";
  return json.dump(2) + "\n";
}

}  // namespace gradus
