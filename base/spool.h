// Spool<T>: a vector that lies in a file, for what may be larger than memory. Appended to through a
// buffer, then mapped; external_sort() sorts one.
#pragma once

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <queue>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace gradus {

// The bytes of a spool. Errors name the file.
class SpoolFile {
 public:
  // Keeps the first `kept` bytes of what is there; what is behind them is cut off.
  SpoolFile(std::filesystem::path path, int64_t kept);
  ~SpoolFile();
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;

  void append(const void* bytes, size_t size);
  int64_t size() const { return written_ + static_cast<int64_t>(buffer_.size()); }
  void flush();  // to the system
  void sync();   // to the disk
  // All that there is, to be read and changed. Valid until the next append() or map().
  std::span<char> map();

 private:
  void unmap();

  std::filesystem::path path_;
  int descriptor_;
  int64_t written_ = 0;
  std::string buffer_;
  char* mapped_ = nullptr;
  size_t mapped_size_ = 0;
};

template <class T>
class Spool {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit Spool(std::filesystem::path path, int64_t kept = 0)
      : file_(std::move(path), kept * static_cast<int64_t>(sizeof(T))) {}
  void push_back(const T& value) { file_.append(&value, sizeof(T)); }
  void append(std::span<const T> values) { file_.append(values.data(), values.size_bytes()); }
  int64_t size() const { return file_.size() / static_cast<int64_t>(sizeof(T)); }
  void sync() { file_.sync(); }
  std::span<T> map() {
    const std::span<char> bytes = file_.map();
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
  }

 private:
  SpoolFile file_;
};

// Calls take(value) for all values of a spool, ascending, in the memory of `at_once` of them. The
// spool's own order is lost.
template <class T, class F>
void external_sort(Spool<T>& spool, F&& take, size_t at_once = size_t{1} << 22) {
  const std::span<T> all = spool.map();
  struct Run {
    const T *at, *end;
  };
  const auto later = [](const Run& a, const Run& b) { return *b.at < *a.at; };
  std::priority_queue<Run, std::vector<Run>, decltype(later)> runs(later);
  for (size_t begin = 0; begin < all.size(); begin += at_once) {
    const std::span<T> run = all.subspan(begin, std::min(at_once, all.size() - begin));
    std::sort(run.begin(), run.end());
    runs.push({run.data(), run.data() + run.size()});
  }
  while (!runs.empty()) {
    Run run = runs.top();
    runs.pop();
    take(*run.at);
    if (++run.at != run.end) runs.push(run);
  }
}

}  // namespace gradus
