#include "gradus/train/batches.h"

#include <algorithm>
#include <numeric>

#include "gradus/base/random.h"

namespace gradus {

TaskBatch::TaskBatch(const TaskSet& set, std::span<const int64_t> units, int64_t max_tokens) {
  int64_t number = 0;  // of sequences
  size_t begin = 0;    // of the units of the part that is filled
  const auto finish = [&](size_t end) {
    parts.back().targets = set.targets(units.subspan(begin, end - begin));
    // unit by unit, so that the sum does not depend on where the batch is cut
    for (const double each : parts.back().targets.weights) weight += each;
    begin = end;
  };
  for (size_t u = 0; u < units.size(); ++u) {
    const std::vector<Sequence> sequences = set.sequences(units[u]);
    int64_t tokens = 0;
    for (const Sequence& sequence : sequences) tokens += static_cast<int64_t>(sequence.ids.size());
    if (u == 0 || parts.back().tokens.size() + tokens > max_tokens) {
      if (u > 0) finish(u);
      parts.emplace_back().first = number;
    }
    BatchPart& part = parts.back();
    for (const Sequence& sequence : sequences) {
      part.tokens.add(sequence.ids, sequence.types);
      part.units.push_back(units[u]);
      ++number;
    }
  }
  if (!parts.empty()) finish(units.size());
}

UnitOrder::UnitOrder(int64_t size, int64_t count, bool shuffle, uint64_t seed)
    : units_(static_cast<size_t>(size)), shuffle_(shuffle), seed_(seed) {
  std::iota(units_.begin(), units_.end(), 0);
  if (shuffle_ && count < size) Random(seed_, ~uint64_t{0}).shuffle(units_);
  units_.resize(static_cast<size_t>(count));
  begin_epoch();
}

std::span<const int64_t> UnitOrder::next(int64_t count) {
  if (at_end_of_epoch()) ++epoch_, begin_epoch();
  const size_t begin = at_;
  at_ = std::min(at_ + static_cast<size_t>(count), units_.size());
  return std::span(units_).subspan(begin, at_ - begin);
}

void UnitOrder::go_to(int64_t epoch, int64_t at) {
  epoch_ = static_cast<uint64_t>(epoch);
  begin_epoch();
  at_ = std::min(static_cast<size_t>(at), units_.size());
}

void UnitOrder::begin_epoch() {
  at_ = 0;
  if (!shuffle_) return;
  // so that the order does not depend on the epochs before
  std::sort(units_.begin(), units_.end());
  Random(seed_, epoch_).shuffle(units_);
}

}  // namespace gradus
