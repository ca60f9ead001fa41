// Every format's seeds are read; of thousands of damaged ones, and of all that fuzzing ever found,
// each is read or refused.
#include <doctest/doctest.h>

#include "gradus/base/file.h"
#include "tests/fuzz/damaged.h"
#include "tests/fuzz/fuzz.h"

using namespace gradus;
using namespace gradus::testing;
namespace fs = std::filesystem;

namespace {

// A finding's text; empty where there is none.
std::string finding(const Format& format, const std::string& input, int& read) {
  try {
    read += reads(format, input);
    return "";
  } catch (const std::exception& error) { return error.what(); }
}

// Where a finding is kept for whoever mends it; and under sanitizers what is fed now is known.
void keep(const std::string& input) {
  if (const char* path = std::getenv("GRADUS_FUZZ_KEEP")) write_file(path, input);
}

void replay(const std::string& name) {
  const Format& format = gradus::testing::format(name);
  const std::vector<std::string> seeds = format.seeds();
  REQUIRE(!seeds.empty());
  int read = 0;
  for (const std::string& seed : seeds) {
    const std::string found = finding(format, seed, read);
    CHECK_MESSAGE(found.empty(), name << ": a seed: " << found);
  }
  CHECK_MESSAGE(read == static_cast<int>(seeds.size()), name << ": a seed is refused");

  const fs::path cases = fs::path(GRADUS_SOURCE_ROOT) / "tests" / "fuzz" / "cases" / name;
  if (fs::exists(cases))
    for (const auto& entry : fs::directory_iterator(cases)) {
      const std::string found = finding(format, read_file(entry.path()), read);
      CHECK_MESSAGE(found.empty(), entry.path().string() << ": " << found);
    }

  Random random(17, seeds.size());
  const int times = name == "checkpoint" ? 100 : 2000;
  int damaged_read = 0;
  for (int i = 0; i < times; ++i) {
    const auto& seed = seeds[static_cast<size_t>(i) % seeds.size()];
    // the first line, which says what the rest is, stays most times
    const size_t line = format.parts ? seed.find('\n') + 1 : 0;
    const std::string input = seed.substr(0, line) + damaged(seed.substr(line), random);
    keep(input);
    const std::string found = finding(format, input, damaged_read);
    CHECK_MESSAGE(found.empty(), name << ": damaged seed " << i << ": " << found);
  }
  CHECK_MESSAGE(damaged_read < times, name << ": nothing was refused");
}

}  // namespace

TEST_CASE("weights: damaged files are read or refused") {
  for (const Format& format : tensor_formats()) replay(format.name);
}
TEST_CASE("configurations, tokenizers, text: damaged files are read or refused") {
  for (const Format& format : text_formats()) replay(format.name);
}
TEST_CASE("tables, SQuAD, CoNLL: damaged files are read or refused") {
  for (const Format& format : table_formats()) replay(format.name);
}
TEST_CASE("corpora, checkpoints, adapters: damaged files are read or refused") {
  for (const Format& format : folder_formats()) replay(format.name);
}
