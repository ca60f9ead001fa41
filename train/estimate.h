// What a pretraining run will take, found out by running a few of its steps on a copy of its model:
// numbers of this machine, as it is now.
#pragma once

#include <string>

#include "gradus/optim/registry.h"
#include "gradus/optim/schedule.h"
#include "gradus/train/curriculum.h"
#include "gradus/train/distillation.h"

namespace gradus {

struct Estimate {
  int64_t parameters = 0;
  double flop_per_token = 0;  // forward and backward
  // Bytes. Gradients: of each part that goes side by side. Activations: the most that a step holds
  // beside the others. The corpus is mapped: what of it is resident, the system decides.
  struct Memory {
    double parameters = 0, gradients = 0, optimizer = 0, activations = 0, corpus = 0;
    double total() const { return parameters + gradients + optimizer + activations; }
  } memory;
  double tokens_per_second = 0;  // of training
  double steps = 0, tokens = 0;  // of the whole run
  double seconds = 0;            // of training
  double eval_seconds = 0;       // of all evaluations
  std::string to_text() const;   // for people, some lines
};

// The plan of a run, beside its data.
struct Plan {
  Schedule schedule;
  double max_minutes = 0;  // 0: no limit
  bool by_clock = false;
  int64_t gradient_accumulation_steps = 1, data_parallel = 1, evaluations = 0, eval_instances = 0;
  std::string optimizer = "adamw";
  OptimizerSettings settings = {};
};

// Runs at least two steps of each phase of the curriculum, some seconds in all where a step takes
// less; the model stays as it is, and so does a teacher. held_out, teacher: nullptr for none.
Estimate estimate(const BertForPreTraining& model, const CorpusFile& corpus,
                  const CurriculumOptions& curriculum, const InstanceSource* held_out,
                  const Plan& plan, MaskedLMTeacher* teacher = nullptr);

}  // namespace gradus
