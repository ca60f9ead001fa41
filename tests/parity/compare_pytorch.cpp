// The program of scripts/compare_pytorch.sh: compare-pytorch FOLDER…, each a case of
// tests/fixtures/make_head_cases.py or of make_training_case.py, prints the largest distance of
// each kind of quantity, and ends with 1 where one is too large.
#include <algorithm>
#include <cstdio>
#include <map>

#include "gradus/base/error.h"
#include "tests/parity/parity.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

bool fine = true;

void judge(const std::string& name, const Distance& d) {
  if (d.fine()) return;
  fine = false;
  std::fprintf(stderr, "%s: %s differ by %.2g; allowed are %.2g\n", name.c_str(),
               d.quantity.c_str(), d.value, d.allowed);
}

void print_heads(const std::vector<std::filesystem::path>& folders) {
  std::printf(
      "| case | GELU | dtype | logits | loss | hidden states | attention probabilities | gradients "
      "| key biases "
      "|\n|---|---|---|---|---|---|---|---|---|\n");
  for (const auto& folder : folders)
    for (const std::string hidden_act : {"gelu", "gelu_new"})
      for (const DType dtype : {DType::f32, DType::f64}) {
        std::map<std::string, double> worst;
        for (const Distance& d : compare_head(folder, hidden_act, dtype)) {
          // without the layer's number
          double& value = worst[d.quantity.substr(0, d.quantity.find_first_of("0123456789"))];
          value = std::max(value, d.value);
          judge(folder.filename().string() + " " + hidden_act, d);
        }
        std::printf("| %s | %s | %s | %.1e | %.1e | %.1e | %.1e | %.1e | %.1e |\n",
                    folder.filename().c_str(), hidden_act.c_str(),
                    dtype == DType::f64 ? "f64" : "f32", worst["logits"], worst["loss"],
                    worst["hidden states "], worst["attention probabilities "], worst["gradients"],
                    worst["key biases"]);
      }
}

void print_training(const std::filesystem::path& folder) {
  std::printf("| training | losses, nat | weights, relative |\n|---|---|---|\n");
  for (const bool forget : {false, true}) {
    const auto distances = compare_training(folder, forget);
    std::printf("| %s | %.1e | %.1e |\n",
                forget ? "without weight decay (must be noticed)" : "200 steps", distances[0].value,
                distances[1].value);
    for (const Distance& d : distances)
      if (!forget) judge("training", d);
      else if (d.fine())
        fine = false, std::fprintf(stderr, "training without decay: %s differ by %.2g only\n",
                                   d.quantity.c_str(), d.value);
  }
}

}  // namespace

int main(int count, char** arguments) {
  std::vector<std::filesystem::path> heads;
  try {
    for (int i = 1; i < count; ++i) {
      if (std::filesystem::exists(std::filesystem::path(arguments[i]) / "plan.json"))
        print_training(arguments[i]);
      else heads.emplace_back(arguments[i]);
    }
    if (!heads.empty()) print_heads(heads);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code;
  }
  std::printf(fine ? "\nAll within the tolerances.\n" : "\nNOT within the tolerances.\n");
  return fine ? 0 : 1;
}
