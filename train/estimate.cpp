#include "gradus/train/estimate.h"

#include <algorithm>
#include <cmath>

#include "gradus/autograd/memory.h"
#include "gradus/autograd/observer.h"
#include "gradus/train/measure.h"
#include "gradus/train/progress.h"

namespace gradus {
namespace {

constexpr double seconds_a_phase = 1;  // of timed steps, at least two of them

double live_bytes() { return static_cast<double>(memory_statistics().live); }

struct Timing {  // of a step
  double seconds = 0, tokens = 0, flop = 0;
};

// Steps at one place of the schedule, timed from batch to batch; the first is to warm up.
class Probe : public Objective {
 public:
  Probe(const BertForPreTraining& model, Curriculum& curriculum, double progress,
        int64_t accumulation, const MaskedLMTeacher* teacher)
      : model_(model),
        curriculum_(curriculum),
        progress_(progress),
        accumulation_(accumulation),
        teacher_(teacher) {}
  Batch next(double /*progress*/) override {
    if (step_++ == 1) first_ = seconds_now();
    Batch batch = training_batch(
        model_, std::make_shared<const PretrainingBatch>(curriculum_.next(progress_)),
        accumulation_, teacher_);
    if (step_ > 1) sum_.tokens += static_cast<double>(batch.tokens), sum_.flop += batch.flop;
    return batch;
  }
  Timing a_step() const {
    const auto steps = static_cast<double>(step_ - 1);
    return {(seconds_now() - first_) / steps, sum_.tokens / steps, sum_.flop / steps};
  }

 private:
  const BertForPreTraining& model_;
  Curriculum& curriculum_;
  double progress_;
  int64_t accumulation_, step_ = 0;
  const MaskedLMTeacher* teacher_;
  double first_ = 0;
  Timing sum_;
};

std::string megabytes(double bytes) {
  return bytes < 1e9 ? fmt::format("{:.0f} MB", bytes / 1e6)
                     : fmt::format("{:.2f} GB", bytes / 1e9);
}

}  // namespace

std::string Estimate::to_text() const {
  return fmt::format(
      "{:.2f} M parameters, {:.2f} MFLOP a token; memory {}: parameters {}, gradients {}, "
      "optimizer "
      "{}, activations {}; corpus {}, mapped\n"
      "{:.0f} tokens/s on this machine: {:.0f} steps, {:.1f} M tokens in {}, evaluations {}",
      static_cast<double>(parameters) / 1e6, flop_per_token / 1e6, megabytes(memory.total()),
      megabytes(memory.parameters), megabytes(memory.gradients), megabytes(memory.optimizer),
      megabytes(memory.activations), megabytes(memory.corpus), tokens_per_second, steps,
      tokens / 1e6, format_duration(seconds), format_duration(eval_seconds));
}

Estimate estimate(const BertForPreTraining& model, const CorpusFile& corpus,
                  const CurriculumOptions& options, const InstanceSource* held_out,
                  const Plan& plan, MaskedLMTeacher* teacher) {
  Estimate result;
  const double before = live_bytes();
  BertForPreTraining copy = clone(model);
  const std::vector<Parameter> list = parameters(copy);
  result.parameters = count_parameters(list);
  result.memory.parameters = live_bytes() - before;
  std::vector<Parameter> learned = list;
  if (teacher)
    for (const Parameter& p : teacher->learned()) learned.push_back(p);
  const auto optimizer = make_optimizer(plan.optimizer, learned, plan.settings);
  // its arena holds a gradient for each parameter that is trained, and its own numbers
  const double gradients = 4 * static_cast<double>(optimizer->arena().size());
  result.memory.optimizer = live_bytes() - before - result.memory.parameters - gradients;
  result.memory.gradients = gradients * static_cast<double>(plan.data_parallel);
  const double at_rest = live_bytes() + result.memory.gradients - gradients;
  result.memory.corpus = static_cast<double>(std::filesystem::file_size(corpus.path()));

  Curriculum stream(corpus, options);
  const auto timed = [&](double progress, int64_t steps) {
    Probe probe(copy, stream, progress, plan.gradient_accumulation_steps * plan.data_parallel,
                teacher);
    train(learned, *optimizer, {Schedule::Shape::constant, 0, 0, steps + 1}, probe,
          {.data_parallel = plan.data_parallel, .seed = options.seed, .quiet = true});
    return probe.a_step();
  };
  reset_memory_peak();
  Timing step;  // on average over the run
  double begin = 0;
  for (const Phase& phase : stream.phases()) {
    const double progress = begin + phase.share / 2;
    Timing here = timed(progress, 2);
    if (2 * here.seconds < seconds_a_phase)
      here = timed(progress, std::llround(seconds_a_phase / here.seconds));
    step.seconds += phase.share * here.seconds;
    step.tokens += phase.share * here.tokens;
    step.flop += phase.share * here.flop;
    begin += phase.share;
  }
  result.memory.activations = static_cast<double>(memory_statistics().peak) - at_rest;
  result.flop_per_token = step.flop / step.tokens;
  result.tokens_per_second = step.tokens / step.seconds;
  const double limit = plan.max_minutes > 0 ? plan.max_minutes * 60 / step.seconds : HUGE_VAL;
  result.steps = plan.by_clock ? limit : std::min(limit, static_cast<double>(plan.schedule.total));
  result.tokens = result.steps * step.tokens;
  result.seconds = result.steps * step.seconds;
  if (held_out && plan.evaluations > 0) {
    const int64_t all = held_out->size(0),
                  wanted = plan.eval_instances > 0 ? std::min(plan.eval_instances, all) : all,
                  some = std::min<int64_t>(wanted, 128);
    const double start = seconds_now();
    evaluate(copy, *held_out, some);
    result.eval_seconds = (seconds_now() - start) / static_cast<double>(some) *
                          static_cast<double>(wanted * plan.evaluations);
  }
  return result;
}

}  // namespace gradus
