// A run of the loop as it lies on the disk: its folder and lock, where it stands, its log, its
// checkpoints, and the line of progress. The loop (loop.cpp) computes, this keeps.
#pragma once

#include "gradus/base/lock.h"
#include "gradus/train/checkpoint.h"
#include "gradus/train/loop.h"
#include "gradus/train/progress.h"
#include "gradus/train/replaced_model.h"
#include "gradus/train/run_log.h"

namespace gradus {

// Where a run stands: what a checkpoint holds beside parameters, optimizer and gradients.
struct RunState {
  TrainResult result;
  std::string objective;  // its state before the batch of a step that is half made, or as it is
  // Of a step that is half made: parts whose gradients are there, and their loss.
  int64_t parts_done = 0;
  double loss = 0;
  // Since the last line of the log.
  Means means;
  int64_t tokens = 0;
  double seconds = 0, flop = 0;

  int64_t worse = 0;  // evaluations since the best one
  int64_t evaluations_due = 0;
  bool evaluation_due = false;             // before the next step
  nlohmann::ordered_json evaluation_line;  // of the model that was saved
};

// What train() was given; all of it outlives the run.
struct RunSetup {
  const ParameterList& parameters_;
  Optimizer& optimizer_;
  const Schedule& schedule_;
  Objective& objective_;
  const TrainOptions& o_;
};

class Run : RunSetup {
 public:
  // Makes or takes over the folder; a run that goes on is loaded. Errors: as of train().
  explicit Run(const RunSetup& setup);
  RunState& now() { return now_; }
  bool at_its_end() const;  // of its steps, or of its time

  void say(const std::string& lines);              // a line that stays, or several
  void show(const std::string& note);              // beside the progress
  void write(const nlohmann::ordered_json& line);  // to the log
  // Whether the model that the run begins with is to be judged, for it stands in the folder.
  bool begins_unjudged() const;
  void begin_with(const Judgement& judged);
  // The model, by the objective, and how good it is; not over a better one.
  void save(const std::optional<Judgement>& judged);
  bool checkpoint_is_due() const;
  void checkpoint();
  // The step's loss or gradient was not finite: leaves the step out if that is allowed, or throws
  // `error` with what is to be known of it.
  void not_finite(const Batch& batch, const NotFinite& error);
  void end();

 private:
  void open();
  void end_folder();
  void note_not_better();
  void resume();
  bool load_end(const nlohmann::ordered_json& state);
  void require_same_settings(const nlohmann::ordered_json& before, const std::string& where) const;
  nlohmann::ordered_json state() const;
  void restore(const nlohmann::ordered_json& state);
  void write_settings() const;
  // What writes: a disk that does not take it is an Error, or is told and passed over.
  void guard(const std::function<void()>& writes);
  double position() const;  // on the line of progress

  RunState now_;
  nlohmann::ordered_json settings_, history_ = nlohmann::ordered_json::array();
  std::string judged_on_;
  std::optional<ReplacedModel> replaced_;
  std::optional<FolderLock> lock_;
  std::optional<Checkpoints> checkpoints_;
  std::optional<RunLog> log_;
  std::optional<Progress> progress_;
  std::vector<std::string> said_;  // before there was a line of progress
  double last_checkpoint_seconds_ = 0;
  int64_t last_checkpoint_step_ = 0;
};

}  // namespace gradus
