// Optimizers by name, as the command line and a run's options name them:
//
//   adafactor  adamw  google (Adam as in Google's BERT)  lamb  lion  muon (one rate for all)
//   sgd (momentum 0.9)
//
// A program of one's own adds its rules before a run begins:
//
//   register_optimizer("mine", [](const ParameterList& list, OptimizerSettings s) {
//     return std::make_unique<Mine>(list, MineOptions{.learning_rate = s.learning_rate});
//   });
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "gradus/optim/optimizer.h"

namespace gradus {

struct OptimizerSettings {
  double learning_rate = 1e-3, weight_decay = 0.01;
  // How slowly the mean of the squared gradients forgets; none: the rule's own. An Error where the
  // rule has no such mean.
  std::optional<double> beta2 = {};
};
using OptimizerFactory = std::function<std::unique_ptr<Optimizer>(const ParameterList& list,
                                                                  OptimizerSettings settings)>;

// An Error where the name is taken.
void register_optimizer(const std::string& name, OptimizerFactory factory);
// In alphabetical order.
std::vector<std::string> optimizer_names();

// An unknown name is an Error that lists those there are, the closest first.
std::unique_ptr<Optimizer> make_optimizer(const std::string& name, const ParameterList& list,
                                          OptimizerSettings settings = {});
void check_optimizer_name(const std::string& name);

}  // namespace gradus
