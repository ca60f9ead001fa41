// The log of a run: a line of JSON for every logging interval and evaluation, in metrics.jsonl; the
// same numbers for TensorBoard; and all of them kept, for trainer_state.json's log_history.
#pragma once

#include "gradus/io/event_file.h"
#include "gradus/io/json_lines.h"

namespace gradus {

class RunLog {
 public:
  // Of a run that goes on: begins with the lines of its checkpoint.
  explicit RunLog(const std::filesystem::path& folder,
                  const nlohmann::ordered_json& history = nlohmann::ordered_json::array());
  // `line` has a "step". For TensorBoard an evaluation's "eval_loss" is eval/loss, another line's
  // "loss" train/loss.
  void write(const nlohmann::ordered_json& line);
  const nlohmann::ordered_json& history() const { return history_; }

 private:
  JsonLines lines_;
  EventFile events_;
  nlohmann::ordered_json history_ = nlohmann::ordered_json::array();
};

}  // namespace gradus
