// README.md of a model folder, for people and for model hubs: what it is for, what it came from,
// how good it is, how to use it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "gradus/base/metrics.h"
#include "gradus/tasks/kinds.h"

namespace gradus {

// `run`: the options of the run, as run.json has them. metrics: on the validation file; empty where
// there was none.
std::string model_card(const TaskKind& kind, const std::string& base, const BertConfig& config,
                       const Metrics& metrics, const nlohmann::ordered_json& run);

}  // namespace gradus
