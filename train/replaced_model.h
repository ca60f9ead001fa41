// The model that stands in a run's folder when the run begins. How good it was is known from its
// eval_results.json; the run's own model is not written over it while it is worse.
#pragma once

#include <optional>

#include "gradus/base/json.h"
#include "gradus/train/loop.h"

namespace gradus {

struct ReplacedModel {
  std::string metric;  // the first, by which models are chosen
  double value;
};

// What two models must share to be compared: a hash of the members of the settings that
// options.judged_on names; empty where it names none.
std::string judged_on(const TrainOptions& options);

// The line of an evaluation, as eval_results.json keeps it: with what it was judged on.
nlohmann::ordered_json evaluation_file(nlohmann::ordered_json line, const std::string& judged_on);

// From the eval_results.json of a folder; nothing where there is none, or one on something else.
std::optional<ReplacedModel> replaced_model(const std::filesystem::path& folder,
                                            const std::string& judged_on);
ReplacedModel replaced_model(const Judgement& judged);

bool is_worse(const Judgement& judged, const ReplacedModel& than);

// For run.json, which a run that goes on takes it from.
nlohmann::ordered_json as_json(const ReplacedModel& model);
std::optional<ReplacedModel> replaced_model(const nlohmann::ordered_json& run);
inline constexpr const char* replaced_model_key = "replaced_model";

}  // namespace gradus
