// A batch of pretraining instances as the model takes it: all tokens one under the other, what is
// predicted where, and micro-batches that add up to it.
#pragma once

#include <functional>
#include <optional>

#include "gradus/data/instances.h"
#include "gradus/models/bert.h"
#include "gradus/train/distillation.h"
#include "gradus/train/loop.h"

namespace gradus {

struct PretrainingBatch {
  std::vector<Instance> instances;

  // Instances [begin, end) as one forward pass. The losses are divided by the counts of the whole
  // batch, and dropout counts sequences from its start, so the gradients of the parts add up to the
  // gradient of the whole.
  struct Part {
    BertInput input;
    PretrainingTargets targets;
  };
  Part part(const BertConfig& config, size_t begin, size_t end) const;
  // Its instances cut into at most `count` pieces of about equal size: [begin, end) of each.
  std::vector<std::pair<size_t, size_t>> splits(int64_t count) const;
  std::string to_json() const;  // for one that is to be looked at

  int64_t tokens() const;
  int64_t predicted() const;  // masked tokens
  int64_t pairs() const;      // instances with a next-sentence label
};

// Instances in the order of the epochs: where a run stands in its data.
class InstanceStream {
 public:
  InstanceStream(const InstanceSource& source, int64_t epoch = 0, int64_t index = 0)
      : source_(&source), epoch_(epoch), index_(index) {}
  // Goes on into the next epoch where one ends. masked_lm_prob: in place of the source's.
  PretrainingBatch next(int64_t count, std::optional<double> masked_lm_prob = {});
  int64_t epoch() const { return epoch_; }
  int64_t index() const { return index_; }

 private:
  const InstanceSource* source_;
  int64_t epoch_, index_;
};

// The batch as a step of the loop takes it, in at most `accumulation` forward passes. The model
// must stay where it is as long as the batch is used, and so must the teacher, if there is one.
Batch training_batch(const BertForPreTraining& model,
                     const std::shared_ptr<const PretrainingBatch>& batch, int64_t accumulation,
                     const MaskedLMTeacher* teacher = nullptr);

struct PretrainingMetrics {
  double masked_loss = 0, masked_accuracy = 0, next_loss = 0,
         next_accuracy = 0;  // means by predicted token, and by pair; NaN where there is none
  int64_t predicted = 0, pairs = 0;
  double perplexity() const;
};

// The first `limit` instances of a source (all for 0), without dropout, always with the same masks.
PretrainingMetrics evaluate(const BertForPreTraining& model, const InstanceSource& source,
                            int64_t limit, const std::function<void()>& between_batches = {},
                            int64_t batch_size = 64);

}  // namespace gradus
