#include "gradus/train/starting_weights.h"

#include <cmath>

#include "gradus/base/file.h"
#include "gradus/models/bert_names.h"
#include "gradus/ops/ops.h"

namespace gradus {

BertConfig configuration(BertConfig config, const FinetuneOptions& o, const Task& task) {
  if (o.dropout)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = config.classifier_dropout =
        *o.dropout;
  task.configure(config);
  config.validate("the model's configuration");
  return config;
}

int64_t count_trained(const std::vector<Parameter>& list) {
  int64_t count = 0;
  for (const Parameter& p : list)
    if (!p.tied && !p.buffer && !p.leaf.is_frozen()) count += p.numel();
  return count;
}

std::vector<std::string> lora_targets(const FinetuneOptions& o, const BertConfig& config) {
  if (!o.lora_targets.empty()) return o.lora_targets;
  if (config.modern) return {"*attn.Wqkv.weight"};
  return {"*attention.self.query.weight", "*attention.self.value.weight"};
}

bool has_same_head(const BertConfig& before, const BertConfig& config) {
  return before.architectures == config.architectures && before.id2label == config.id2label;
}

namespace {
// A ModernBERT's prediction head comes along from pretraining.
bool of_head(const std::string& name, const BertConfig& config) {
  return !name.starts_with(body_prefix(config)) && !(config.modern && name.starts_with("head."));
}
}  // namespace

std::string load_weights(const FinetuneOptions& o, const BertConfig& before,
                         const BertConfig& config, const std::vector<Parameter>& list) {
  initialize_bert(list, config, BertInitialization::hugging_face, o.seed);
  if (o.random_init) return "all parameters begin at random";
  const bool same_head = has_same_head(before, config);
  std::vector<Parameter> wanted;
  for (const Parameter& p : list)
    if (same_head || !of_head(p.name, config)) wanted.push_back(p);
  std::string report = load_parameters(o.model, wanted).to_text();
  if (!same_head) report += "; the head is new";
  if (o.reinit_layers > 0) {
    if (o.reinit_layers > config.num_hidden_layers)
      fail("options.reinit_layers {}: the model has {}", o.reinit_layers, config.num_hidden_layers);
    std::vector<Parameter> anew;
    for (int64_t layer = config.num_hidden_layers - o.reinit_layers;
         layer < config.num_hidden_layers; ++layer)
      for (const Parameter& p : list)
        if (p.name.starts_with(layer_prefix(config, layer))) anew.push_back(p);
    for (const Parameter& p : list)
      if (p.name.starts_with("bert.pooler.")) anew.push_back(p);
    initialize_bert(anew, config, BertInitialization::hugging_face, o.seed);
    report += fmt::format("; the top {} layers and the pooler begin anew", o.reinit_layers);
  }
  return report;
}

void set_layer_rates(const FinetuneOptions& o, const BertConfig& config, Optimizer& optimizer) {
  const auto rate = [&](int64_t below_the_top) {
    return std::pow(o.layer_decay, static_cast<double>(below_the_top));
  };
  optimizer.arena().set_rate(body_prefix(config) + "embeddings.*",
                             rate(config.num_hidden_layers + 1));
  for (int64_t layer = 0; layer < config.num_hidden_layers; ++layer)
    optimizer.arena().set_rate(layer_prefix(config, layer) + "*",
                               rate(config.num_hidden_layers - layer));
}

std::string hash_of(const std::vector<Parameter>& list) {
  const NoGrad scope;
  uint64_t hash = hash_bytes("");
  for (const Parameter& p : list) {
    if (p.tied) continue;
    const Tensor values = contiguous(p.view());
    dispatch(values.dtype(), [&]<class T>() {
      hash = hash_bytes(values.data<T>(), static_cast<size_t>(values.numel()) * sizeof(T), hash);
    });
  }
  return fmt::format("{:016x}", hash);
}

}  // namespace gradus
