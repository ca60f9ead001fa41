#include "gradus/io/event_file.h"

#include <chrono>

#include "gradus/io/crc32.h"
#include "gradus/io/protobuf.h"

namespace gradus {
namespace fs = std::filesystem;
namespace {

constexpr const char *before_time = "events.out.tfevents.", *after_time = ".gradus";

std::string record(const std::string& content) {
  const std::string length = bytes_of(static_cast<uint64_t>(content.size()));
  return length + bytes_of(masked_crc32c(length)) + content + bytes_of(masked_crc32c(content));
}

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// The new file's path. An earlier run's file goes: beside the new one it would be shown as part of
// the run.
fs::path place_in(const fs::path& folder) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(before_time) && name.ends_with(after_time)) fs::remove(entry.path(), none);
  }
  return folder / fmt::format("{}{:.0f}{}", before_time, now(), after_time);
}

}  // namespace

std::string event_record(double wall_time, int64_t step, const Metrics& scalars) {
  std::string summary;
  for (const auto& [tag, value] : scalars)
    summary += text_field(1, text_field(1, tag) + float_field(2, static_cast<float>(value)));
  return record(double_field(1, wall_time) + number_field(2, static_cast<uint64_t>(step)) +
                text_field(5, summary));
}

EventFile::EventFile(const fs::path& folder) : file_(place_in(folder)) {
  file_.append(record(double_field(1, now()) + text_field(3, "brain.Event:2")));
}

void EventFile::write(int64_t step, const Metrics& scalars) {
  file_.append(event_record(now(), step, scalars));
}

}  // namespace gradus
