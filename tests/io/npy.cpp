#include "gradus/io/npy.h"

#include <cstring>

#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

TEST_CASE("npy: the header of format 1.0 and the rows, as numpy.load reads them") {
  const Scratch scratch;
  NpyWriter file(scratch / "v.npy", 2);
  const std::vector<float> first{1, 2, 3, 4}, second{-5, 0.5f};
  file.write(first);
  CHECK_FALSE(std::filesystem::exists(scratch / "v.npy"));  // whole at commit, or not at all
  file.write(second);
  file.commit();
  const std::string bytes = read_file(scratch / "v.npy");
  REQUIRE(bytes.size() == 128 + 6 * sizeof(float));
  CHECK(bytes.substr(0, 10) == std::string("\x93NUMPY\x01\x00\x76\x00", 10));  // 118 bytes follow
  CHECK(bytes.substr(10, 60) == "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), } ");
  CHECK(bytes[127] == '\n');
  float rows[6];
  std::memcpy(rows, bytes.data() + 128, sizeof rows);
  CHECK(std::vector<float>(rows, rows + 6) == std::vector<float>{1, 2, 3, 4, -5, 0.5f});
}

TEST_CASE("npy: what is no matrix, and what is never committed") {
  const Scratch scratch;
  {
    NpyWriter file(scratch / "v.npy", 2);
    CHECK_MENTIONS(error_of([&] {
                     file.write(std::vector<float>{1, 2, 3});
                   }),
                   "3 numbers are not whole rows of 2");
  }
  CHECK(std::filesystem::is_empty(scratch.path()));
  CHECK_MENTIONS(error_of([&] { NpyWriter(scratch / "v.npy", 0); }), "0 columns");
}
