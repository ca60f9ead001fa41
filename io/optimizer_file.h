// An optimizer's state as a safetensors file: a tensor "PARAMETER.BUFFER" for everything it keeps
// of each parameter (Optimizer::state), and in the metadata the number of its steps and its name.
// With the parameters beside it, N steps, saving, loading and N steps are 2N steps, to the last
// bit.
#pragma once

#include <filesystem>

#include "gradus/optim/optimizer.h"

namespace gradus {

// Replaces the file whole.
void save_optimizer(const std::filesystem::path& path, const Optimizer& optimizer);

// Into an optimizer of the same kind on parameters of the same names. An Error where the file is
// another optimizer's or another model's; then nothing is changed.
void load_optimizer(const std::filesystem::path& path, Optimizer& optimizer);

}  // namespace gradus
