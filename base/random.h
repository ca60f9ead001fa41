// Random numbers for everything outside kernels (data, initial values, samples in tests): a stream
// is a function of (seed, stream), built on Philox. Equal (seed, stream) give equal numbers on
// every machine; the distributions are ours, because the standard library's differ between vendors.
#pragma once

#include <cmath>
#include <cstdint>
#include <iterator>
#include <numbers>
#include <type_traits>
#include <utility>

#include "gradus/base/philox.h"

namespace gradus {

class Random {
 public:
  explicit Random(uint64_t seed, uint64_t stream = 0) : key_(seed), stream_(stream) {}

  uint32_t bits() {
    if (used_ == 4) {
      words_ = philox({{static_cast<uint32_t>(block_), static_cast<uint32_t>(block_ >> 32),
                        static_cast<uint32_t>(stream_), static_cast<uint32_t>(stream_ >> 32)}},
                      key_);
      ++block_;
      used_ = 0;
    }
    return words_.word[used_++];
  }
  // two words, the first drawn above the second
  uint64_t wide_bits() {
    const uint64_t high = bits();
    return high << 32 | bits();
  }
  // [0, 1): 53 bits, so that none rounds to 1
  double uniform() { return static_cast<double>(wide_bits() >> 11) * 0x1p-53; }
  // [low, high), as a T: a number that rounds to high becomes the one before it
  template <class T = double>
  T uniform(std::type_identity_t<T> low, std::type_identity_t<T> high) {
    const T x = static_cast<T>(low + (static_cast<double>(high) - low) * uniform());
    return x < high || low >= high ? x : std::nextafter(high, low);
  }
  // 0 .. n-1
  int64_t below(int64_t n) {
    const uint64_t wide = wide_bits();
    return static_cast<int64_t>(n <= INT32_MAX ? ((wide >> 32) * static_cast<uint64_t>(n)) >> 32
                                               : wide % static_cast<uint64_t>(n));
  }
  // low .. high, both included
  int64_t between(int64_t low, int64_t high) { return low + below(high - low + 1); }
  // mean 0, variance 1 (Box and Muller)
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }
  // An element of a container that is not empty.
  template <class Range>
  const auto& pick(const Range& range) {
    return range[static_cast<size_t>(below(static_cast<int64_t>(std::size(range))))];
  }
  template <class Range>
  void shuffle(Range& range) {
    for (int64_t i = static_cast<int64_t>(range.size()) - 1; i > 0; --i)
      std::swap(range[static_cast<size_t>(i)], range[static_cast<size_t>(below(i + 1))]);
  }

 private:
  uint64_t key_, stream_, block_ = 0;
  PhiloxWords words_{};
  int used_ = 4;
};

}  // namespace gradus
