#include "gradus/train/finetuned_model.h"

#include "gradus/base/json.h"
#include "gradus/train/adapter_folder.h"

namespace gradus {

nlohmann::ordered_json as_json(const Metrics& metrics) {
  auto json = nlohmann::ordered_json::object();
  for (const auto& [name, value] : metrics) json["eval_" + name] = value;
  return json;
}

std::string as_text(const Metrics& metrics) {
  std::string text;
  for (const auto& [name, value] : metrics)
    text += fmt::format("{}{} {:.4g}", text.empty() ? "" : "  ", name, value);
  return text;
}

namespace {

BertConfig checked_config(const std::filesystem::path& folder) {
  BertConfig config = load_config(folder);
  if (is_adapter_folder(folder)) require_weights_for(config, adapter_base(folder));
  return config;
}

}  // namespace

FinetunedModel::FinetunedModel(const std::filesystem::path& folder, bool untrained_head)
    : config(checked_config(folder)),
      tokenizer(load_tokenizer(folder)),
      task(task_of(config, folder.string())),
      model(*head_named(config.architectures[0]), config) {
  if (is_adapter_folder(folder)) {
    load_adapters(folder, model);
    return;
  }
  const auto list = parameters(model);
  initialize_bert(list, config, BertInitialization::hugging_face, 0);
  const LoadReport report = load_parameters(folder, list);
  if (!untrained_head) report.require_trained("head of " + config.architectures[0]);
}

}  // namespace gradus
