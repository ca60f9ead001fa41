// TensorBoard's event files: scalars over steps, for `tensorboard --logdir RUNS`.
//
// Records as in TFRecord (length, its checksum, content, its checksum;
// tensorflow/core/lib/io/record_writer.h), each a protocol buffer Event
// (tensorflow/core/util/event.proto). Written as a run goes on and flushed record by record; a kill
// can cut off the last one, which readers pass over.
#pragma once

#include <string>

#include "gradus/base/file.h"
#include "gradus/base/metrics.h"

namespace gradus {

// One record. Scalars are tag and value, as in {"train/loss", 0.25}; values are stored as float32.
// wall_time: seconds since 1970.
std::string event_record(double wall_time, int64_t step, const Metrics& scalars);

class EventFile {
 public:
  // events.out.tfevents.SECONDS.gradus, in place of an earlier run's
  explicit EventFile(const std::filesystem::path& folder);
  void write(int64_t step, const Metrics& scalars);

 private:
  GrowingFile file_;
};

}  // namespace gradus
