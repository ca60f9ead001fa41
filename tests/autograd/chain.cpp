// A chain of a million nodes records, runs backward and is destroyed without recursion: on a thread
// whose stack could not hold a tenth of the calls.
#include <pthread.h>

#include "gradus/autograd/engine.h"
#include "gradus/autograd/graph.h"
#include "gradus/ops/ops.h"
#include "tests/support.h"

namespace gradus::testing {
namespace {

constexpr int length = 1'000'000;
struct Outcome {
  double gradient = 0, partial = 0;
  size_t nodes = 0;
  std::string error;
};

void* run_chain(void* outcome_pointer) {
  Outcome& outcome = *static_cast<Outcome*>(outcome_pointer);
  try {
    const Tensor x = scalar(1, DType::f64).set_requires_grad();
    {
      Tensor y = x;
      for (int i = 0; i < length; ++i) y = y + 1e-6;
      outcome.nodes = nodes_of(y).size();
      backward(y);
      outcome.gradient = x.grad().item();
    }
    Tensor y = x;
    // saves its inputs, and is destroyed while it still holds them
    for (int i = 0; i < length / 10; ++i) y = y * x;
    outcome.partial = grad(y, {x}, {.keep_graph = true})[0].item();
  } catch (const std::exception& error) { outcome.error = error.what(); }
  return nullptr;
}

}  // namespace

TEST_CASE("chain: a million nodes record, run back and are destroyed on a small stack") {
  Outcome outcome;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  // sanitizers need more than 256 KiB of it for themselves
  REQUIRE(pthread_attr_setstacksize(&attributes, 512 << 10) == 0);
  pthread_t thread;
  REQUIRE(pthread_create(&thread, &attributes, run_chain, &outcome) == 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  CHECK(outcome.error == "");
  CHECK(outcome.nodes == length);
  CHECK(outcome.gradient == 1);
  CHECK(outcome.partial == length / 10 + 1);
}

}  // namespace gradus::testing
