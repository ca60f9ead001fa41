#include "gradus/train/curriculum.h"

#include <algorithm>
#include <cmath>

#include "gradus/base/json.h"
#include "gradus/base/range.h"

namespace gradus {

Curriculum::Curriculum(const CorpusFile& corpus, const CurriculumOptions& options) : o_(options) {
  check_count("options.batch_size", o_.batch_size, 1);
  if (o_.final_batch_size) check_count("options.batch_size", *o_.final_batch_size, 1);
  check_range("options.masked_lm_prob", o_.final_masked_lm_prob, {.above = 0, .below = 1});
  if (o_.phases.empty()) o_.phases = {{o_.instances.max_seq_length, 1}};
  double shares = 0;
  for (const Phase& phase : o_.phases) {
    check_range("options.phases, a share", phase.share, {.above = 0});
    check_count("options.phases, a length", phase.max_seq_length, 1);
    shares += phase.share;
    InstanceOptions instances = o_.instances;
    instances.max_seq_length = static_cast<int>(phase.max_seq_length);
    sources_.emplace_back(corpus, Split::train, instances, o_.seed);
  }
  check(std::abs(shares - 1) < 1e-6, "options.phases: their shares add up to {}, which must be 1",
        shares);
  stream_.emplace(sources_[0]);
}

size_t Curriculum::phase_at(double progress) const {
  size_t phase = 0;
  for (double end = o_.phases[0].share; progress >= end && phase + 1 < o_.phases.size();)
    end += o_.phases[++phase].share;
  return phase;
}

double Curriculum::batch_size(double progress) const {
  return std::lerp(static_cast<double>(o_.batch_size),
                   static_cast<double>(o_.final_batch_size.value_or(o_.batch_size)), progress);
}

int64_t Curriculum::instances_a_step(double batch_size, size_t phase) const {
  const auto length = static_cast<double>(o_.phases[phase].max_seq_length);
  return std::max<int64_t>(1, std::llround(batch_size * o_.instances.max_seq_length / length));
}

PretrainingBatch Curriculum::next(double progress) {
  if (const size_t phase = phase_at(progress); phase != phase_) {
    epochs_before_ = epoch();
    first_epoch_ = stream_->epoch() + 1;
    stream_.emplace(sources_[phase_ = phase], first_epoch_);
  }
  std::optional<double> masked;
  if (o_.final_masked_lm_prob)
    masked = std::lerp(o_.instances.masked_lm_prob, *o_.final_masked_lm_prob, progress);
  return stream_->next(instances_a_step(batch_size(progress), phase_), masked);
}

double Curriculum::epoch() const {
  const auto in_epoch = static_cast<double>(stream_->index()) /
                        static_cast<double>(sources_[phase_].size(stream_->epoch()));
  return epochs_before_ + static_cast<double>(stream_->epoch() - first_epoch_) + in_epoch;
}

double Curriculum::steps_an_epoch() const {
  double epochs_a_step = 0;
  for (size_t p = 0; p < o_.phases.size(); ++p)
    epochs_a_step += o_.phases[p].share *
                     static_cast<double>(instances_a_step(batch_size(0.5), p)) /
                     static_cast<double>(sources_[p].size(0));
  return 1 / epochs_a_step;
}

std::string Curriculum::state() const {
  return nlohmann::ordered_json{{"phase", phase_},
                                {"epochs_before", epochs_before_},
                                {"first_epoch", first_epoch_},
                                {"epoch", stream_->epoch()},
                                {"index", stream_->index()}}
      .dump();
}

void Curriculum::restore(const std::string& state) {
  const auto json = parse_ordered_json(state);
  const int64_t phase = count_of(json, "phase");
  check(phase < static_cast<int64_t>(sources_.size()), "a run's state names phase {} of {}", phase,
        sources_.size());
  phase_ = static_cast<size_t>(phase);
  epochs_before_ = json.at("epochs_before").get<double>();
  first_epoch_ = count_of(json, "first_epoch");
  stream_.emplace(sources_[phase_], count_of(json, "epoch"), count_of(json, "index"));
}

}  // namespace gradus
