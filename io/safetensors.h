// io/: file formats around models. safetensors is Hugging Face's: 8 bytes of header length (little-endian), a JSON header, the tensors.
//
// A SafetensorsFile maps the file and checks the whole header before anything is read: lengths, UTF-8, JSON, duplicate keys, dtypes,
// shapes, and that the tensors' byte ranges cover the buffer exactly, without holes or overlaps. Nothing is allocated that a header merely
// claims. Every failure is one Error that names the file and the tensor.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "autograd/tensor.h"
#include "base/file.h"

namespace gradus {

struct SafetensorsEntry {
  std::string dtype;    // "F32", "BF16", "I64", …
  Shape shape;
  size_t begin, end;    // bytes in the file
};

class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
  const std::map<std::string, SafetensorsEntry>& entries() const { return entries_; }
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::filesystem::path& path() const { return path_; }
  const SafetensorsEntry& entry(const std::string& name) const;     // an Error where there is none
  std::string_view bytes(const std::string& name) const;            // as they lie in the file; valid as long as this object

  // An Error unless read() can fill a tensor of this shape: F16, BF16, F32 and F64 are read, other dtypes are not.
  void require_readable(const std::string& name, const Shape& shape) const;
  // Copies a tensor into `to`, a contiguous f32 or f64 of its shape, and converts.
  void read(const std::string& name, Tensor& to) const;

 private:
  std::filesystem::path path_;
  MappedFile file_;
  std::map<std::string, SafetensorsEntry> entries_;
  std::map<std::string, std::string> metadata_;
};

// How numbers are stored: bf16 rounds to nearest, ties to even, and halves the file.
enum class StoredAs { f32, bf16 };

// Writes f32 or f64 tensors of any layout, replacing the file whole. Loaders ask for the metadata {"format": "pt"}.
void write_safetensors(const std::filesystem::path& path, const std::vector<std::pair<std::string, Tensor>>& tensors,
                       StoredAs stored = StoredAs::f32, const std::map<std::string, std::string>& metadata = {{"format", "pt"}});

}  // namespace gradus
