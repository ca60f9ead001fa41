// A fine-tuned folder, or one of adapters, as eval and predict use it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "gradus/io/model_folder.h"
#include "gradus/tasks/task.h"

namespace gradus {

// An Error where its head was never trained, unless that is asked for.
struct FinetunedModel {
  BertConfig config;
  Tokenizer tokenizer;
  TaskOptions task;  // its kind and labels
  BertForTask model;
  explicit FinetunedModel(const std::filesystem::path& folder, bool untrained_head = false);
};

// As eval_results.json has them, in transformers' way: "eval_accuracy".
nlohmann::ordered_json as_json(const Metrics& metrics);
std::string as_text(const Metrics& metrics);  // "accuracy 0.835  f1_macro 0.834"

}  // namespace gradus
