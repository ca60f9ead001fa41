// Memory for tensors, cached: fresh pages arrive from the system at about 1 GB/s while kernels run
// at 25, so blocks are kept and reused.
//
// One range of addresses is reserved at the start and grows at its end only; free blocks coalesce
// with their neighbours, and the best fitting one is split. Small blocks (up to 4 KiB) come from
// lists by size class carved out of it. Under ragged batches, whose sizes never repeat, what is
// reserved stays close to the peak of what is live (tests/autograd/memory.cpp). Under an address
// sanitizer every block is malloc's own, so that misuse is found. Thread safe. Blocks are 64-byte
// aligned and hold whatever was there before.
#pragma once

#include <cstddef>
#include <memory>

namespace gradus {

struct MemoryStatistics {
  size_t live;      // bytes handed out now
  size_t peak;      // the most that was live since reset_memory_peak()
  size_t reserved;  // bytes taken from the system
};

std::shared_ptr<void> allocate(size_t bytes);
MemoryStatistics memory_statistics();
void reset_memory_peak();

}  // namespace gradus
