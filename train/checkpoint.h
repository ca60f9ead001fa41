// Checkpoints of a run, OUT/checkpoint-N after step N: everything that the next step depends on.
//
//   model.safetensors       parameters and buffers, each in its own dtype
//   optimizer.safetensors   what the optimizer keeps, and how many steps it made
//   gradients.safetensors   of the parts that are done, where a step is half made
//   trainer_state.json      counters, sums, place in the data, the log; `transformers`' names
//   checkpoint.json         the size and hash of each of these: a file that has changed is noticed
//
// A checkpoint appears whole or not at all. Its files are written at once, when the parameters
// stand still; syncing and naming it is done in the background, while the next steps run.
#pragma once

#include <filesystem>
#include <functional>
#include <future>
#include <optional>

#include "gradus/base/json.h"
#include "gradus/optim/optimizer.h"

namespace gradus {

class Checkpoints {
 public:
  // Of the run that writes into `out`, of which the newest `keep` are kept.
  Checkpoints(std::filesystem::path out, int64_t keep) : out_(std::move(out)), keep_(keep) {}
  ~Checkpoints();
  Checkpoints(const Checkpoints&) = delete;
  Checkpoints& operator=(const Checkpoints&) = delete;

  // Waits for the one before. `beside` adds files to its folder. An Error (exit code 1) where the
  // disk does not take it; those written before stay.
  void write(int64_t step, const ParameterList& parameters, const Optimizer& optimizer,
             const nlohmann::ordered_json& state,
             const std::function<void(const std::filesystem::path&)>& beside);
  // Waits until all that was written is safe; an Error where it could not be made so.
  void finish();
  // The last one that is safe; empty: none is.
  std::filesystem::path newest() const { return newest_; }
  // Removes all but the newest `keep` of a folder.
  static void prune(const std::filesystem::path& out, int64_t keep);

 private:
  std::filesystem::path out_, newest_;
  int64_t keep_;
  std::future<std::filesystem::path> background_;
};

struct Checkpoint {
  std::filesystem::path folder;
  nlohmann::ordered_json state;
};

// The newest whole checkpoint of a run's folder, or the one that `path` is itself. Damaged ones are
// told of by `say` and passed over; `path` itself damaged is an Error.
std::optional<Checkpoint> find_checkpoint(const std::filesystem::path& path,
                                          const std::function<void(const std::string&)>& say);

// Parameters, optimizer and gradients. An Error where they are not those of this run; then nothing
// is changed.
void load_checkpoint(const Checkpoint& checkpoint, const ParameterList& parameters,
                     Optimizer& optimizer);

}  // namespace gradus
