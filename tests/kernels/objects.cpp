// The kernel objects share nothing with the rest of the program: a weak symbol compiled with
// AVX-512 and linked first would kill the baseline.
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "tests/kernels/levels.h"

using namespace gradus;
using namespace gradus::testing;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kSanitized = true;
#elif defined(__has_feature)
constexpr bool kSanitized = __has_feature(address_sanitizer);
#else
constexpr bool kSanitized = false;
#endif

TEST_CASE(
    "each kernel object defines one symbol, its table, none of them weak, and runs nothing at "
    "start-up") {
  if (kSanitized) {
    MESSAGE("SKIPPED: a sanitizer puts symbols of its own into every object");
    return;
  }
  std::istringstream libraries(GRADUS_KERNEL_LIBRARIES);
  std::string library;
  while (libraries >> library) {
    CAPTURE(library);
    std::FILE* pipe = ::popen(("nm -A " + library).c_str(), "r");
    REQUIRE(pipe);
    int tables = 0;
    char line[1024];
    while (std::fgets(line, sizeof line, pipe)) {
      const std::string text = line;
      CAPTURE(text);
      // "library:object:address type name"; undefined symbols have no address.
      std::istringstream words(text.substr(text.find(".o:") + 3));
      std::string address, type, name;
      words >> address >> type >> name;
      if (name.empty()) {  // undefined: only the C library's
        CHECK(address == "U");
        CHECK(type.find("_Z") != 0);
        continue;
      }
      CHECK(std::string("WwVvu").find(type) == std::string::npos);
      CHECK(name.find("_GLOBAL__sub_I") == std::string::npos);
      if (std::isupper(static_cast<unsigned char>(type[0]))) {
        CHECK((name.find("kernels_") != name.npos || name.find("tiles_") != name.npos));
        ++tables;
      }
    }
    CHECK(::pclose(pipe) == 0);
    CHECK(tables == 1);
  }
}

TEST_CASE("no code for AVX can be linked in place of the baseline's") {
  if (kSanitized) return;
  // Symbols that the linker may take from any object (weak), and hold registers of AVX: only the
  // copies that kernels/loops.h makes for a level, which are called for that level alone.
  const std::string command =
      "objdump -d --no-show-raw-insn " GRADUS_LIBRARY
      " | awk '/^[0-9a-f]+ </ {name = $2} /%[yz]mm/ {print name}' | sort -u > \"$D/avx\"; "
      "nm " GRADUS_LIBRARY
      " 2>/dev/null | awk '$2 ~ /^[WVu]$/ {print \"<\" $3 \">:\"}' | sort -u > "
      "\"$D/weak\"; comm -12 \"$D/avx\" \"$D/weak\"";
  std::FILE* pipe = ::popen(("D=$(mktemp -d); " + command + "; rm -r \"$D\"").c_str(), "r");
  REQUIRE(pipe);
  int copies = 0;
  char line[4096];
  while (std::fgets(line, sizeof line, pipe)) {
    const std::string name = line;
    const bool of_a_level = name.find("run_avx") != std::string::npos;
    CHECK_MESSAGE(of_a_level, name);
    copies += of_a_level;
  }
  CHECK(::pclose(pipe) == 0);
#if defined(__x86_64__) && defined(__OPTIMIZE__)
  MESSAGE(copies, " copies of loops for AVX2 and AVX-512");
#endif
}

TEST_CASE("the level is the processor's best, or the one that GRADUS_ISA names") {
  int count;
  const auto* levels = kernel_levels(&count);
  CHECK(std::string(levels[0]->level) == "baseline");
  CHECK(std::string(kernels<double>().level) == "baseline");
  const char* forced = std::getenv("GRADUS_ISA");
  CHECK(std::string(kernels<float>().level) ==
        (forced && *forced ? forced : levels[count - 1]->level));
}
