// A RunState as trainer_state.json, and back. What `transformers` calls by a name has that name;
// the rest is under "gradus".
#include "gradus/train/run.h"

namespace gradus {
namespace {

using Json = nlohmann::ordered_json;

Json as_json(const Metrics& metrics) {
  Json json = Json::array();
  for (const auto& [name, value] : metrics) json.push_back({name, value});
  return json;
}

Metrics as_metrics(const Json& json) {
  Metrics metrics;
  for (const Json& pair : json)
    metrics.emplace_back(
        pair.at(0).get<std::string>(),
        pair.at(1).is_null() ? std::numeric_limits<double>::quiet_NaN() : pair.at(1).get<double>());
  return metrics;
}

}  // namespace

Json Run::state() const {
  const TrainResult& result = now_.result;
  Json sums = Json::array();
  for (const auto& [name, sum, count] : now_.means.sums()) sums.push_back({name, sum, count});
  return {{"global_step", result.steps},
          {"max_steps", schedule_.total},
          {"num_input_tokens_seen", result.tokens},
          {"epoch", objective_.epoch()},
          {"best_metric", result.best_step ? Json(result.best_score) : Json()},
          {"best_global_step", result.best_step},
          {"train_runtime", result.seconds},  // seconds
          {"eval_runtime", result.eval_seconds},
          {"log_history", log_ ? log_->history() : Json::array()},
          {"gradus",
           {{"ended", result.complete},
            {"parts_done", now_.parts_done},
            {"loss", now_.loss},
            {"sums", sums},
            {"tokens", now_.tokens},
            {"seconds", now_.seconds},
            {"flop", now_.flop},
            {"skipped", result.skipped},
            {"last", as_json(result.last)},
            {"evaluation", as_json(result.metrics)},
            {"evaluation_line", now_.evaluation_line},
            {"evaluations_without_better", now_.worse},
            {"evaluations_due", now_.evaluations_due},
            {"evaluation_due", now_.evaluation_due},
            {"objective", now_.parts_done ? now_.objective : objective_.state()},
            {"settings", settings_}}}};
}

void Run::restore(const Json& json) {
  try {
    const Json& own = json.at("gradus");
    RunState state;
    TrainResult& result = state.result;
    result.steps = count_of(json, "global_step");
    result.tokens = count_of(json, "num_input_tokens_seen");
    result.best_step = count_of(json, "best_global_step");
    if (result.best_step) result.best_score = json.at("best_metric");
    result.seconds = json.at("train_runtime");
    result.eval_seconds = json.at("eval_runtime");
    result.skipped = count_of(own, "skipped");
    result.last = as_metrics(own.at("last"));
    result.metrics = as_metrics(own.at("evaluation"));
    state.parts_done = count_of(own, "parts_done");
    state.loss = own.at("loss");
    std::vector<Means::Sum> sums;
    for (const Json& sum : own.at("sums")) sums.push_back({sum.at(0), sum.at(1), sum.at(2)});
    state.means.restore(std::move(sums));
    state.tokens = count_of(own, "tokens");
    state.seconds = own.at("seconds");
    state.flop = own.at("flop");
    state.evaluation_line = own.at("evaluation_line");
    state.worse = count_of(own, "evaluations_without_better");
    state.evaluations_due = count_of(own, "evaluations_due");
    state.evaluation_due = own.at("evaluation_due");
    result.complete = own.at("ended");
    objective_.restore(own.at("objective").get<std::string>());
    history_ = json.at("log_history");
    for (const Json& line : history_) count_of(line, "step");
    now_ = std::move(state);
  } catch (const nlohmann::json::exception& error) {
    fail("trainer_state.json is not that of a run of this version: {}", error.what());
  } catch (const Error& error) { fail("trainer_state.json: {}", error.what()); }
}

}  // namespace gradus
