#include "gradus/train/run_log.h"

namespace gradus {

RunLog::RunLog(const std::filesystem::path& folder, const nlohmann::ordered_json& history)
    : lines_(folder / "metrics.jsonl"), events_(folder) {
  for (const auto& line : history) write(line);
}

void RunLog::write(const nlohmann::ordered_json& line) {
  history_.push_back(line);  // kept also where the disk takes no line
  lines_.write(line);
  Metrics training, evaluation;
  for (const auto& [name, value] : line.items()) {
    if (!value.is_number() || name == "step") continue;
    if (name.starts_with("eval_"))
      evaluation.emplace_back("eval/" + name.substr(5), value.get<double>());
    else training.emplace_back("train/" + name, value.get<double>());
  }
  events_.write(line.at("step").get<int64_t>(), evaluation.empty() ? training : evaluation);
}

}  // namespace gradus
