#include "io/event_file.h"

#include <chrono>
#include <cstring>

#include "base/error.h"
#include "io/crc32.h"

namespace gradus {
namespace fs = std::filesystem;
namespace {

constexpr const char *before_time = "events.out.tfevents.", *after_time = ".gradus";

template <class T>
std::string bytes_of(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7) bytes += static_cast<char>(value | 128);
  return bytes + static_cast<char>(value);
}

// A protocol buffer's field begins with its number and how it is stored.
enum Wire : char { number = 0, eight_bytes = 1, counted = 2, four_bytes = 5 };
std::string field(int id, Wire wire, const std::string& content) {
  return static_cast<char>(id << 3 | wire) + (wire == counted ? varint(content.size()) : "") + content;
}

uint32_t masked_crc(const std::string& bytes) {
  const uint32_t crc = crc32c(bytes);
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

std::string record(const std::string& content) {
  const std::string length = bytes_of(static_cast<uint64_t>(content.size()));
  return length + bytes_of(masked_crc(length)) + content + bytes_of(masked_crc(content));
}

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

// Another file beside it would be shown as part of the run.
void remove_earlier(const fs::path& folder) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(before_time) && name.ends_with(after_time)) fs::remove(entry.path(), none);
  }
}

}  // namespace

std::string event_record(double wall_time, int64_t step, const Scalars& scalars) {
  std::string summary;
  for (const auto& [tag, value] : scalars)
    summary += field(1, counted, field(1, counted, tag) + field(2, four_bytes, bytes_of(static_cast<float>(value))));
  return record(field(1, eight_bytes, bytes_of(wall_time)) + field(2, number, varint(static_cast<uint64_t>(step))) +
                field(5, counted, summary));
}

EventFile::EventFile(const fs::path& folder)
    : path_((folder / fmt::format("{}{:.0f}{}", before_time, now(), after_time)).string()), file_(nullptr, std::fclose) {
  remove_earlier(folder);
  file_.reset(std::fopen(path_.c_str(), "wb"));
  check(file_ != nullptr, "cannot write {}", path_);
  append(record(field(1, eight_bytes, bytes_of(now())) + field(3, counted, "brain.Event:2")));
}

void EventFile::write(int64_t step, const Scalars& scalars) { append(event_record(now(), step, scalars)); }

void EventFile::append(const std::string& record) {
  if (std::fwrite(record.data(), 1, record.size(), file_.get()) != record.size() || std::fflush(file_.get()) != 0)
    fail_run("cannot write {}: is the disk full?", path_);
}

}  // namespace gradus
