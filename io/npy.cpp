#include "gradus/io/npy.h"

#include <bit>

#include "gradus/base/error.h"

namespace gradus {

static_assert(std::endian::native == std::endian::little,
              "the numbers are written as they lie in memory");

NpyWriter::NpyWriter(const std::filesystem::path& path, int64_t columns)
    : file_(path), columns_(columns) {
  check(columns > 0, "{}: a matrix of {} columns has no rows to write", path.string(), columns);
  file_.write(header());
}

void NpyWriter::write(std::span<const float> rows) {
  const auto size = static_cast<int64_t>(rows.size());
  check(size % columns_ == 0, "{} numbers are not whole rows of {}", size, columns_);
  file_.write(rows.data(), rows.size_bytes());
  rows_ += size / columns_;
}

void NpyWriter::commit() {
  file_.seek(0);
  file_.write(header());
  file_.commit();
}

// Always 128 bytes, so that the number of rows can be put in at the end: magic, version, the length
// of what follows, a Python dictionary, blanks.
std::string NpyWriter::header() const {
  constexpr size_t kSize = 128, kBefore = 10;
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(kSize - kBefore);
  text += '\0';
  text += fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows_,
                      columns_);
  text.resize(kSize - 1, ' ');
  return text + '\n';
}

}  // namespace gradus
