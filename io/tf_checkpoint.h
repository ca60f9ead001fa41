// TensorFlow's checkpoint, as Google published BERT: PREFIX.index, a LevelDB table of messages that
// say where each variable lies, and PREFIX.data-0000n-of-0000m with the bytes
// (tensorflow/core/protobuf/tensor_bundle.proto). Names and layouts are TensorFlow's
// ("bert/encoder/layer_0/attention/self/query/kernel", [in, out]); weights.h knows what they are
// called today.
#pragma once

#include "gradus/io/tensor_file.h"

namespace gradus {

class TfCheckpoint : public TensorFile {
 public:
  // `prefix`: the path without .index. Every variable's CRC-32C is checked; variables that are
  // strings are left out.
  explicit TfCheckpoint(const std::filesystem::path& prefix);
};

}  // namespace gradus
