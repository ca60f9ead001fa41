// What pretraining and fine-tuning are both asked: how long, at which rate, by which optimizer. The
// options of each kind of run begin with these, and those of the loop.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "gradus/kernels/gemm.h"
#include "gradus/optim/registry.h"
#include "gradus/train/loop.h"

namespace gradus {

struct LearningOptions : TrainOptions {
  int64_t batch_size = 32;
  int64_t max_steps = 0;  // 0: by epochs
  double epochs = 1;
  double learning_rate = 1e-4;
  double warmup = 0.1;  // below 1: a share of the steps
  double weight_decay = 0.01;
  std::optional<double> adam_beta2 = {};  // otherwise the optimizer's own
  std::string schedule = "linear", optimizer = "adamw";
  std::optional<double> dropout = {};        // everywhere; otherwise the configuration's
  std::string matmul_precision = "highest";  // kernels/gemm.h
};

// An Error that names the option whose number is out of its range, or whose name is unknown.
void check_learning(const LearningOptions& options);

// Over max_steps, or over the epochs of `steps_an_epoch`; at least one step.
Schedule schedule_of(const LearningOptions& options, double steps_an_epoch);

OptimizerSettings optimizer_settings(const LearningOptions& options);

MatmulPrecision matmul_precision(const LearningOptions& options);
// "; products in bf16 (medium, amx)", or that there is no unit for them; nothing at full precision.
std::string describe_precision(const LearningOptions& options);

// Their part of run.json, under the names of the command line.
void add_settings(nlohmann::ordered_json& settings, const LearningOptions& options,
                  const Schedule& schedule);
// On what it runs: at full precision changes no bit of a result.
void add_machine(nlohmann::ordered_json& settings);
inline const std::vector<std::string> machine_settings = {"threads", "blas_core", "kernels",
                                                          "matmul_unit"};

}  // namespace gradus
