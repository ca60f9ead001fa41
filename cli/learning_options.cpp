#include "gradus/cli/learning_options.h"

#include <fmt/ranges.h>

#include "gradus/base/memory_limit.h"

namespace gradus::cli {

void add_learning_options(Verb& verb, LearningOptions& o) {
  verb.option("--learning-rate", o.learning_rate);
  verb.option("--warmup-steps", o.warmup, "below 1: a share of the steps");
  verb.option("--schedule", o.schedule, "linear constant cosine google");
  verb.option("--optimizer", o.optimizer, fmt::format("{}", fmt::join(optimizer_names(), " ")));
  verb.option("--weight-decay", o.weight_decay).hidden();
  verb.option("--adam-beta2", o.adam_beta2, "default: the optimizer's").hidden();
  verb.option("--max-grad-norm", o.max_grad_norm).hidden();
  verb.option("--matmul-precision", o.matmul_precision, "highest high medium (bf16 where AMX is)")
      .hidden();
  verb.option("--dropout", o.dropout, "default: the configuration's");
  verb.option("--seed", o.seed);
}

void add_distillation_options(Verb& verb, DistillationOptions& o) {
  verb.option("--teacher", o.teacher, "a larger model to learn from, of the same vocabulary");
  verb.option("--teacher-weight", o.weight, "of its logits").hidden();
  verb.option("--teacher-hidden", o.hidden, "of its hidden states").hidden();
  verb.option("--teacher-temperature", o.temperature, "of pretraining's logits").hidden();
}

std::function<void()> add_run_options(Verb& verb, LearningOptions& o) {
  struct Given {
    std::string resume, on_save_error = "stop", memory;
  };
  const auto given = std::make_shared<Given>();
  verb.heading("Keeping (docs/reliability.md)");
  const Option resume =
      verb.option("--resume", given->resume, "go on: from --out, or that checkpoint").count(0, 1);
  verb.flag("--overwrite-better", o.overwrite_better, "even a model that is better on the same")
      .hidden();
  verb.option("--save-steps", o.save_steps, "a checkpoint every so many steps, kept in the end");
  verb.option("--save-minutes", o.save_minutes, "and every so many minutes; 0: none").hidden();
  verb.option("--save-total-limit", o.save_total_limit, "checkpoints that are kept").hidden();
  verb.option("--on-save-error", given->on_save_error, "stop or go-on, when the disk is full")
      .one_of({"stop", "go-on"})
      .hidden();
  verb.option("--skip-nonfinite", o.skip_nonfinite, "steps that may be left out").hidden();
  verb.option("--logging-steps", o.logging_steps).hidden();
  verb.option("--memory-limit", given->memory, "that may be taken, as 4G").hidden();
  return [given, resume, &o] {
    if (!given->memory.empty()) limit_memory("--memory-limit", given->memory);
    o.resume = resume.given();
    o.resume_from = given->resume;
    if (given->on_save_error == "go-on") o.on_save_error = TrainOptions::OnSaveError::go_on;
  };
}

std::string place_of_model(const TrainResult& result, const std::filesystem::path& out) {
  if (result.not_better.empty()) return "is in " + out.string();
  return fmt::format(
      "is in {}, for {} holds one that is better on the same; --overwrite-better replaces it",
      result.not_better.string(), out.string());
}

void end_if_stopped(const TrainResult& result, const std::filesystem::path& out) {
  end_if_stopped(result.stopped_by,
                 fmt::format("step {}; it is saved in {}, and goes on with --resume", result.steps,
                             out.string()));
}

}  // namespace gradus::cli
