// A file of named tensors, whatever its format: safetensors.h, torch_file.h and tf_checkpoint.h
// make one each.
//
// A TensorFile maps its files and owns the mapping; a StoredTensor is a view of it. All of the
// header is checked when the file is opened: every StoredTensor lies inside the file and has no
// more elements than the file has bytes for, so nothing is allocated that a header merely claims.
// Every failure is one Error that names the file and the tensor.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradus/autograd/tensor.h"
#include "gradus/base/file.h"

namespace gradus {

// A tensor as it lies in a file: element (i, j, …) is at data + (i strides[0] + j strides[1] + …)
// sizes of an element. Little-endian.
struct StoredTensor {
  std::string dtype;           // safetensors' word for it: "F32", "BF16", "I64", …
  Shape shape, strides;        // strides in elements, none negative
  const char* data = nullptr;  // valid as long as its TensorFile; not aligned

  // One that lies row by row, as most do.
  StoredTensor(std::string dtype, const Shape& shape, const char* data);
  StoredTensor(std::string dtype, const Shape& shape, const Shape& strides, const char* data);

  StoredTensor transposed() const;                    // of a matrix
  bool same_values(const StoredTensor& other) const;  // equal dtype, shape and bits
  // F16, BF16, F32 and F64 are numbers for read(); other dtypes are not
  bool is_readable() const;
  int64_t count_not_finite() const;  // NaN and infinities; of a readable one
  // into a contiguous f32 or f64 of its shape, converted
  void read(Tensor& to) const;

 private:
  template <class F>
  void for_each_value(F&& f) const;
};

class TensorFile {
 public:
  virtual ~TensorFile() = default;
  const std::map<std::string, StoredTensor>& entries() const { return entries_; }
  const std::filesystem::path& path() const { return path_; }
  const StoredTensor& entry(const std::string& name) const;  // an Error where there is none

  // An Error unless read() can fill a tensor of this shape.
  void require_readable(const std::string& name, const StoredTensor& tensor,
                        const Shape& shape) const;
  void read(const std::string& name, Tensor& to) const;

 protected:
  explicit TensorFile(const std::filesystem::path& path) : path_(path) {}
  void add(const std::string& name, StoredTensor tensor);  // an Error where the name is taken

  std::filesystem::path path_;
  std::vector<MappedFile> files_;
  std::map<std::string, StoredTensor> entries_;
};

// safetensors' word for a dtype: "F32", "F64", "I32", "I64", "BOOL".
const char* stored_name(DType dtype);

// Bits of an element by safetensors' dtype words (safetensors 0.8 has 22); 0 for any other word.
uint64_t bits_of_dtype(const std::string& dtype);

// Bits of a whole tensor that lies row by row; nothing where they pass 2^62.
std::optional<uint64_t> bits_of_tensor(const std::string& dtype, const Shape& shape);

}  // namespace gradus
