#include "gradus/base/byte_stream.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "gradus/base/error.h"

namespace gradus {

// Takes from the front of `in`, gives at most `size` bytes; both may be less than there is.
struct ByteStream::Decoder {
  virtual ~Decoder() = default;
  virtual size_t decode(std::string_view& in, char* out, size_t size) = 0;
  // whether the last member or frame is complete
  virtual bool complete() const = 0;
};

namespace {

constexpr std::string_view gzip_mark{"\x1f\x8b"}, zstd_mark{"\x28\xb5\x2f\xfd"};

class Gzip : public ByteStream::Decoder {
 public:
  explicit Gzip(const std::string& name) : name_(name) {
    // 15 + 16: the largest window, in gzip's wrapping
    if (inflateInit2(&stream_, 15 + 16) != Z_OK) fail_run("{}: zlib has no memory", name_);
  }
  ~Gzip() override { inflateEnd(&stream_); }

  size_t decode(std::string_view& in, char* out, size_t size) override {
    if (complete_) {  // the next member, or the zeros of a tape's block
      while (!in.empty() && in[0] == '\0') in.remove_prefix(1);
      if (in.empty()) return 0;
      inflateReset(&stream_);
      complete_ = false;
    }
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(size);
    const int result = inflate(&stream_, Z_NO_FLUSH);
    check(result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR,
          "{}: damaged gzip data ({})", name_, stream_.msg ? stream_.msg : zError(result));
    complete_ = result == Z_STREAM_END;
    in.remove_prefix(in.size() - stream_.avail_in);
    return size - stream_.avail_out;
  }
  bool complete() const override { return complete_; }

 private:
  const std::string& name_;
  z_stream stream_{};
  bool complete_ = false;
};

class Zstd : public ByteStream::Decoder {
 public:
  explicit Zstd(const std::string& name) : name_(name), stream_(ZSTD_createDStream()) {
    if (!stream_) fail_run("{}: zstd has no memory", name_);
  }
  ~Zstd() override { ZSTD_freeDStream(stream_); }

  size_t decode(std::string_view& in, char* out, size_t size) override {
    if (complete_ && in.empty()) return 0;
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out, size, 0};
    const size_t left = ZSTD_decompressStream(stream_, &to, &from);
    check(!ZSTD_isError(left), "{}: damaged zstd data ({})", name_, ZSTD_getErrorName(left));
    complete_ = left == 0;
    in.remove_prefix(from.pos);
    return to.pos;
  }
  bool complete() const override { return complete_; }

 private:
  const std::string& name_;
  ZSTD_DStream* stream_;
  bool complete_ = false;
};

}  // namespace

ByteStream::ByteStream(const std::filesystem::path& path)
    : name_(path == "-" ? "standard input" : path.string()),
      descriptor_(path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  const bool is_folder = path != "-" && std::filesystem::is_directory(path);
  if (is_folder) ::close(descriptor_);
  check(!is_folder, "cannot read {}: it is a folder", name_);
  check(descriptor_ >= 0, "cannot read {}: {}", name_, std::strerror(errno));
}

ByteStream::~ByteStream() {
  if (descriptor_ > STDERR_FILENO) ::close(descriptor_);
}

// Reads what there is, at least a byte, or finds the end.
void ByteStream::fill() {
  input_.erase(0, at_);
  at_ = 0;
  constexpr size_t piece = 1 << 18;
  const size_t size = input_.size();
  input_.resize(size + piece);
  ssize_t got;
  do got = ::read(descriptor_, input_.data() + size, piece);
  while (got < 0 && errno == EINTR);
  input_.resize(size + static_cast<size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0) fail_run("cannot read {} after byte {}: {}", name_, taken_, std::strerror(errno));
  ended_ = got == 0;
  taken_ += got;
  hash_.add(input_.data() + size, static_cast<size_t>(got));
}

// Reads on while the first bytes may still become a mark.
void ByteStream::recognise() {
  const auto may_become = [&](std::string_view mark) {
    return input_.size() < mark.size() && mark.starts_with(input_);
  };
  while (!ended_ && (may_become(gzip_mark) || may_become(zstd_mark))) fill();
  if (input_.starts_with(gzip_mark)) decoder_ = std::make_unique<Gzip>(name_);
  else if (input_.starts_with(zstd_mark)) decoder_ = std::make_unique<Zstd>(name_);
  recognised_ = true;
}

size_t ByteStream::read(char* out, size_t size) {
  if (!recognised_) recognise();
  for (;;) {
    std::string_view in = std::string_view(input_).substr(at_);
    size_t got;
    if (decoder_) {
      got = decoder_->decode(in, out, size);
      at_ = input_.size() - in.size();
    } else {
      got = in.copy(out, size);
      at_ += got;
    }
    if (got > 0) return got;
    if (at_ == input_.size() && ended_) {
      check(!decoder_ || decoder_->complete(), "{}: the compressed data is cut off at byte {}",
            name_, taken_);
      return 0;
    }
    if (at_ == input_.size()) fill();
  }
}

bool ByteStream::pauses() {
  if (at_ < input_.size() || ended_) return false;
  pollfd input{descriptor_, POLLIN, 0};
  return ::poll(&input, 1, 0) == 0;
}

}  // namespace gradus
