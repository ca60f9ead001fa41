// From any form of a BERT's weights to a Hugging Face folder, tensor by tensor and by name: heads
// come along whatever they are, and no model is built but to check the body. What `gradus convert`
// does.
#pragma once

#include <optional>

#include "gradus/io/model_folder.h"

namespace gradus {

struct ConvertOptions {
  std::filesystem::path model, out;
  StoredAs stored = StoredAs::f32;
  // LayerNorm.gamma and .beta, for readers of 2019
  bool legacy_names = false;
  // a vocab.txt, where the model has none or another is meant
  std::optional<std::filesystem::path> vocab = {};
  std::optional<bool> lower_case = {};      // over what the model's files say
  std::vector<std::string> new_words = {};  // that get a token of their own: new_words.h
  bool overwrite = false;
};

struct ConvertReport {
  std::string form, architecture;  // what was read; the class of `transformers` that opens it
  int64_t tensors = 0, numbers = 0;
  bool lower_case = true;
  // as the file spells it, as it was written
  std::vector<std::pair<std::string, std::string>> renamed;
  std::vector<std::string> transposed;
  std::vector<std::pair<std::string, std::string>> dropped;  // and why
  std::vector<std::string> notes;
};

// Everything is checked before the folder is made: that the body is whole and of the
// configuration's sizes, labels, vocabulary. The architecture is the configuration's where the
// tensors are there for it, otherwise what the heads' names say.
ConvertReport convert_model(const ConvertOptions& options);

}  // namespace gradus
