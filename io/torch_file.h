// pytorch_model.bin: a state dict as torch.save writes it, in the zip form (since PyTorch 1.6) and
// the form before.
//
// Both hold a pickle that says how tensors (dtype, shape, strides) lie in storages, and the
// storages' bytes. The pickle is read as data (pickle.h); it may name only what rebuilds tensors. A
// view that is not contiguous, as a saved transpose, is a StoredTensor with its strides; tensors
// that share a storage share its bytes here too.
#pragma once

#include "gradus/io/tensor_file.h"

namespace gradus {

class TorchFile : public TensorFile {
 public:
  explicit TorchFile(const std::filesystem::path& path);
};

}  // namespace gradus
