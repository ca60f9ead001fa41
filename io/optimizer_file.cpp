#include "gradus/io/optimizer_file.h"

#include <charconv>

#include "gradus/io/safetensors.h"

namespace gradus {

void save_optimizer(const std::filesystem::path& path, const Optimizer& optimizer) {
  const OptimizerState state = optimizer.state();
  write_safetensors(
      path, state.tensors, StoredAs::f32,
      {{"format", "pt"}, {"optimizer", optimizer.name()}, {"steps", std::to_string(state.steps)}});
}

void load_optimizer(const std::filesystem::path& path, Optimizer& optimizer) {
  const SafetensorsFile file(path);
  const auto& metadata = file.metadata();
  if (!metadata.contains("optimizer") || !metadata.contains("steps"))
    fail("{}: its metadata names no optimizer and steps; it is no optimizer's state",
         path.string());
  if (metadata.at("optimizer") != optimizer.name())
    fail("{}: it is the state of {}, and the optimizer is {}", path.string(),
         metadata.at("optimizer"), optimizer.name());
  OptimizerState state;
  const std::string& steps = metadata.at("steps");
  const char* end = steps.data() + steps.size();
  if (const auto [at, error] = std::from_chars(steps.data(), end, state.steps);
      error != std::errc() || at != end)
    fail("{}: its metadata has '{}' for the number of steps", path.string(), steps);
  for (const auto& [name, stored] : file.entries()) {
    Tensor tensor = Tensor::empty(stored.shape);
    file.read(name, tensor);
    state.tensors.emplace_back(name, tensor);
  }
  optimizer.load_state(state);
}

}  // namespace gradus
