#include "gradus/train/run_log.h"

namespace gradus {

void RunLog::write(const nlohmann::ordered_json& line) {
  lines_.write(line);
  history_.push_back(line);
  Scalars training, evaluation;
  for (const auto& [name, value] : line.items()) {
    if (!value.is_number() || name == "step") continue;
    if (name.starts_with("eval_"))
      evaluation.emplace_back("eval/" + name.substr(5), value.get<double>());
    else training.emplace_back("train/" + name, value.get<double>());
  }
  events_.write(line.at("step").get<int64_t>(), evaluation.empty() ? training : evaluation);
}

}  // namespace gradus
