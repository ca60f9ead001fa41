#include "gradus/train/model_card.h"

#include <fmt/format.h>

#include <filesystem>

#include "gradus/base/json.h"

namespace gradus {
namespace {

struct Kind {
  const char *name, *pipeline, *sentence;  // pipeline: what model hubs call it
};
constexpr Kind kinds[] = {
    {"classify", "text-classification", "It gives a text, or a pair of texts, one of its labels."},
    {"regress", "text-classification", "It gives a text, or a pair of texts, a number."},
    {"multilabel", "text-classification", "It gives a text those of its labels that hold."},
    {"ner", "token-classification", "It marks names in a text."},
    {"qa", "question-answering", "It finds the part of a text that answers a question."},
    {"choice", "multiple-choice", "It chooses between ways to go on from a text."},
};

}  // namespace

std::string model_card(const std::string& kind, const std::string& base, const BertConfig& config,
                       const Metrics& metrics, const nlohmann::ordered_json& run) {
  const Kind* about = &kinds[0];
  for (const Kind& k : kinds)
    if (kind == k.name) about = &k;
  const std::string name = std::filesystem::path(base).filename().empty()
                               ? std::filesystem::path(base).parent_path().filename().string()
                               : std::filesystem::path(base).filename().string();
  std::string card = fmt::format(
      "---\npipeline_tag: {}\ntags:\n- bert\n- gradus\n---\n\n# A BERT fine-tuned for {}\n\n{} ",
      about->pipeline, kind, about->sentence);
  card += fmt::format(
      "{} layers, {} features, {} attention heads, {} tokens in its vocabulary; fine-tuned from "
      "`{}` with Gradus.\n",
      config.num_hidden_layers, config.hidden_size, config.num_attention_heads, config.vocab_size,
      name);
  if (!config.id2label.empty() && kind != "regress") {
    card += "\n## Labels\n\n";
    for (const auto& [id, label] : config.id2label) card += fmt::format("- {} `{}`\n", id, label);
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
    if (!text.empty() && text != "[]") card += fmt::format("| {} | {} |\n", option, text);
  }
  return card;
}

}  // namespace gradus
