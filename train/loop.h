// train/: the loop, and pretraining and fine-tuning as its objectives. train() has the only
// training step there is; it trains any model that lists its parts:
//
//   train(model, optimizer, schedule, objective, {.out = "runs/mine", .max_grad_norm = 1});
//
// An Objective says what is learned: the batch of the next step, how a model is judged, how it is
// saved. Where the loss is a function of the step alone, a function is enough:
//
//   train(model, optimizer, {.peak = 1e-3, .total = 2000},
//         [&](int64_t step) { return cross_entropy(model(inputs(step)), labels(step)); });
//
// What is true: a run is a function of its options, data and seed, bit for bit, on any number of
// threads (one whose rate follows the clock is not). Killed at any moment it goes on from its last
// checkpoint (options.resume), and ends as the run that was never stopped: weights, optimizer,
// losses and files. SIGINT, SIGTERM and SIGHUP end it after the forward and backward pass that is
// running, with a checkpoint, before any evaluation.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gradus/base/metrics.h"
#include "gradus/optim/optimizer.h"
#include "gradus/optim/schedule.h"

namespace gradus {

// What steps have to tell, summed by name since the last line of the log, which shows the means.
class Means {
 public:
  // A sum over so many things (predicted tokens, pairs, steps); without any, nothing.
  void add(const std::string& name, double sum, double count = 1);
  void add(const Means& others);
  double operator[](const std::string& name) const;  // NaN where nothing was added
  Metrics all() const;
  void clear() { sums_.clear(); }
  struct Sum {
    std::string name;
    double sum, count;
  };
  const std::vector<Sum>& sums() const { return sums_; }
  void restore(std::vector<Sum> sums) { sums_ = std::move(sums); }

 private:
  std::vector<Sum> sums_;
};

// What one step learns from.
struct Batch {
  // Forward passes, each followed by its backward: a part of the batch that fits memory, or a
  // thread's (options.data_parallel: they may run side by side). Each returns its part of the loss,
  // divided by the weight of the whole batch, so that losses and gradients add up to the batch's;
  // and may tell more. None: the step has nothing to learn from.
  std::vector<std::function<Tensor(Means&)>> parts = {};
  int64_t tokens = 0;
  double flop = 0;  // useful floating-point operations of the step; 0: not known
  std::function<std::string()> describe = {};  // as JSON, for a batch that is to be looked at
};

// How good a model is.
struct Judgement {
  Metrics metrics;
  std::string text;  // for people, on a line
  // By which models are chosen: the best is kept, and written to options.out. Nothing: the last is.
  std::optional<double> score = {};
  bool larger_is_better = true;
  std::vector<std::string> examples = {};  // what the model makes of some, a line each, for people
};

struct TrainResult;

class Objective {
 public:
  virtual ~Objective() = default;
  // The batch of the next step. Called once a step. `progress` is the share of the schedule that is
  // behind it, from 0 to below 1: what is asked of the model may change on the way.
  virtual Batch next(double progress) = 0;
  // Where it stands in its data, and what else next() and save() depend on, as text; restore() is
  // given it in a run that goes on, and next() gives the batches that would have followed.
  virtual std::string state() const { return ""; }
  virtual void restore(const std::string& /*state*/) {}
  // Epochs that are learned, and whether the last step ended one: models are judged then, unless
  // options.eval_steps says when.
  virtual double epoch() const { return 0; }
  virtual bool epoch_ended() const { return false; }
  // Judges the model as it stands; calls between_batches() now and then, which may throw. Nothing:
  // there is nothing to judge it on.
  virtual std::optional<Judgement> evaluate(const std::function<void()>& /*between_batches*/) {
    return {};
  }
  // Writes the model, the best one so far or the last, into a folder: options.out, where its users
  // look for it, or one in there, TrainResult::not_better.
  virtual void save(const std::filesystem::path& /*folder*/, const TrainResult& /*so_far*/) {}
  // Adds to a checkpoint's folder, beside model.safetensors, what makes it one that others open.
  virtual void save_beside(const std::filesystem::path& /*checkpoint*/) const {}
  // What only a scope can give a forward pass (attached adapters): returned, it lives until the
  // backward has run.
  virtual std::shared_ptr<void> around() const { return nullptr; }
};

// What stands between backward and the update.
struct BeforeUpdate {
  int64_t step;  // that is about to be made, from 1
  double loss;
  const Means& means;    // since the last line of the log, this step's too
  Optimizer& optimizer;  // its arena has the gradients
  const std::function<void(const std::string&)>& say;  // shows a line to people
};

struct TrainOptions {
  // For logs, checkpoints and models; empty: nothing is written.
  std::filesystem::path out = {};
  bool overwrite = false;
  // Also over a model that was better, judged on the same. Without it a worse one goes into
  // out/not-better, and that is said.
  bool overwrite_better = false;
  // Members of `settings`: two models that agree in them were judged on the same.
  std::vector<std::string> judged_on = {};
  // The model in `out` is the one that this run begins with: it is judged before the first step.
  bool begins_with_out = false;
  // Goes on from the newest whole checkpoint in `out`, or from step 0 where there is none;
  // `resume_from`: from that checkpoint, or the newest of that run.
  bool resume = false;
  std::filesystem::path resume_from = {};
  // All that the run depends on beside the parameters, as a JSON object: run.json. A run goes on
  // only with the same, but for the members named in `harmless`.
  std::string settings = "{}";
  std::vector<std::string> harmless = {};

