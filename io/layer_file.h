// Any layer, saved and loaded: one safetensors file of what its parts() list.
//
//   save("model.safetensors", model, {{"format", "pt"}, {"steps", "2000"}});
//   Metadata said = load("model.safetensors", model);
//
// Names, shapes and dtypes are the layer's own: f64 stays f64, a range of a leaf is a tensor of its
// own, a tied parameter is written once, buffers come along. Python reads the file with
// safetensors.torch.load_file.
// For BERTs in Hugging Face's folders, whose loading is forgiving, see model_folder.h.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "gradus/nn/parts.h"

namespace gradus {

using Metadata = std::map<std::string, std::string>;

// The file is replaced whole: a reader, or a run killed in between, sees the old one or the new.
// Errors: two parameters of one name, a path that cannot be written.
void save_parts(const std::filesystem::path& path, const std::vector<Parameter>& list,
                const Metadata& metadata);

// Fills the parameters and returns the file's metadata. The file must have exactly these names,
// shapes and dtypes: parameters that it lacks, tensors that nobody lists and those of another shape
// or dtype are one Error that names them all, and nothing has been written then.
Metadata load_parts(const std::filesystem::path& path, const std::vector<Parameter>& list);

template <class Layer>
requires requires(Layer& layer, Parts& p) { layer.parts(p); }
void save(const std::filesystem::path& path, const Layer& layer,
          const Metadata& metadata = {{"format", "pt"}}) {
  Layer shared = layer;  // a copy shares its parameters; parts() wants one that may be changed
  save_parts(path, parameters(shared), metadata);
}

template <class Layer>
requires requires(Layer& layer, Parts& p) { layer.parts(p); }
Metadata load(const std::filesystem::path& path, Layer& layer) {
  return load_parts(path, parameters(layer));
}

}  // namespace gradus
