// How the examples of a TaskSet are put into batches: in which order, and cut to what memory
// allows.
#pragma once

#include "gradus/tasks/task.h"

namespace gradus {

// Some units of a batch: what is read and what is right.
struct BatchPart {
  TokenBatch tokens;  // of their sequences
  int64_t first = 0;  // the number of the first of these in the batch
  Targets targets;
  std::vector<int64_t> units;  // of each sequence the number of its unit, for people
};

// A batch in parts of at most max_tokens tokens; a unit longer than that is a part by itself. The
// gradients of their losses, divided by the weight of the whole, add up to the batch's.
struct TaskBatch {
  std::vector<BatchPart> parts;
  double weight = 0;
  TaskBatch(const TaskSet& set, std::span<const int64_t> units, int64_t max_tokens);
};

// Units in the order in which they are learned, an epoch after the other: `count` of `size`, drawn
// once, or the file's first ones where nothing is shuffled. An epoch's order is a function of
// (seed, epoch).
class UnitOrder {
 public:
  UnitOrder(int64_t size, int64_t count, bool shuffle, uint64_t seed);
  std::span<const int64_t> next(int64_t count);  // fewer at the end of an epoch
  bool at_end_of_epoch() const { return at_ == units_.size(); }
  int64_t epoch() const { return static_cast<int64_t>(epoch_); }
  int64_t at() const { return static_cast<int64_t>(at_); }              // units taken of this epoch
  int64_t size() const { return static_cast<int64_t>(units_.size()); }  // of an epoch
  void go_to(int64_t epoch, int64_t at);

 private:
  void begin_epoch();
  std::vector<int64_t> units_;
  bool shuffle_;
  uint64_t seed_, epoch_ = 0;
  size_t at_ = 0;
};

}  // namespace gradus
