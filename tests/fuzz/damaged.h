// A file as a bad disk, a cut-off download or a stranger leaves it.
#pragma once

#include <algorithm>
#include <string>

#include "gradus/base/random.h"

namespace gradus::testing {

// Changes one to four things: a bit, a byte, a number of four bytes, the end, a run of bytes moved.
inline std::string damaged(std::string bytes, Random& random) {
  const int64_t times = random.between(1, 4);
  for (int64_t t = 0; t < times && !bytes.empty(); ++t) {
    const auto size = static_cast<int64_t>(bytes.size());
    const auto at =
        // headers more often
        static_cast<size_t>(random.below(2) ? random.below(size)
                                            : random.below(std::min<int64_t>(size, 512)));
    switch (random.below(6)) {
      case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8))); break;
      case 1: bytes[at] = static_cast<char>(random.below(256)); break;
      case 2:
        bytes.replace(at, 4,
                      random.below(2) ? std::string("\xff\xff\xff\x7f") : std::string(4, '\xff'));
        break;
      case 3: bytes.resize(at); break;
      case 4: bytes.insert(at, bytes, static_cast<size_t>(random.below(size)), 16); break;
      default: bytes.erase(at, static_cast<size_t>(random.between(1, 16)));
    }
  }
  return bytes;
}

}  // namespace gradus::testing