  // So many parts of a batch go side by side, each on one thread, with gradients of its own that
  // are added in the order of the parts: less to wait for than with all threads in each op. The
  // same bits on any number of threads, though not those of another number of parts.
  int64_t data_parallel = 1;
  double max_grad_norm = 1;  // 0: gradients are not clipped
  uint64_t seed = 42;        // of what is drawn in a step
  // Ends the run: after so many minutes of training. Alone, the schedule follows the clock.
  double max_minutes = 0;
  bool schedule_by_clock = false;

  int64_t logging_steps = 10;
  int64_t eval_steps = 0;  // 0: at the end of each epoch; by the clock: parts of schedule.total
  int64_t patience = 0;    // evaluations without a better model before it stops; 0: never
  // Checkpoints: after so many steps, or minutes; 0: not for that. How many are kept. Those by
  // minutes go when the run has ended.
  int64_t save_steps = 0;
  double save_minutes = 10;
  int64_t save_total_limit = 2;
  enum class OnSaveError { stop, go_on };
  OnSaveError on_save_error = OnSaveError::stop;
  // How many steps whose loss or gradient is not finite are left out before it stops.
  int64_t skip_nonfinite = 0;

  std::string name = "train";  // of the progress line
  std::string about = "";      // said first, a line each
  bool quiet = false;
  double sgemm_rate = 0;  // GFLOP/s: the log tells which share of it was reached; 0: does not
  // In this order, before clipping.
  std::vector<std::function<void(const BeforeUpdate&)>> before_update = {};
  // The parameters that the loss does not reach, on purpose: patterns of names.
  std::vector<std::string> unreached_on_purpose = {};
};

// An Error that names the number that is out of its range.
void check_loop_ranges(const TrainOptions& options);

struct TrainResult {
  int64_t steps = 0, tokens = 0;
  double seconds = 0, eval_seconds = 0;  // of training; of evaluations
  Metrics last;                          // the means of the last line of the log
  Metrics metrics;                       // of the best model, or of the last one judged
  int64_t best_step = 0;                 // 0: nothing was judged by a score
  double best_score = 0;
  double sgemm_share = 0;
  int stopped_by = 0;         // the signal that ended it early
  bool complete = false;      // it came to its end: not stopped
  bool ended_before = false;  // it was resumed at its end: nothing was left to do
  int64_t skipped = 0;        // steps left out by skip_nonfinite
  // Where the model is, if options.out keeps a better one; empty: it is in options.out.
  std::filesystem::path not_better = {};
  // A mean of the last line of the log, as "loss"; NaN where it has none of that name.
  double mean(const std::string& name) const;
};

// Errors: a number out of its range; an output folder that is not empty, or another run's; settings
// that differ from those of the run to be resumed; a parameter that the first loss does not reach;
// a loss or gradient that is not finite (exit code 1).
TrainResult train(const ParameterList& parameters, Optimizer& optimizer, const Schedule& schedule,
                  Objective& objective, const TrainOptions& options = {});

// A loss of the step's number, from 0.
TrainResult train(const ParameterList& parameters, Optimizer& optimizer, const Schedule& schedule,
                  const std::function<Tensor(int64_t step)>& loss,
                  const TrainOptions& options = {});

}  // namespace gradus
