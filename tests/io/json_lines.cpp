#include "gradus/io/json_lines.h"

#include <limits>

#include "gradus/base/file.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

TEST_CASE(
    "JSON lines: each object can be read as soon as it is written; what is not a number becomes "
    "null") {
  const Scratch scratch;
  JsonLines lines(scratch / "metrics.jsonl");
  lines.write({{"step", 1}, {"loss", 2.5}});
  CHECK(read_file(scratch / "metrics.jsonl") == "{\"step\":1,\"loss\":2.5}\n");
  lines.write({{"step", 2}, {"loss", std::numeric_limits<double>::quiet_NaN()}});
  CHECK(read_file(scratch / "metrics.jsonl") ==
        "{\"step\":1,\"loss\":2.5}\n{\"step\":2,\"loss\":null}\n");
}

TEST_CASE("JSON lines: a file that cannot be written is named") {
  const Scratch scratch;
  CHECK_MENTIONS(error_of([&] { JsonLines lines(scratch / "missing/metrics.jsonl"); }),
                 "missing/metrics.jsonl");
}
