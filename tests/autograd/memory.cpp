// The memory cache: what it hands out, and that ragged batches, whose sizes never repeat, do not
// fragment it.
#include "gradus/autograd/memory.h"

#include <cstring>

#include "gradus/autograd/engine.h"
#include "gradus/autograd/random.h"
#include "gradus/base/random.h"
#include "gradus/ops/ops.h"
#include "tests/support.h"

namespace gradus::testing {

TEST_CASE("memory: blocks are aligned, apart, and counted") {
  const size_t live = memory_statistics().live;
  std::vector<std::shared_ptr<void>> blocks;
  std::vector<size_t> sizes;
  for (size_t size = 1; size < (size_t{1} << 22); size = size * 3 + 1) {
    blocks.push_back(allocate(size));
    sizes.push_back(size);
    CHECK(reinterpret_cast<size_t>(blocks.back().get()) % 64 == 0);
    std::memset(blocks.back().get(), static_cast<int>(blocks.size()), size);
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    const auto* bytes = static_cast<const unsigned char*>(blocks[i].get());
    CHECK(bytes[0] == i + 1);
    CHECK(bytes[sizes[i] - 1] == i + 1);
  }
  CHECK(memory_statistics().live > live);
  blocks.clear();
  CHECK(memory_statistics().live == live);
}

#if !defined(__SANITIZE_ADDRESS__)  // there every block is malloc's
TEST_CASE(
    "memory: 1,000 ragged steps of a transformer keep what is reserved under 1.25 times the live "
    "peak") {
  // The sizes of one training step of a small BERT, activations kept until their backward, scratch
  // in between; the batch's tokens differ at every step.
  constexpr size_t hidden = 768, layers = 6, vocabulary = 8192;
  const size_t reserved_before = memory_statistics().reserved,
               live_before = memory_statistics().live;
  reset_memory_peak();
  Random random(1);
  std::vector<std::shared_ptr<void>> parameters;
  for (size_t i = 0; i < 12 * layers; ++i) parameters.push_back(allocate(4 * hidden * hidden));
  for (int step = 0; step < 1000; ++step) {
    const auto tokens = static_cast<size_t>(random.between(1500, 4096)),
               predicted = tokens * 15 / 100;
    std::vector<std::shared_ptr<void>> kept, passing;
    for (size_t layer = 0; layer < layers; ++layer) {
      for (const size_t width : {3 * hidden, hidden, hidden, hidden, 4 * hidden, 4 * hidden, hidden,
                                 hidden, size_t{1}, size_t{12}})
        kept.push_back(allocate(4 * tokens * width));
      // scores and other things that live for a while, and go oldest first
      for (int sequence = 0; sequence < 4; ++sequence) {
        passing.push_back(allocate(4 * static_cast<size_t>(random.between(16, 512) * 512)));
        if (passing.size() > 6) passing.erase(passing.begin());
      }
    }
    {
      const auto logits = allocate(4 * std::min<size_t>(predicted, 512) * vocabulary);
      kept.push_back(allocate(4 * predicted * hidden));
      kept.push_back(allocate(4 * vocabulary * hidden));
    }
    std::shared_ptr<void> gradient;
    while (!kept.empty()) {  // the walk backwards
      auto next = allocate(4 * tokens * (kept.size() % 10 == 5 ? 4 * hidden : hidden));
      const auto scratch = allocate(static_cast<size_t>(random.between(100, 200000)));
      gradient = std::move(next);
      kept.erase(
          kept.end() -
          // now and then out of turn
          static_cast<std::ptrdiff_t>(1 + static_cast<size_t>(random.below(2)) % kept.size()));
    }
  }
  const MemoryStatistics now = memory_statistics();
  MESSAGE("live peak ", now.peak >> 20, " MiB, reserved ", now.reserved >> 20,
          " MiB: ", static_cast<double>(now.reserved) / static_cast<double>(now.peak), " times");
  CHECK(static_cast<double>(now.reserved - reserved_before) <=
        1.25 * static_cast<double>(now.peak - live_before));
}
#endif

TEST_CASE("memory: a step frees all it took") {
  const Tensor w = random_normal({64, 64}, 1).set_requires_grad();
  const auto step = [&] {
    backward(sum(softmax(matmul(w, w))));
    w.clear_grad();
  };
  step();
  const size_t live = memory_statistics().live;
  for (int i = 0; i < 3; ++i) step();
  CHECK(memory_statistics().live == live);
}

TEST_CASE("memory: what a node saved is freed as soon as it has run") {
  const Tensor x = ones({1 << 16}).set_requires_grad();
  const size_t before = memory_statistics().live;
  Tensor y = x;
  for (int i = 0; i < 8; ++i) y = exp(y);
  const size_t recorded = memory_statistics().live - before;
  CHECK(recorded >= 8 * (size_t{4} << 16));
  Walk walk(sum(y));
  y = Tensor();
  size_t smallest = recorded;
  while (auto step = walk.next()) smallest = std::min(smallest, memory_statistics().live - before);
  CHECK(smallest < recorded / 2);
}

}  // namespace gradus::testing
