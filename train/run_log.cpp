#include "train/run_log.h"

namespace gradus {

void RunLog::write(const nlohmann::ordered_json& line) {
  lines_.write(line);
  history_.push_back(line);
  Scalars scalars;
  for (const auto& [name, value] : line.items())
    if (value.is_number() && name != "step")
      scalars.emplace_back(name.starts_with("eval_") ? "eval/" + name.substr(5) : "train/" + name, value.get<double>());
  events_.write(line.at("step").get<int64_t>(), scalars);
}

}  // namespace gradus
