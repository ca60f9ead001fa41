#include "gradus/optim/registry.h"

#include <fmt/ranges.h>

#include <map>

#include "gradus/base/closest.h"
#include "gradus/optim/optimizers.h"

namespace gradus {
namespace {

using Factories = std::map<std::string, OptimizerFactory>;

template <class Options>
void set(Options& options, const OptimizerSettings& settings) {
  options.learning_rate = settings.learning_rate;
  options.weight_decay = settings.weight_decay;
  if constexpr (requires { options.beta2; }) options.beta2 = settings.beta2.value_or(options.beta2);
  else if (settings.beta2) fail("options.adam_beta2 {}: this optimizer has none", *settings.beta2);
}

template <class O, class Options>
OptimizerFactory made_of(Options options) {
  return [options](const ParameterList& list, OptimizerSettings settings) {
    Options all = options;
    set(all, settings);
    return std::make_unique<O>(list, all);
  };
}

Factories& factories() {
  static Factories table{
      {"adafactor", made_of<Adafactor>(AdafactorOptions{})},
      {"adamw", made_of<AdamW>(AdamWOptions{})},
      {"google", made_of<AdamW>(AdamWOptions::google())},
      {"lamb", made_of<Lamb>(LambOptions{})},
      {"lion", made_of<Lion>(LionOptions{})},
      {"muon",
       [](const ParameterList& list, OptimizerSettings settings) {
         MuonOptions options = MuonOptions::one_rate(settings.learning_rate);
         set(options, settings);
         return std::make_unique<Muon>(list, options);
       }},
      {"sgd", made_of<Sgd>(SgdOptions{.momentum = 0.9})},
  };
  return table;
}

}  // namespace

void register_optimizer(const std::string& name, OptimizerFactory factory) {
  check(factory != nullptr && !name.empty(), "register_optimizer: it needs a name and a function");
  if (!factories().emplace(name, std::move(factory)).second)
    fail("register_optimizer: there is an optimizer called '{}' already", name);
}

std::vector<std::string> optimizer_names() {
  std::vector<std::string> names;
  for (const auto& [name, factory] : factories()) names.push_back(name);
  return names;
}

void check_optimizer_name(const std::string& name) {
  if (!factories().contains(name))
    fail("no optimizer is called '{}'; there are {}", name,
         fmt::join(by_distance(name, optimizer_names()), ", "));
}

std::unique_ptr<Optimizer> make_optimizer(const std::string& name, const ParameterList& list,
                                          OptimizerSettings settings) {
  check_optimizer_name(name);
  return factories().at(name)(list, settings);
}

}  // namespace gradus
