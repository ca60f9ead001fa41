// Recipes: names for many options at once. A recipe is a list of options and values that anybody
// could type; those that were typed count more.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace gradus::cli {

struct Recipe {
  std::string name, about;
  std::vector<std::pair<std::string, std::string>> options;  // "--learning-rate", "2e-3"
};

// Of pretraining: bert, as Devlin et al. published it, and budget, the best found so far for a
// quarter of an hour on two cores (docs/pretraining.md). An unknown name is an Error.
const Recipe& pretraining_recipe(const std::string& name);

}  // namespace gradus::cli
