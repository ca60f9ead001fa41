#include "gradus/io/weights.h"

#include <algorithm>
#include <memory>

#include "gradus/base/json.h"
#include "gradus/io/folder_hashes.h"
#include "gradus/io/safetensors.h"
#include "gradus/io/tf_checkpoint.h"
#include "gradus/io/torch_file.h"
#include "gradus/io/weight_names.h"

namespace gradus {
namespace fs = std::filesystem;
namespace {

bool is_prefix_of_checkpoint(const fs::path& model) {
  return fs::is_regular_file(model.string() + ".index");
}

// The one checkpoint of a folder, by its prefix; empty where there is none.
fs::path checkpoint_in(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".index") found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  if (found.size() > 1)
    fail("{}: it has several checkpoints, {} and {} for two; name one by its path without .index",
         folder.string(), found[0].filename().string(), found[1].filename().string());
  return found.empty() ? fs::path() : found[0].replace_extension();
}

}  // namespace

fs::path folder_of_model(const fs::path& model) {
  if (fs::is_directory(model)) return model;
  if (!is_prefix_of_checkpoint(model))
    fail("{}: there is no such model folder, nor a checkpoint {}.index", model.string(),
         model.string());
  return model.has_parent_path() ? model.parent_path() : ".";
}

Weights::Weights(const fs::path& model, Beside beside) {
  const fs::path folder = folder_of_model(model);
  const bool named = !fs::is_directory(model);
  for (const char* name : {"model.safetensors", "pytorch_model.bin"}) {
    if (named || !files_.empty()) break;
    if (fs::exists(folder / name)) open(folder / name);
    else if (const fs::path index = folder / (std::string(name) + ".index.json"); fs::exists(index))
      open_shards(index);
  }
  if (const auto* file =
          files_.empty() ? nullptr : dynamic_cast<const SafetensorsFile*>(files_[0].get()))
    changed_ = changed_since(file->metadata(), folder);
  if (beside == Beside::checked && !changed_.empty())
    fail(
        "{}: {} is not the one that was written with {}; answers would be wrong. Where the change "
        "is meant, `gradus convert --model {} --out NEW` takes the folder as it is",
        folder.string(), changed_, form_, folder.string());
  bool tensorflow = false;
  if (files_.empty()) {
    const fs::path prefix = named ? model : checkpoint_in(folder);
    check(!prefix.empty(),
          "{}: there is neither model.safetensors nor pytorch_model.bin in it, nor an index of "
          "their shards, nor a TensorFlow checkpoint",
          folder.string());
    files_.push_back(std::make_unique<TfCheckpoint>(prefix));
    form_ = prefix.filename().string() + ", a TensorFlow checkpoint";
    tensorflow = true;
  }
  for (const auto& file : files_)
    for (const auto& [name, tensor] : file->entries()) {
      const WeightName names =
          tensorflow ? from_tensorflow(name, file->path().string()) : from_torch(name);
      const std::string plain = without_prefix(names.today);
      if (names.today.empty()) {
        dropped_.emplace_back(name, names.reason);
        continue;
      }
      const bool transposed = names.transposed && tensor.shape.rank() == 2;
      if (!weights_
               .emplace(plain, Weight{file.get(), name, names.today, transposed,
                                      transposed ? tensor.transposed() : tensor})
               .second)
        fail("{}: '{}' is there twice: as '{}' and as '{}'", file->path().string(), plain,
             weights_.at(plain).name, name);
    }
}

const Weight* Weights::find(const std::string& parameter) const {
  const auto found = weights_.find(without_prefix(from_torch(parameter).today));
  return found == weights_.end() ? nullptr : &found->second;
}

void Weights::open(const fs::path& path) {
  if (form_.empty()) form_ = path.filename().string();
  if (path.extension() == ".safetensors") files_.push_back(std::make_unique<SafetensorsFile>(path));
  else files_.push_back(std::make_unique<TorchFile>(path));
}

void Weights::open_shards(const fs::path& index) {
  const nlohmann::json map = read_json(index).value("weight_map", nlohmann::json());
  check(map.is_object(), "{}: it has no weight_map, an object of tensors and their files",
        index.string());
  form_ = index.filename().string();
  std::map<std::string, const TensorFile*> shards;
  for (const auto& [name, shard] : map.items()) {
    if (!shard.is_string() ||
        fs::path(shard.get<std::string>()).filename() != shard.get<std::string>())
      fail("{}: the file of '{}' is {}; it must be a name in this folder", index.string(), name,
           shard.dump());
    const TensorFile*& file = shards[shard.get<std::string>()];
    if (!file) {
      open(index.parent_path() / shard.get<std::string>());
      file = files_.back().get();
    }
    if (!file->entries().contains(name))
      fail("{}: '{}' should be in {}, which has no such tensor", index.string(), name,
           shard.get<std::string>());
  }
}

}  // namespace gradus
