// A matrix of f32 as NumPy's .npy file (format 1.0, little-endian, row-major), written row by row:
// numpy.load gives [rows, columns]. Source: numpy/lib/format.py. The file appears whole at
// commit(), or not at all.
#pragma once

#include <cstdint>
#include <span>

#include "gradus/base/file.h"

namespace gradus {

class NpyWriter {
 public:
  NpyWriter(const std::filesystem::path& path, int64_t columns);
  void write(std::span<const float> rows);  // any number of whole rows
  void flush() { file_.flush(); }
  void commit();

 private:
  std::string header() const;

  FileWriter file_;
  int64_t columns_, rows_ = 0;
};

}  // namespace gradus
