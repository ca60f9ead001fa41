#include "gradus/data/line_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "gradus/base/error.h"
#include "gradus/base/file.h"

namespace gradus {

LineReader::LineReader(const std::filesystem::path& path)
    : file_(path == "-" ? "standard input" : path.string()),
      descriptor_(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  const bool is_folder = path != "-" && std::filesystem::is_directory(path);
  if (is_folder) ::close(descriptor_);
  check(!is_folder, "cannot read {}: it is a folder", file_);
  check(descriptor_ >= 0, "cannot read {}: {}", file_, std::strerror(errno));
}

LineReader::~LineReader() {
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
}

// Reads what there is, at least a byte, or finds the end.
void LineReader::fill() {
  buffer_.erase(0, at_);
  at_ = 0;
  constexpr size_t piece = 1 << 16;
  const size_t size = buffer_.size();
  buffer_.resize(size + piece);
  ssize_t got;
  do got = ::read(descriptor_, buffer_.data() + size, piece);
  while (got < 0 && errno == EINTR);
  buffer_.resize(size + static_cast<size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0) fail_run("cannot read {} after line {}: {}", file_, number_, std::strerror(errno));
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
  check_utf8(line, file_, number_);
  return true;
}

bool LineReader::pauses() {
  while (!at_end_ && buffer_.find('\n', at_) == std::string::npos) {
    pollfd input{descriptor_, POLLIN, 0};
    if (::poll(&input, 1, 0) == 0) return true;
    fill();
  }
  return false;
}

}  // namespace gradus
