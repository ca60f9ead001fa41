#include "gradus/train/loop.h"

#include <span>

#include "gradus/autograd/engine.h"
#include "gradus/autograd/leaf_gradients.h"
#include "gradus/autograd/modes.h"
#include "gradus/autograd/observer.h"
#include "gradus/autograd/random.h"
#include "gradus/base/parallel.h"
#include "gradus/nn/audit.h"
#include "gradus/train/progress.h"
#include "gradus/train/run.h"
#include "gradus/train/stop_signals.h"

namespace gradus {
namespace {

using Json = nlohmann::ordered_json;

struct Stopped {};  // a signal came during an evaluation

class Loop : RunSetup {
 public:
  explicit Loop(const RunSetup& setup) : RunSetup(setup), run_(setup), now_(run_.now()) {}
  TrainResult train();

 private:
  bool step();
  Tensors learn_from_parts(const Batch& batch);
  void update(double loss);
  void log();
  void judge();
  std::optional<Judgement> evaluate();
  int64_t place() const;
  bool evaluation_is_due();
  bool out_of_patience() const;

  // What came of a part of a batch.
  struct Lane {
    LeafGradients gradients;  // of the first: none, they are the leaves' own
    Means means;
    double loss = 0;
    Tensors reached;
  };
  std::vector<Lane> lanes_;
  Run run_;        // its folder, log and checkpoints
  RunState& now_;  // where it stands
  StopSignals signals_;
};

// The step of the schedule.
int64_t Loop::place() const {
  if (!o_.schedule_by_clock) return now_.result.steps;
  const auto total = static_cast<double>(schedule_.total);
  return std::min(schedule_.total - 1,
                  static_cast<int64_t>(now_.result.seconds / (o_.max_minutes * 60) * total));
}

bool Loop::out_of_patience() const { return o_.patience > 0 && now_.worse >= o_.patience; }

bool Loop::evaluation_is_due() {
  if (o_.eval_steps == 0) return objective_.epoch_ended();
  const int64_t due = place() / o_.eval_steps;
  return due > std::exchange(now_.evaluations_due, due);
}

// Forward and backward of the next parts of the batch, as many as go together; the leaves that they
// reached. The first adds to the gradients, the others into some of their own that are added after
// it, in their order: which thread had which part, and when, changes no bit.
Tensors Loop::learn_from_parts(const Batch& batch) {
  const auto begin = static_cast<size_t>(now_.parts_done),
             count = std::min(batch.parts.size() - begin, static_cast<size_t>(o_.data_parallel));
  if (lanes_.size() < count) lanes_.resize(count);
  const Modes modes = current_modes();
  const auto learn = [&](int64_t i) {
    Lane& lane = lanes_[static_cast<size_t>(i)];
    const ModesScope same_modes(modes);
    const Training training;
    const FirstOrderOnly first_order;
    const std::shared_ptr<void> around = objective_.around();
    const RandomScope random(o_.seed, static_cast<uint64_t>(now_.result.steps));
    const Tensor loss = batch.parts[begin + static_cast<size_t>(i)](lane.means);
    lane.reached = backward(loss, {.into = i == 0 ? nullptr : &lane.gradients}).reached;
    lane.loss = loss.item();
  };
  const auto lanes = static_cast<int64_t>(count);
  // what is around one part is around all of the model; observers hear of this thread alone
  if (lanes > 1 && observers().empty() && !objective_.around())
    parallel_for(lanes, 1, [&](int64_t i, int64_t) { learn(i); });
  else
    for (int64_t i = 0; i < lanes; ++i) learn(i);
  Tensors reached;
  for (Lane& lane : std::span(lanes_).first(count)) {
    lane.gradients.add_to_leaves();
    now_.loss += lane.loss;
    now_.means.add(std::exchange(lane.means, {}));
    reached.insert(reached.end(), lane.reached.begin(), lane.reached.end());
    lane.reached.clear();
  }
  now_.parts_done += lanes;
  return reached;
}

// One update, or as far as it came when a signal asked to stop: false.
bool Loop::step() {
  const double start = seconds_now();
  const auto spend = [&, before = now_.result.seconds] {
    now_.result.seconds = before + seconds_now() - start;
  };
  optimizer_.set_learning_rate(schedule_.at(place()));
  now_.objective = objective_.state();  // for a checkpoint in the middle of this step
  const Batch batch =
      objective_.next(static_cast<double>(place()) / static_cast<double>(schedule_.total));
  const auto parts = static_cast<int64_t>(batch.parts.size());
  Tensors reached;
  const bool first = now_.result.steps == 0 && now_.parts_done == 0;
  while (now_.parts_done < parts) {
    const Tensors now = learn_from_parts(batch);
    if (first) reached.insert(reached.end(), now.begin(), now.end());
    if (now_.parts_done < parts && signals_.asked()) return spend(), false;
  }
  if (first && parts > 0) audit(parameters_, reached, o_.unreached_on_purpose);
  try {
    if (parts > 0) update(now_.loss);
  } catch (const NotFinite& error) {
    run_.not_finite(batch, error);  // an Error, unless the step may be left out
  }
  now_.loss = 0;
  now_.parts_done = 0;
  ++now_.result.steps;
  now_.result.tokens += batch.tokens;
  now_.tokens += batch.tokens;
  now_.flop += batch.flop;
  spend();
  now_.seconds += seconds_now() - start;
  return true;
}

void Loop::update(double loss) {
  optimizer_.require_finite(loss);
  const std::function<void(const std::string&)> say = [&](const std::string& line) {
    run_.say(line);
  };
  for (const auto& hook : o_.before_update)
    hook({now_.result.steps + 1, loss, now_.means, optimizer_, say});
  const double norm = optimizer_.step(o_.max_grad_norm);
  now_.means.add("loss", loss);
  now_.means.add("grad_norm", norm);
}

void Loop::log() {
  TrainResult& result = now_.result;
  const double rate = static_cast<double>(now_.tokens) / now_.seconds;
  if (o_.sgemm_rate > 0) result.sgemm_share = now_.flop / now_.seconds / 1e9 / o_.sgemm_rate;
  run_.show(fmt::format(
      "loss {:.4f}  lr {:.2e}  {:.0f} tokens/s{}", now_.means["loss"], optimizer_.learning_rate(),
      rate, o_.sgemm_rate > 0 ? fmt::format("  share {:.2f}", result.sgemm_share) : ""));
  if (result.steps % o_.logging_steps != 0 && !run_.at_its_end()) return;
  Json line{{"step", result.steps}, {"tokens", result.tokens}, {"epoch", objective_.epoch()}};
  result.last = now_.means.all();
  for (const auto& [name, mean] : result.last) line[name] = mean;
  line["learning_rate"] = optimizer_.learning_rate();
  line["tokens_per_second"] = rate;
  if (o_.sgemm_rate > 0) line["sgemm_share"] = result.sgemm_share;
  run_.write(line);
  now_.means.clear();
  now_.tokens = 0;
  now_.seconds = now_.flop = 0;
}

std::optional<Judgement> Loop::evaluate() {
  const double start = seconds_now();
  std::optional<Judgement> judgement = objective_.evaluate([&] {
    if (signals_.asked()) throw Stopped();
  });
  now_.result.eval_seconds += seconds_now() - start;
  return judgement;
}

// Keeps the model if it is the best so far, or if nothing says which is better.
void Loop::judge() {
  TrainResult& result = now_.result;
  const std::optional<Judgement> judgement = evaluate();
  now_.evaluation_due = false;
  if (!judgement) return run_.save(judgement);
  Json line{{"step", result.steps}, {"tokens", result.tokens}, {"epoch", objective_.epoch()}};
  for (const auto& [name, value] : judgement->metrics) line["eval_" + name] = value;
  if (!judgement->examples.empty()) line["examples"] = judgement->examples;
  run_.write(line);
  const auto& score = judgement->score;
  const bool better =
      !score || result.best_step == 0 ||
      (judgement->larger_is_better ? *score > result.best_score : *score < result.best_score);
  std::string examples;
  for (const std::string& example : judgement->examples) examples += "\n    " + example;
  run_.say(fmt::format("step {:>6}  {}{}{}", result.steps, judgement->text,
                       score && better ? "  (best so far)" : "", examples));
  now_.worse = better ? 0 : now_.worse + 1;
  if (!better) return;
  result.metrics = judgement->metrics;
  if (score) {
    result.best_score = *score;
    result.best_step = result.steps;
  }
  now_.evaluation_line = line;
  run_.save(judgement);
}

TrainResult Loop::train() {
  if (now_.result.ended_before) return now_.result;
  try {
    if (run_.begins_unjudged())
      if (const auto judgement = evaluate()) run_.begin_with(*judgement);
    while (!signals_.asked()) {
      if (now_.evaluation_due) judge();
      if (run_.checkpoint_is_due()) run_.checkpoint();
      if (run_.at_its_end() || out_of_patience()) break;
      if (!step()) break;
      log();
      now_.evaluation_due = evaluation_is_due() || run_.at_its_end();
    }
  } catch (const Stopped&) {  // the evaluation is due still
  }
  TrainResult& result = now_.result;
  result.complete =
      (run_.at_its_end() || out_of_patience()) && !now_.evaluation_due && now_.parts_done == 0;
  if (result.complete && !run_.at_its_end())
    run_.say(fmt::format("stopped after step {}: no better model in {} evaluations", result.steps,
                         now_.worse));
  result.stopped_by = result.complete ? 0 : signals_.asked();
  run_.end();
  return result;
}

struct StepLoss : Objective {
  const std::function<Tensor(int64_t)>& loss;
  int64_t step = 0;
  explicit StepLoss(const std::function<Tensor(int64_t)>& loss) : loss(loss) {}
  Batch next(double /*progress*/) override {
    return {.parts = {[this, at = step++](Means&) { return loss(at); }}};
  }
  std::string state() const override { return std::to_string(step); }
  void restore(const std::string& state) override {
    step = count_of({{"step", parse_ordered_json(state)}}, "step");
  }
};

}  // namespace

TrainResult train(const ParameterList& parameters, Optimizer& optimizer, const Schedule& schedule,
                  Objective& objective, const TrainOptions& options) {
  return Loop({parameters, optimizer, schedule, objective, options}).train();
}

TrainResult train(const ParameterList& parameters, Optimizer& optimizer, const Schedule& schedule,
                  const std::function<Tensor(int64_t step)>& loss, const TrainOptions& options) {
  StepLoss objective(loss);
  return train(parameters, optimizer, schedule, objective, options);
}

}  // namespace gradus
