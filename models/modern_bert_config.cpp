#include "gradus/models/modern_bert_json.h"

namespace gradus {
namespace {

// "rope_parameters" of transformers 5: of each kind of layer its base and how it is scaled.
void read_rope(const JsonObject& object, const char* kind, double& theta) {
  const auto& json = object.json();
  const auto all = json.find("rope_parameters");
  if (all == json.end() || !all->is_object() || !all->contains(kind)) return;
  const auto& of_kind = all->at(kind);
  if (of_kind.is_null()) return;
  check(of_kind.is_object(), "{}: rope_parameters.{} is {}; it must be an object", object.origin(),
        kind, of_kind.dump());
  std::string type = "default";
  if (of_kind.contains("rope_type")) object.convert("rope_type", of_kind["rope_type"], type);
  check(type == "default", "{}: rope_parameters.{} has the rope_type {}; only default can be read",
        object.origin(), kind, type);
  if (of_kind.contains("rope_theta")) object.convert("rope_theta", of_kind["rope_theta"], theta);
}

// layer_types, where it is there, lists the kind of each layer: only the pattern of
// global_attn_every_n_layers can be read.
void read_layer_types(const JsonObject& object, const BertConfig& config, ModernBert& modern) {
  std::vector<std::string> types;
  object.read("layer_types", types);
  if (types.empty()) return;
  const auto is_global = [](const std::string& type) { return type == "full_attention"; };
  int64_t every = 1;
  while (every < static_cast<int64_t>(types.size()) &&
         !is_global(types[static_cast<size_t>(every)]))
    ++every;
  bool pattern = static_cast<int64_t>(types.size()) == config.num_hidden_layers;
  for (size_t i = 0; i < types.size(); ++i)
    pattern &= is_global(types[i]) == (static_cast<int64_t>(i) % every == 0) &&
               (is_global(types[i]) || types[i] == "sliding_attention");
  check(pattern,
        "{}: its layer_types are not full_attention for the first of {} layers and every n-th "
        "after it, sliding_attention for the others; only that can be read",
        object.origin(), config.num_hidden_layers);
  modern.global_attn_every_n_layers = every;
}

}  // namespace

void make_modern(BertConfig& config) {
  config.modern.emplace();
  config.type_vocab_size = 0;
  config.layer_norm_eps = 1e-5;
  config.hidden_dropout_prob = config.attention_probs_dropout_prob = config.classifier_dropout = 0;
}

void read_modern_bert(const JsonObject& object, BertConfig& config) {
  make_modern(config);
  ModernBert& modern = *config.modern;
  config.intermediate_size = 1152;
  config.num_hidden_layers = 22;
  config.vocab_size = 50368;
  config.max_position_embeddings = 8192;
  object.read("vocab_size", config.vocab_size);
  object.read("num_hidden_layers", config.num_hidden_layers);
  object.read("intermediate_size", config.intermediate_size);
  object.read("max_position_embeddings", config.max_position_embeddings);
  object.read("hidden_activation", config.hidden_act);
  object.read("norm_eps", config.layer_norm_eps);
  object.read("mlp_dropout", config.hidden_dropout_prob);
  object.read("attention_dropout", config.attention_probs_dropout_prob);
  object.read("classifier_dropout", config.classifier_dropout);
  object.read("global_attn_every_n_layers", modern.global_attn_every_n_layers);
  read_layer_types(object, config, modern);
  object.read("local_attention", modern.local_attention);
  object.read("global_rope_theta", modern.global_rope_theta);
  object.read("local_rope_theta", modern.local_rope_theta);
  read_rope(object, "full_attention", modern.global_rope_theta);
  read_rope(object, "sliding_attention", modern.local_rope_theta);
  object.read("attention_bias", modern.attention_bias);
  object.read("mlp_bias", modern.mlp_bias);
  object.read("norm_bias", modern.norm_bias);
  object.read("classifier_bias", modern.classifier_bias);
  std::string pooling = "cls", activation = "gelu";
  bool decoder_bias = true, tied = true;
  object.read("classifier_pooling", pooling);
  object.read("classifier_activation", activation);
  object.read("decoder_bias", decoder_bias);
  object.read("tie_word_embeddings", tied);
  check(pooling == "cls" || pooling == "mean", "{}: classifier_pooling is '{}'; it is cls or mean",
        object.origin(), pooling);
  check(activation == config.hidden_act,
        "{}: classifier_activation is '{}', hidden_activation '{}'; only one for both can be read",
        object.origin(), activation, config.hidden_act);
  check(decoder_bias && tied, "{}: {} is false; only true can be read", object.origin(),
        decoder_bias ? "tie_word_embeddings" : "decoder_bias");
  modern.mean_pooling = pooling == "mean";
}

void check_modern_bert(const BertConfig& config, const std::string& origin) {
  const ModernBert& modern = *config.modern;
  check(modern.global_attn_every_n_layers >= 1 && modern.local_attention >= 0,
        "{}: global_attn_every_n_layers is {}, local_attention {}; they must be 1 and 0 or more",
        origin, modern.global_attn_every_n_layers, modern.local_attention);
  for (const double theta : {modern.global_rope_theta, modern.local_rope_theta})
    check(theta > 0 && theta < 1e12, "{}: a rope_theta is {}; it must be above 0", origin, theta);
  check(config.hidden_size / config.num_attention_heads % 2 == 0,
        "{}: the heads have {} features; rotary positions take an even number", origin,
        config.hidden_size / config.num_attention_heads);
}

nlohmann::ordered_json modern_bert_json(const BertConfig& config) {
  const ModernBert& modern = *config.modern;
  nlohmann::ordered_json json;
  json["hidden_activation"] = config.hidden_act;
  json["classifier_activation"] = config.hidden_act;
  json["mlp_dropout"] = json["embedding_dropout"] = config.hidden_dropout_prob;
  json["attention_dropout"] = config.attention_probs_dropout_prob;
  json["classifier_dropout"] = std::max(0.0, config.classifier_dropout);
  json["norm_eps"] = config.layer_norm_eps;
  json["global_attn_every_n_layers"] = modern.global_attn_every_n_layers;
  json["local_attention"] = modern.local_attention;
  json["global_rope_theta"] = modern.global_rope_theta;
  json["local_rope_theta"] = modern.local_rope_theta;
  json["attention_bias"] = modern.attention_bias;
  json["mlp_bias"] = modern.mlp_bias;
  json["norm_bias"] = modern.norm_bias;
  json["classifier_bias"] = modern.classifier_bias;
  json["classifier_pooling"] = modern.mean_pooling ? "mean" : "cls";
  json["decoder_bias"] = json["tie_word_embeddings"] = true;
  // transformers takes those of another vocabulary where these are not said
  for (const char* token : {"bos", "eos", "cls", "sep"})
    json[std::string(token) + "_token_id"] = nullptr;
  return json;
}

}  // namespace gradus
