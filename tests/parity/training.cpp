#include <cmath>

#include "gradus/base/json.h"
#include "gradus/io/model_folder.h"
#include "gradus/io/safetensors.h"
#include "gradus/models/bert.h"
#include "gradus/optim/adamw.h"
#include "gradus/optim/schedule.h"
#include "tests/parity/parity.h"

namespace gradus::testing {
namespace {

struct Batch {
  BertInput input;
  PretrainingTargets targets;
};

// The rule of make_training_case.py's batch().
Batch batch_of(const BertConfig& config, int64_t step, int64_t sequences, int64_t length) {
  std::vector<int32_t> ids, types;
  PretrainingTargets targets;
  for (int64_t s = 0; s < sequences; ++s) {
    const int64_t start = (7919 * step + 104729 * s) % 11;
    for (int64_t t = 0; t < length; ++t) {
      const auto id = static_cast<int32_t>(5 + (start + 3 * t) % (config.vocab_size - 5));
      const bool masked = t % 4 == 1;
      if (masked)
        targets.rows.push_back(static_cast<int32_t>(ids.size())), targets.labels.push_back(id);
      ids.push_back(masked ? 4 : id);
      types.push_back(t >= length / 2);
    }
    targets.next_labels.push_back(static_cast<int32_t>(start % 2));
  }
  return {
      BertInput(config, {ids, types, std::vector<int64_t>(static_cast<size_t>(sequences), length)}),
      targets};
}

}  // namespace

std::vector<Distance> compare_training(const std::filesystem::path& folder, bool forget_decay) {
  const auto plan = read_json(folder / "plan.json");
  const SafetensorsFile expected(folder / "expected.safetensors");
  const auto theirs = [&](const std::string& name, DType dtype) {
    Tensor tensor = Tensor::empty(expected.entry(name).shape, dtype);
    expected.read(name, tensor);
    return tensor.to_vector<double>();
  };
  const BertConfig config = load_config(folder);
  BertForPreTraining model(config);
  const auto list = parameters(model);
  load_parameters(folder, list);

  const int64_t steps = plan.at("steps");
  AdamW optimizer(list, {.epsilon = plan.at("epsilon"),
                         .weight_decay = forget_decay ? 0 : plan.at("weight_decay").get<double>()});
  const Schedule schedule{Schedule::Shape::linear, plan.at("learning_rate"), plan.at("warmup"),
                          steps};
  const auto losses = theirs("losses", DType::f64);
  double apart = 0;
  for (int64_t step = 0; step < steps; ++step) {
    const Batch batch = batch_of(config, step, plan.at("sequences"), plan.at("length"));
    const Tensor loss = model.loss(batch.input, batch.targets).total;
    apart = std::max(apart, std::abs(loss.item() - losses[static_cast<size_t>(step)]));
    backward(loss);
    optimizer.set_learning_rate(schedule.at(step));
    optimizer.step(plan.at("max_grad_norm"));
  }
  double distance = 0, size = 0;
  for (const Parameter& p : list) {
    if (p.tied) continue;
    const auto ours = p.view().to_vector<double>(), other = theirs(p.name, DType::f32);
    for (size_t i = 0; i < ours.size(); ++i)
      distance += std::pow(ours[i] - other[i], 2), size += other[i] * other[i];
  }
  return {{"losses", apart, 2e-5}, {"weights", std::sqrt(distance / size), 1e-5}};
}

}  // namespace gradus::testing
