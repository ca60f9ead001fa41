#include <algorithm>
#include <limits>

#include "gradus/train/loop.h"

namespace gradus {

void Means::add(const std::string& name, double sum, double count) {
  if (count == 0) return;
  const auto found =
      std::find_if(sums_.begin(), sums_.end(), [&](const Sum& s) { return s.name == name; });
  if (found == sums_.end()) {
    sums_.push_back({name, sum, count});
  } else {
    found->sum += sum;
    found->count += count;
  }
}

void Means::add(const Means& others) {
  for (const Sum& sum : others.sums_) add(sum.name, sum.sum, sum.count);
}

double Means::operator[](const std::string& name) const {
  for (const Sum& sum : sums_)
    if (sum.name == name) return sum.sum / sum.count;
  return std::numeric_limits<double>::quiet_NaN();
}

Metrics Means::all() const {
  Metrics metrics;
  for (const Sum& sum : sums_) metrics.emplace_back(sum.name, sum.sum / sum.count);
  return metrics;
}

double TrainResult::mean(const std::string& name) const {
  for (const auto& [own, value] : last)
    if (own == name) return value;
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace gradus
