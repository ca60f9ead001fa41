// io/: file formats around models. safetensors is Hugging Face's: 8 bytes of header length
// (little-endian), a JSON header, the tensors.
//
// A SafetensorsFile checks the whole header before anything is read: lengths, UTF-8, JSON,
// duplicate keys, dtypes, shapes, and that the tensors' byte ranges cover the buffer exactly,
// without holes or overlaps. Files that were written here carry a hash of the buffer in their
// metadata ("gradus.payload_hash"); it is checked too, so that a flipped bit is noticed.
#pragma once

#include "gradus/io/tensor_file.h"

namespace gradus {

class SafetensorsFile : public TensorFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  std::map<std::string, std::string> metadata_;
};

// How numbers are stored: bf16 rounds to nearest, ties to even, and halves the file; it_is keeps
// each tensor's own dtype, to the last bit.
enum class StoredAs { f32, bf16, it_is };

// Writes tensors of any layout, replacing the file whole: f32 and f64 ones, or as it_is any.
// Loaders ask for the metadata {"format": "pt"}; the hash is added to it.
void write_safetensors(const std::filesystem::path& path,
                       const std::vector<std::pair<std::string, Tensor>>& tensors,
                       StoredAs stored = StoredAs::f32,
                       const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

}  // namespace gradus
