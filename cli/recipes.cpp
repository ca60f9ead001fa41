#include "gradus/cli/recipes.h"

#include <fmt/ranges.h>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"

namespace gradus::cli {

const Recipe& pretraining_recipe(const std::string& name) {
  static const std::vector<Recipe> recipes = {
      {"bert",
       "as published (Devlin et al. 2018)",
       {{"--initialization", "hugging_face"},
        {"--next-sentence", "true"},
        {"--masked-lm-prob", "0.15"},
        {"--max-predictions-per-seq", "20"},
        {"--short-seq-prob", "0.1"},
        {"--optimizer", "adamw"},
        {"--schedule", "linear"},
        {"--warmup-steps", "0.1"}}},
      {"budget",
       "the best found so far for a quarter of an hour on two cores (docs/pretraining.md)",
       {{"--model", "2x256x8"},
        {"--max-minutes", "15"},
        {"--initialization", "counts"},
        {"--next-sentence", "false"},
        {"--dropout", "0"},
        {"--short-seq-prob", "0"},
        {"--masked-lm-prob", "0.3"},
        {"--max-predictions-per-seq", "0"},
        {"--batch-size", "32"},
        // sixteen threads were no faster so (docs/performance.md)
        {"--data-parallel", thread_count() == 2 ? "2" : "1"},
        {"--optimizer", "muon"},
        {"--learning-rate", "2.5e-3"},
        {"--warmup-steps", "0.03"},
        {"--last-layer-where-asked", "true"},
        {"--matmul-precision", "medium"}}}};
  std::vector<std::string> names;
  for (const Recipe& recipe : recipes) {
    if (recipe.name == name) return recipe;
    names.push_back(recipe.name);
  }
  fail("--recipe {}: there are {}", name, fmt::join(names, ", "));
}

}  // namespace gradus::cli
