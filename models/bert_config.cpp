#include "gradus/models/bert_config.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "gradus/models/modern_bert_json.h"

namespace gradus {
using Json = nlohmann::ordered_json;

BertConfig BertConfig::named(const std::string& name, int64_t vocab_size) {
  const std::string modern = "modern-";
  const bool is_modern = name.starts_with(modern);
  const std::string size = is_modern ? name.substr(modern.size()) : name;
  struct Size {
    const char* name;
    int64_t layers, hidden, heads;
  };
  const auto of_size = [&](int64_t layers, int64_t hidden, int64_t heads) {
    BertConfig config;
    config.vocab_size = vocab_size;
    config.num_hidden_layers = layers;
    config.hidden_size = hidden;
    config.num_attention_heads = heads;
    config.intermediate_size = 4 * hidden;
    if (!is_modern) return config;
    make_modern(config);
    // GeGLU has three matrices, not two: two thirds of the width, to the nearest multiple of 64
    config.intermediate_size = 64 * std::llround(static_cast<double>(4 * hidden) / 96);
    return config;
  };
  for (const Size& s :
       {Size{"tiny", 2, 128, 2}, Size{"mini", 4, 256, 4}, Size{"small", 4, 512, 8},
        Size{"medium", 8, 512, 8}, Size{"base", 12, 768, 12}, Size{"large", 24, 1024, 16}})
    if (size == s.name) return of_size(s.layers, s.hidden, s.heads);
  if (size.find('x') != std::string::npos) {
    std::vector<int64_t> numbers;  // -1: no number
    for (size_t begin = 0, end = 0; end < size.size(); begin = end + 1) {
      end = std::min(size.find('x', begin), size.size());
      int64_t value = -1;
      const auto [rest, error] = std::from_chars(size.data() + begin, size.data() + end, value);
      numbers.push_back(error == std::errc() && rest == size.data() + end ? value : -1);
    }
    constexpr int64_t most = int64_t{1} << 20;
    const auto is_size = [](int64_t n) { return n > 0 && n <= most; };
    if (numbers.size() == 2) numbers.push_back(numbers[1] % 64 == 0 ? numbers[1] / 64 : -1);
    check(numbers.size() == 3 && std::all_of(numbers.begin(), numbers.end(), is_size) &&
              numbers[1] % numbers[2] == 0,
          "the model size '{}': it is LAYERSxHIDDEN, with heads of 64, as 3x192, or "
          "LAYERSxHIDDENxHEADS, as 3x192x6",
          name);
    return of_size(numbers[0], numbers[1], numbers[2]);
  }
  fail(
      "no model size is called '{}'; there are tiny, mini, small, medium, base and large, the same "
      "with modern- before them, LAYERSxHIDDEN as 3x192, LAYERSxHIDDENxHEADS, or give a "
      "config.json",
      name);
}

Gelu BertConfig::activation() const { return hidden_act == "gelu" ? Gelu::erf : Gelu::tanh; }

TransformerOptions BertConfig::transformer() const {
  const bool erf = activation() == Gelu::erf;
  TransformerOptions options{
      .hidden = hidden_size,
      .layers = num_hidden_layers,
      .heads = num_attention_heads,
      .intermediate = intermediate_size,
      .feed_forward = erf ? FeedForwardKind::gelu : FeedForwardKind::gelu_tanh,
      .hidden_dropout = hidden_dropout_prob,
      .attention_dropout = attention_probs_dropout_prob,
      .layer_norm_eps = layer_norm_eps};
  if (!modern) return options;
  options.feed_forward = erf ? FeedForwardKind::geglu : FeedForwardKind::geglu_tanh;
  options.pre_norm = true;
  options.attention_bias = modern->attention_bias;
  options.feed_forward_bias = modern->mlp_bias;
  options.norm_bias = modern->norm_bias;
  options.rotary_base = modern->global_rope_theta;
  options.global_every = modern->global_attn_every_n_layers;
  options.local_window = modern->local_attention / 2;
  options.local_rotary_base = modern->local_rope_theta;
  return options;
}

void BertConfig::validate(const std::string& origin) const {
  const auto positive = [&](const char* key, int64_t value) {
    if (value < 1 || value > (int64_t{1} << 31))
      fail("{}: {} is {}; it must be between 1 and 2^31", origin, key, value);
  };
  positive("vocab_size", vocab_size);
  positive("hidden_size", hidden_size);
  positive("num_hidden_layers", num_hidden_layers);
  positive("num_attention_heads", num_attention_heads);
  positive("intermediate_size", intermediate_size);
  positive("max_position_embeddings", max_position_embeddings);
  if (!modern) positive("type_vocab_size", type_vocab_size);
  if (hidden_size % num_attention_heads != 0)
    fail("{}: hidden_size {} is not divisible by num_attention_heads {}", origin, hidden_size,
         num_attention_heads);
  if (hidden_act != "gelu" && hidden_act != "gelu_new" && hidden_act != "gelu_pytorch_tanh")
    fail("{}: hidden_act is '{}'; known are gelu, gelu_new and gelu_pytorch_tanh", origin,
         hidden_act);
  for (const auto& [key, p] :
       {std::pair{"hidden_dropout_prob", hidden_dropout_prob},
        std::pair{"attention_probs_dropout_prob", attention_probs_dropout_prob}})
    if (!(p >= 0 && p < 1)) fail("{}: {} is {}; it must be in [0, 1)", origin, key, p);
  if (!problem_type.empty() && problem_type != "regression" &&
      problem_type != "single_label_classification" && problem_type != "multi_label_classification")
    fail(
        "{}: problem_type is '{}'; known are regression, single_label_classification and "
        "multi_label_classification",
        origin, problem_type);
  if (modern) check_modern_bert(*this, origin);
  if (!(layer_norm_eps > 0))
    fail("{}: layer_norm_eps is {}; it must be above 0", origin, layer_norm_eps);
}

namespace {

// id2label; without it the inverse of label2id, or as many LABEL_n as num_labels says. Files hold
// ids as strings.
std::map<int64_t, std::string> read_labels(const nlohmann::json& json, const std::string& origin) {
  using Json = nlohmann::json;
  std::map<int64_t, std::string> labels;
  const auto add = [&](const std::string& id, const Json& label, const char* key) {
    int64_t number = -1;
    const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
    if (error != std::errc() || end != id.data() + id.size() || number < 0 || !label.is_string())
      fail("{}: {} has the entry {}: {}; it maps whole numbers from 0 to labels", origin, key, id,
           label.dump());
    if (!labels.emplace(number, label.get<std::string>()).second)
      fail("{}: {} has two labels for {}", origin, key, number);
  };
  const auto object = [&](const char* key) {
    return json.contains(key) && json[key].is_object() ? json[key] : Json::object();
  };
  const Json forward = object("id2label"), backward = object("label2id");
  for (const auto& [id, label] : forward.items()) add(id, label, "id2label");
  if (labels.empty())
    for (const auto& [label, id] : backward.items()) add(id.dump(), Json(label), "label2id");
  if (const auto count = json.find("num_labels");
      labels.empty() && count != json.end() && !count->is_null()) {
    constexpr int64_t most = 1'000'000;
    check(count->is_number_unsigned() && count->get<uint64_t>() >= 1 &&
              count->get<uint64_t>() <= most,
          "{}: num_labels is {}; it must be between 1 and {}", origin, count->dump(), most);
    for (int64_t id = 0; id < count->get<int64_t>(); ++id)
      labels.emplace(id, fmt::format("LABEL_{}", id));
  }
  if (!labels.empty() && labels.rbegin()->first != static_cast<int64_t>(labels.size()) - 1)
    fail("{}: its {} labels have ids up to {}; they must be 0 to {}", origin, labels.size(),
         labels.rbegin()->first, labels.size() - 1);
  return labels;
}

}  // namespace

BertConfig BertConfig::from_json(const std::string& text, const std::string& origin) {
  const JsonObject object(text, origin);
  BertConfig config;
  std::string model_type = "bert", position_embedding_type = "absolute";
  bool is_decoder = false;
  object.read("model_type", model_type);
  object.read("position_embedding_type", position_embedding_type);
  object.read("is_decoder", is_decoder);
  if (model_type != "bert" && model_type != "modernbert")
    fail("{}: model_type is '{}'; only bert and modernbert can be read", origin, model_type);
  if (position_embedding_type != "absolute")
    fail("{}: position_embedding_type is '{}'; only absolute is supported", origin,
         position_embedding_type);
  check(!is_decoder, "{}: is_decoder is true; only the encoder is supported", origin);
  object.read("hidden_size", config.hidden_size);
  object.read("num_attention_heads", config.num_attention_heads);
  object.read("pad_token_id", config.pad_token_id);
  object.read("initializer_range", config.initializer_range);
  if (model_type == "modernbert") {
    read_modern_bert(object, config);
  } else {
    object.read("vocab_size", config.vocab_size);
    object.read("num_hidden_layers", config.num_hidden_layers);
    object.read("intermediate_size", config.intermediate_size);
    object.read("max_position_embeddings", config.max_position_embeddings);
    object.read("type_vocab_size", config.type_vocab_size);
    object.read("hidden_act", config.hidden_act);
    object.read("hidden_dropout_prob", config.hidden_dropout_prob);
    object.read("attention_probs_dropout_prob", config.attention_probs_dropout_prob);
    object.read("classifier_dropout", config.classifier_dropout);
    object.read("layer_norm_eps", config.layer_norm_eps);
  }
  object.read("architectures", config.architectures);
  object.read("problem_type", config.problem_type);
  object.read("finetuning_task", config.finetuning_task);
  object.read("torch_dtype", config.dtype);  // what transformers 4 called it
  object.read("dtype", config.dtype);
  config.id2label = read_labels(object.json(), origin);
  config.validate(origin);
  return config;
}

std::string BertConfig::to_json() const {
  Json json;
  json["architectures"] = architectures;
  json["model_type"] = modern ? "modernbert" : "bert";
  json["vocab_size"] = vocab_size;
  json["hidden_size"] = hidden_size;
  json["num_hidden_layers"] = num_hidden_layers;
  json["num_attention_heads"] = num_attention_heads;
  json["intermediate_size"] = intermediate_size;
  if (modern) {
    json["max_position_embeddings"] = max_position_embeddings;
    json["initializer_range"] = initializer_range;
    json["pad_token_id"] = pad_token_id;
    json.update(modern_bert_json(*this));
  } else {
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
  }
  if (!id2label.empty()) {
    Json::object_t forward, backward;
    std::map<std::string_view, int64_t> last;  // of two labels of one name, as in Python's dict
    for (const auto& [id, label] : id2label) last[label] = id;
    for (const auto& [id, label] : id2label) {
      add_member(forward, std::to_string(id), label);
      if (last[label] == id) add_member(backward, label, id);
    }
    json["id2label"] = std::move(forward);
    json["label2id"] = std::move(backward);
  }
  if (!problem_type.empty()) json["problem_type"] = problem_type;
  if (!finetuning_task.empty()) json["finetuning_task"] = finetuning_task;
  json["dtype"] = dtype;
  return json.dump(2) + "\n";
}

}  // namespace gradus
