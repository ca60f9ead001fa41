#include "gradus/data/line_reader.h"

#include "gradus/base/error.h"
#include "gradus/base/file.h"

namespace gradus {

LineReader::LineReader(const std::filesystem::path& path) : stream_(path) {}

// Reads what there is, at least a byte, or finds the end.
void LineReader::fill() {
  buffer_.erase(0, at_);
  at_ = 0;
  constexpr size_t piece = 1 << 16;
  const size_t size = buffer_.size();
  buffer_.resize(size + piece);
  const size_t got = stream_.read(buffer_.data() + size, piece);
  buffer_.resize(size + got);
  at_end_ = got == 0;
}

bool LineReader::next(std::string& line) {
  size_t searched = at_;
  size_t end;
  while ((end = buffer_.find('\n', searched)) == std::string::npos && !at_end_) {
    searched = buffer_.size() - at_;
    fill();
  }
  if (end == std::string::npos && at_ == buffer_.size()) return false;
  end = std::min(end, buffer_.size());
  line.assign(buffer_, at_, end - at_);
  at_ = std::min(end + 1, buffer_.size());
  if (++number_ == 1 && line.rfind("\xEF\xBB\xBF", 0) == 0) line.erase(0, 3);
  check_utf8(line, file(), number_);
  return true;
}

bool LineReader::pauses() {
  while (!at_end_ && buffer_.find('\n', at_) == std::string::npos) {
    if (stream_.pauses()) return true;
    fill();
  }
  return false;
}

}  // namespace gradus
