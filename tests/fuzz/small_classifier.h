// A classifier that is small and complete, as strangers' folders are: without hashes, so that its
// files may be changed one by one and are still read.
#pragma once

#include <sstream>

#include "gradus/io/safetensors.h"
#include "gradus/models/heads.h"
#include "gradus/train/finetuned_model.h"
#include "tests/io/small_model.h"

namespace gradus::testing {

// The same tensors without what the file says beside them.
inline void drop_metadata(const std::filesystem::path& path) {
  NamedTensors tensors;
  {
    const SafetensorsFile file(path);
    for (const auto& [name, stored] : file.entries()) {
      Tensor values = Tensor::empty(stored.shape);
      file.read(name, values);
      tensors.emplace_back(name, values);
    }
  }
  write_safetensors(path, tensors, StoredAs::f32, {{"format", "pt"}});
}

inline void save_unhashed_classifier(const std::filesystem::path& folder) {
  save_small_classifier(folder);
  drop_metadata(folder / "model.safetensors");
}

// All that `gradus predict` does with a folder.
inline void predict_with(const std::filesystem::path& folder) {
  static const Scratch scratch;
  const auto texts = scratch / "texts.tsv";
  if (!std::filesystem::exists(texts)) write_file(texts, "text\na b the c.\nb\n");
  const FinetunedModel tuned(folder);
  const auto task = Task::make(tuned.task, tuned.tokenizer, tuned.config);
  const auto set = task->read(texts, TaskUse::prediction);
  std::ostringstream lines;
  set->write_predictions(run_task(tuned.model, *set), lines, 0);
}

}  // namespace gradus::testing
