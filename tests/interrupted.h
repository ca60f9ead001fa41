// A kill in the middle of long work, for tests that go on afterwards: the work ends somewhere, and
// what it had written stays.
#pragma once

#include <stdexcept>

namespace gradus::testing {

struct Killed : std::runtime_error {
  Killed() : std::runtime_error("killed") {}
};

// run(tell): ends where tell() is called for the (n + 1)-th time. False: it had come to its end.
template <class Run>
bool is_interrupted(int n, Run&& run) {
  const auto tell = [&] {
    if (--n < 0) throw Killed();
  };
  try {
    run(tell);
  } catch (const Killed&) { return true; }
  return false;
}

}  // namespace gradus::testing
