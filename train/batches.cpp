#include "gradus/train/batches.h"

#include <algorithm>
#include <numeric>

#include "gradus/base/random.h"

namespace gradus {

std::vector<BatchPart> parts_of(const TaskSet& set, std::span<const int64_t> units,
                                int64_t max_tokens) {
  std::vector<BatchPart> parts(1);
  int64_t number = 0;
  for (const int64_t unit : units) {
    const std::vector<Sequence> sequences = set.sequences(unit);
    int64_t tokens = 0;
    for (const Sequence& sequence : sequences) tokens += static_cast<int64_t>(sequence.ids.size());
    if (!parts.back().units.empty() && parts.back().tokens.size() + tokens > max_tokens)
      parts.emplace_back().first = number;
    BatchPart& part = parts.back();
    part.units.push_back(unit);
    for (const Sequence& sequence : sequences)
      part.tokens.add(sequence.ids, sequence.types), ++number;
  }
  return parts;
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
