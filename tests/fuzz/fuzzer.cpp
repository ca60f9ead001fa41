// libFuzzer over one format, the one that GRADUS_FUZZ names; without it, it lists those there are
// and ends. With GRADUS_FUZZ_SEEDS it writes the format's seeds into that folder and ends.
#include <cstdio>
#include <cstdlib>

#include "gradus/base/error.h"
#include "gradus/base/file.h"
#include "tests/fuzz/fuzz.h"

using namespace gradus::testing;

namespace {
const Format* fuzzed;
}

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  const char *name = std::getenv("GRADUS_FUZZ"), *folder = std::getenv("GRADUS_FUZZ_SEEDS");
  if (!name) {
    for (const Format& f : formats()) std::puts(f.name.c_str());
    std::exit(0);
  }
  try {
    fuzzed = &format(name);
    if (folder) {
      int number = 0;
      for (const std::string& seed : fuzzed->seeds())
        gradus::write_file(std::filesystem::path(folder) / fmt::format("seed-{}", ++number), seed);
      std::exit(0);
    }
  } catch (const gradus::Error& error) {
    std::fprintf(stderr, "fuzzer: GRADUS_FUZZ: %s\n", error.what());
    std::exit(2);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  reads(*fuzzed, {reinterpret_cast<const char*>(bytes), size});
  return 0;
}
