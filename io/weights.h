// The weights of a model, whatever form they have on disk, under today's names: what
// load_parameters and `gradus convert` read.
//
// A model is a folder with model.safetensors, pytorch_model.bin, the shards of one of them by its
// index.json, or one TensorFlow checkpoint (looked for in that order); or the path PREFIX of a
// checkpoint, PREFIX.index. Files are mapped: opening costs no memory.
#pragma once

#include <memory>

#include "gradus/io/tensor_file.h"

namespace gradus {

struct Weight {
  const TensorFile* file;
  std::string name;   // as the file spells it
  std::string today;  // as `transformers` does
  bool transposed;
  StoredTensor tensor;  // as today's name wants it: transposed already
};

class Weights {
 public:
  // Whether the files beside the weights must be those that were there when they were written
  // (folder_hashes.h).
  enum class Beside { checked, taken_as_it_is };
  explicit Weights(const std::filesystem::path& model, Beside beside = Beside::checked);
  // With or without the prefix `bert.`, or `model.` of a ModernBERT; nullptr where there is none.
  const Weight* find(const std::string& parameter) const;
  // by name without prefix
  const std::map<std::string, Weight>& all() const { return weights_; }
  // tensors that are no weights, and why
  const std::vector<std::pair<std::string, std::string>>& dropped() const { return dropped_; }
  // "pytorch_model.bin", for a report
  const std::string& form() const { return form_; }
  // what has changed beside them since they were written; "" where nothing has
  const std::string& changed() const { return changed_; }

 private:
  void open(const std::filesystem::path& path);
  void open_shards(const std::filesystem::path& index);

  std::vector<std::unique_ptr<TensorFile>> files_;
  std::map<std::string, Weight> weights_;
  std::vector<std::pair<std::string, std::string>> dropped_;
  std::string form_, changed_;
};

// The folder that a model's other files lie in: the model itself, or that of a checkpoint's prefix.
// An Error where it is neither.
std::filesystem::path folder_of_model(const std::filesystem::path& model);

}  // namespace gradus
