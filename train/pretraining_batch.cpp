#include "gradus/train/pretraining_batch.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "gradus/base/json.h"
#include "gradus/base/parallel.h"
#include "gradus/train/measure.h"

namespace gradus {

PretrainingBatch::Part PretrainingBatch::part(const BertConfig& config, size_t begin,
                                              size_t end) const {
  TokenBatch tokens;
  PretrainingTargets targets;
  for (size_t i = begin; i < end; ++i) {
    const Instance& instance = instances[i];
    const auto start = static_cast<int32_t>(tokens.size());
    for (const int32_t position : instance.positions) targets.rows.push_back(start + position);
    targets.labels.insert(targets.labels.end(), instance.labels.begin(), instance.labels.end());
    if (instance.next_label >= 0) targets.next_labels.push_back(instance.next_label);
    tokens.add(instance.ids, instance.types);
  }
  targets.masked_denominator = static_cast<double>(predicted());
  targets.next_denominator = static_cast<double>(pairs());
  return {BertInput(config, tokens, static_cast<int64_t>(begin)), std::move(targets)};
}

std::vector<std::pair<size_t, size_t>> PretrainingBatch::splits(int64_t count) const {
  std::vector<std::pair<size_t, size_t>> result;
  const size_t each =
      (instances.size() + static_cast<size_t>(count) - 1) / static_cast<size_t>(count);
  for (size_t begin = 0; begin < instances.size(); begin += each)
    result.emplace_back(begin, std::min(begin + each, instances.size()));
  return result;
}

std::string PretrainingBatch::to_json() const {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const Instance& instance : instances)
    json.push_back({{"ids", instance.ids},
                    {"types", instance.types},
                    {"masked_positions", instance.positions},
                    {"masked_labels", instance.labels},
                    {"next_label", instance.next_label}});
  return json.dump(1) + "\n";
}

int64_t PretrainingBatch::tokens() const {
  int64_t count = 0;
  for (const Instance& instance : instances) count += static_cast<int64_t>(instance.ids.size());
  return count;
}
int64_t PretrainingBatch::predicted() const {
  int64_t count = 0;
  for (const Instance& instance : instances)
    count += static_cast<int64_t>(instance.positions.size());
  return count;
}
int64_t PretrainingBatch::pairs() const {
  return std::count_if(instances.begin(), instances.end(),
                       [](const Instance& instance) { return instance.next_label >= 0; });
}

PretrainingBatch InstanceStream::next(int64_t count, std::optional<double> masked_lm_prob) {
  std::vector<std::pair<int64_t, int64_t>> places;
  while (static_cast<int64_t>(places.size()) < count) {
    if (index_ >= source_->size(epoch_)) {
      check(index_ > 0,
            "an epoch of the corpus has no training instances; the corpus is too small");
      ++epoch_;
      index_ = 0;
      continue;
    }
    places.emplace_back(epoch_, index_++);
  }
  PretrainingBatch batch;
  batch.instances.resize(places.size());
  parallel_for(count, 1, [&](int64_t i, int64_t) {
    const auto [epoch, index] = places[static_cast<size_t>(i)];
    batch.instances[static_cast<size_t>(i)] = source_->get(epoch, index, masked_lm_prob);
  });
  return batch;
}

Batch training_batch(const BertForPreTraining& model,
                     const std::shared_ptr<const PretrainingBatch>& batch, int64_t accumulation,
                     const MaskedLMTeacher* teacher) {
  const BertConfig& config = model.bert.config;
  std::vector<int64_t> lengths;
  for (const Instance& instance : batch->instances)
    lengths.push_back(static_cast<int64_t>(instance.ids.size()));
  Batch result{.tokens = batch->tokens(),
               .flop = training_flop(config, lengths, batch->predicted(),
                                     model.last_layer_where_asked && !teacher),
               .describe = [batch] { return batch->to_json(); }};
  for (const auto& [begin, end] : batch->splits(accumulation))
    result.parts.push_back([&model, batch, teacher, begin = begin, end = end](Means& means) {
      const PretrainingBatch::Part part = batch->part(model.bert.config, begin, end);
      Tensors hidden_states;
      const PretrainingLoss loss =
          model.loss(part.input, part.targets, teacher ? &hidden_states : nullptr);
      // losses are divided by the counts of the whole batch
      const auto predicted = static_cast<double>(part.targets.labels.size()),
                 pairs = static_cast<double>(part.targets.next_labels.size());
      means.add("masked_lm_loss", loss.masked * part.targets.masked_denominator, predicted);
      means.add("masked_lm_accuracy", static_cast<double>(loss.masked_correct), predicted);
      means.add("next_sentence_loss", loss.next * part.targets.next_denominator, pairs);
      means.add("next_sentence_accuracy", static_cast<double>(loss.next_correct), pairs);
      if (!teacher) return loss.total;
      const Tensor taught = teacher->loss(model, part.input, hidden_states, part.targets,
                                          static_cast<double>(batch->tokens()), means);
      return taught.defined() ? loss.total + taught : loss.total;
    });
  return result;
}

double PretrainingMetrics::perplexity() const { return std::exp(masked_loss); }

PretrainingMetrics evaluate(const BertForPreTraining& model, const InstanceSource& source,
                            int64_t limit, const std::function<void()>& between_batches,
                            int64_t batch_size) {
  const NoGrad no_grad;
  const detail::Switch<&Modes::training> not_training(false);
  const int64_t count = limit > 0 ? std::min(limit, source.size(0)) : source.size(0);
  InstanceStream stream(source);
  double masked = 0, next = 0;
  int64_t masked_correct = 0, next_correct = 0;
  PretrainingMetrics metrics;
  for (int64_t done = 0; done < count; done += batch_size) {
    if (between_batches) between_batches();
    const PretrainingBatch batch = stream.next(std::min(batch_size, count - done));
    const auto part = batch.part(model.bert.config, 0, batch.instances.size());
    const PretrainingLoss loss = model.loss(part.input, part.targets);
    masked += loss.masked * static_cast<double>(batch.predicted());
    next += loss.next * static_cast<double>(batch.pairs());
    masked_correct += loss.masked_correct;
    next_correct += loss.next_correct;
    metrics.predicted += batch.predicted();
    metrics.pairs += batch.pairs();
  }
  const auto mean = [](double sum, int64_t n) {
    return n ? sum / static_cast<double>(n) : std::numeric_limits<double>::quiet_NaN();
  };
  metrics.masked_loss = mean(masked, metrics.predicted);
  metrics.masked_accuracy = mean(static_cast<double>(masked_correct), metrics.predicted);
  metrics.next_loss = mean(next, metrics.pairs);
  metrics.next_accuracy = mean(static_cast<double>(next_correct), metrics.pairs);
  return metrics;
}

}  // namespace gradus
