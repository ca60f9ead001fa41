#include "gradus/train/learning.h"

#include <cmath>

#include "gradus/base/json.h"
#include "gradus/base/parallel.h"
#include "gradus/base/range.h"
#include "gradus/kernels/kernels.h"

namespace gradus {

void check_learning(const LearningOptions& o) {
  check_count("options.batch_size", o.batch_size, 1);
  check_count("options.max_steps", o.max_steps, 0);
  check_range("options.epochs", o.epochs, {.above = 0});
  check_range("options.learning_rate", o.learning_rate, {.at_least = 0});
  check_range("options.warmup_steps", o.warmup, {.at_least = 0});
  check_range("options.weight_decay", o.weight_decay, {.at_least = 0});
  check_range("options.adam_beta2", o.adam_beta2, {.at_least = 0, .below = 1});
  check_range("options.dropout", o.dropout, {.at_least = 0, .below = 1});
  check_loop_ranges(o);
  check_optimizer_name(o.optimizer);
  Schedule::shape_named(o.schedule);
  matmul_precision(o);
}

MatmulPrecision matmul_precision(const LearningOptions& o) {
  return matmul_precision_named("options.matmul_precision", o.matmul_precision);
}

std::string describe_precision(const LearningOptions& o) {
  if (matmul_precision(o) == MatmulPrecision::highest) return "";
  if (!matmul_unit())
    return fmt::format("; {} products asked for, but no unit for bf16: they stay f32",
                       o.matmul_precision);
  return fmt::format("; products in bf16 ({}, {})", o.matmul_precision, matmul_unit());
}

Schedule schedule_of(const LearningOptions& o, double steps_an_epoch) {
  Schedule schedule{Schedule::shape_named(o.schedule), o.learning_rate, 0, o.max_steps};
  if (o.max_steps == 0)
    schedule.total = std::max<int64_t>(1, std::llround(o.epochs * steps_an_epoch));
  const auto total = static_cast<double>(schedule.total);
  schedule.warmup = std::llround(o.warmup < 1 ? o.warmup * total : o.warmup);
  return schedule;
}

OptimizerSettings optimizer_settings(const LearningOptions& o) {
  return {o.learning_rate, o.weight_decay, o.adam_beta2};
}

void add_settings(nlohmann::ordered_json& settings, const LearningOptions& o,
                  const Schedule& schedule) {
  settings["batch_size"] = o.batch_size;
  settings["max_steps"] = schedule.total;
  settings["epochs"] = o.epochs;
  settings["max_minutes"] = o.max_minutes;
  settings["learning_rate"] = o.learning_rate;
  settings["lr_scheduler_type"] = o.schedule;
  settings["warmup_steps"] = schedule.warmup;
  settings["weight_decay"] = o.weight_decay;
  if (o.adam_beta2) settings["adam_beta2"] = *o.adam_beta2;
  settings["max_grad_norm"] = o.max_grad_norm;
  settings["optimizer"] = o.optimizer;
  if (o.data_parallel > 1) settings["data_parallel"] = o.data_parallel;
  if (o.matmul_precision != "highest") settings["matmul_precision"] = o.matmul_precision;
  settings["seed"] = o.seed;
}

void add_machine(nlohmann::ordered_json& settings) {
  settings["threads"] = thread_count();
  settings["blas_core"] = prepare_blas().core;
  settings["kernels"] = kernels<float>().level;
  if (matmul_precision() != MatmulPrecision::highest)
    settings["matmul_unit"] = matmul_unit() ? matmul_unit() : "none";
}

}  // namespace gradus
