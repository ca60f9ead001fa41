// How far Gradus is from PyTorch on the cases that tests/fixtures/make_head_cases.py and
// make_training_case.py write: used by the tests that replay the committed ones, and by the program
// that scripts/compare_pytorch.sh runs on the published sizes.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "gradus/autograd/dtype.h"

namespace gradus::testing {

// The largest difference of a quantity, relative to the largest magnitude of the tensor it is in;
// and what is allowed.
struct Distance {
  std::string quantity;  // "logits", "gradients", …
  double value, allowed;
  bool fine() const { return value <= allowed; }  // false for NaN
};

// All quantities of one head's folder, for one form of GELU, computed in f32 or f64.
std::vector<Distance> compare_head(const std::filesystem::path& folder,
                                   const std::string& hidden_act, DType dtype);

// The training steps of a folder's plan: the largest difference of a step's loss, in nat, and the
// distance of the final weights, all parameters as one vector, relative to its norm. `forget_decay`
// trains without weight decay, which must be noticed.
std::vector<Distance> compare_training(const std::filesystem::path& folder,
                                       bool forget_decay = false);

}  // namespace gradus::testing
