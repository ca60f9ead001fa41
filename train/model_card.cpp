#include "gradus/train/model_card.h"

#include <fmt/format.h>

#include <filesystem>

#include "gradus/base/json.h"

namespace gradus {
std::string model_card(const TaskKind& kind, const std::string& base, const BertConfig& config,
                       const Metrics& metrics, const nlohmann::ordered_json& run) {
  const std::string name = std::filesystem::path(base).filename().empty()
                               ? std::filesystem::path(base).parent_path().filename().string()
                               : std::filesystem::path(base).filename().string();
  std::string card = fmt::format(
      "---\npipeline_tag: {}\ntags:\n- bert\n- gradus\n---\n\n# A BERT fine-tuned for {}\n\n{} ",
      kind.pipeline, kind.name, kind.sentence);
  card += fmt::format(
      "{} layers, {} features, {} attention heads, {} tokens in its vocabulary; fine-tuned from "
      "`{}` with Gradus.\n",
      config.num_hidden_layers, config.hidden_size, config.num_attention_heads, config.vocab_size,
      name);
  if (!config.id2label.empty() && config.problem_type != "regression") {
    card += "\n## Labels\n\n";
    constexpr int64_t most = 100;
    for (const auto& [id, label] : config.id2label)
      if (id < most) card += fmt::format("- {} `{}`\n", id, label);
    if (config.num_labels() > most)
      card += fmt::format("\nand {} more, in `config.json`.\n", config.num_labels() - most);
  }
  if (!metrics.empty()) {
    card += "\n## On the validation file\n\n| metric | value |\n|---|---|\n";
    for (const auto& [metric, value] : metrics)
      card += fmt::format("| {} | {:.4f} |\n", metric, value);
  }
  card +=
      "\n## Use\n\n```\ngradus predict --model . FILE\n```\n\nThe folder also opens in "
      "`transformers`.\n\n## Made with\n\n| option | value "
      "|\n|---|---|\n";
  for (const auto& [option, value] : run.items()) {
    std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    // where they lay on one machine says nothing
    if (option == "model" || option == "train_file" || option == "validation_file")
      text = std::filesystem::path(text).filename().string();
    if (!text.empty() && text != "[]" && text != "null")
      card += fmt::format("| {} | {} |\n", option, text);
  }
  return card;
}

}  // namespace gradus
