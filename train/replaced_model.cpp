#include "gradus/train/replaced_model.h"

#include "gradus/base/file.h"

namespace gradus {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* judged_on_key = "judged_on";
const std::string prefix = "eval_";

}  // namespace

std::string judged_on(const TrainOptions& options) {
  if (options.judged_on.empty()) return "";
  const Json settings = parse_ordered_json(options.settings);
  Json shared = Json::object();
  for (const std::string& name : options.judged_on) {
    check(settings.contains(name), "a run is judged on '{}', which its settings do not have", name);
    shared[name] = settings[name];
  }
  return fmt::format("{:016x}", hash_bytes(shared.dump()));
}

Json evaluation_file(Json line, const std::string& judged_on) {
  if (!judged_on.empty()) line[judged_on_key] = judged_on;
  return line;
}

std::optional<ReplacedModel> replaced_model(const std::filesystem::path& folder,
                                            const std::string& judged_on) {
  const auto path = folder / "eval_results.json";
  if (judged_on.empty() || !std::filesystem::exists(path)) return {};
  Json file;
  try {
    file = read_ordered_json(path);
  } catch (const Error&) {  // it says nothing then, and goes with the model
  }
  if (!file.is_object() || file.value(judged_on_key, Json()) != judged_on) return {};
  for (const auto& [name, value] : file.items())
    if (name.starts_with(prefix) && value.is_number())
      return ReplacedModel{name.substr(prefix.size()), value.get<double>()};
  return {};
}

ReplacedModel replaced_model(const Judgement& judged) {
  return {judged.metrics.front().first, judged.metrics.front().second};
}

bool is_worse(const Judgement& judged, const ReplacedModel& than) {
  const double value = judged.metrics.front().second;
  return judged.larger_is_better ? !(value >= than.value) : !(value <= than.value);
}

Json as_json(const ReplacedModel& model) {
  return {{"metric", model.metric}, {"value", model.value}};
}

std::optional<ReplacedModel> replaced_model(const Json& run) {
  const Json model = run.value(replaced_model_key, Json());
  if (!model.is_object() || !model.value("metric", Json()).is_string() ||
      !model.value("value", Json()).is_number())
    return {};
  return ReplacedModel{model["metric"].get<std::string>(), model["value"].get<double>()};
}

}  // namespace gradus
