// What a pretraining run learns from, from its beginning to its end: instances of a corpus, whose
// length, number a step and share of masked tokens may change on the way.
//
// The work of a step stays the same when the length changes: where instances are half as long as
// instances.max_seq_length, a step has twice as many. A phase goes on where the one before it
// ended: in the epoch that follows.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "gradus/train/pretraining_batch.h"

namespace gradus {

struct Phase {
  int64_t max_seq_length;
  double share;  // of the run; of all phases together 1
};

struct CurriculumOptions {
  InstanceOptions instances = {};
  int64_t batch_size = 32;         // instances a step, of instances.max_seq_length tokens
  std::vector<Phase> phases = {};  // none: the whole run is one of instances.max_seq_length
  // In a straight line from what holds in the beginning to these in the end; none: that stays.
  std::optional<int64_t> final_batch_size = {};
  std::optional<double> final_masked_lm_prob = {};
  uint64_t seed = 0;
};

class Curriculum {
 public:
  // `corpus` must outlive it. Errors: a number out of its range, shares that do not add up to 1.
  Curriculum(const CorpusFile& corpus, const CurriculumOptions& options);

  // The batch of a step; `progress` (from 0 to below 1) never falls.
  PretrainingBatch next(double progress);

  // Where it stands, as text; restore() is given it.
  std::string state() const;
  void restore(const std::string& state);

  double epoch() const;  // how often the corpus was seen
  double steps_an_epoch() const;
  const InstanceSource& first() const { return sources_.front(); }
  const std::vector<Phase>& phases() const { return o_.phases; }  // at least one

 private:
  double batch_size(double progress) const;
  int64_t instances_a_step(double batch_size, size_t phase) const;
  size_t phase_at(double progress) const;

  CurriculumOptions o_;
  std::deque<InstanceSource> sources_;  // of each phase
  size_t phase_ = 0;
  double epochs_before_ = 0;  // this phase, which began with this epoch of its source
  int64_t first_epoch_ = 0;
  std::optional<InstanceStream> stream_;
};

}  // namespace gradus
