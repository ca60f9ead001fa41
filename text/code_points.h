// CodePoints: where each code point of a valid UTF-8 text begins, so that offsets counted in code
// points (SQuAD's, Encoding's) cut it in constant time.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace gradus {

class CodePoints {
 public:
  explicit CodePoints(std::string_view text) : text_(text) {  // `text` must outlive this
    for (size_t i = 0; i < text.size(); ++i)
      if ((text[i] & 0xC0) != 0x80) begins_.push_back(i);
    begins_.push_back(text.size());
  }
  int64_t size() const { return static_cast<int64_t>(begins_.size()) - 1; }
  // The code points [begin, end); 0 <= begin <= end <= size().
  std::string_view slice(int64_t begin, int64_t end) const {
    return text_.substr(byte(begin), byte(end) - byte(begin));
  }
  // The byte at which a code point begins.
  size_t byte(int64_t code_point) const { return begins_[static_cast<size_t>(code_point)]; }

 private:
  std::string_view text_;
  std::vector<size_t> begins_;
};

}  // namespace gradus
