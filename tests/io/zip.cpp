#include "gradus/io/zip.h"

#include "tests/io/byte_files.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

std::string refusal(const std::string& archive) {
  return error_of([&] { read_stored_zip(archive, "a.zip"); });
}

}  // namespace

TEST_CASE("crc: the check values of the two polynomials") {
  CHECK(crc32_of_zip("123456789") == 0xCBF43926u);
  CHECK(crc32c("123456789") == 0xE3069283u);
  CHECK(crc32c(std::string(32, '\0')) == 0x8A9136AAu);  // RFC 3720, B.4
}

TEST_CASE("zip: stored files are views of the archive; zip64 and a comment make no difference") {
  for (const bool zip64 : {false, true}) {
    const std::string archive =
        make_zip({{"a/x", "hello"}, {"a/empty", ""}, {"b", std::string(1000, 'y')}}, zip64);
    const auto files = read_stored_zip(archive, "a.zip");
    CHECK(files.size() == 3);
    CHECK(files.at("a/x") == "hello");
    CHECK(files.at("a/empty").empty());
    CHECK(files.at("b") == std::string(1000, 'y'));
    CHECK(files.at("b").data() > archive.data());
    if (!zip64) {
      const std::string commented = archive + "a comment";
      CHECK(read_stored_zip(commented, "a.zip").at("a/x") == "hello");
    }
  }
}

TEST_CASE("zip: compressed, encrypted, damaged, overlapping, twice") {
  CHECK_MENTIONS(refusal(make_zip({{"bomb", "xx", 8, 0, 4'000'000'000}})), "'bomb' is compressed");
  CHECK_MENTIONS(refusal(make_zip({{"a", "xx", 0, 1}})), "'a' is encrypted");
  CHECK_MENTIONS(refusal(make_zip({{"a", "xx"}, {"a", "yy"}})), "two files 'a'");
  CHECK_MENTIONS(refusal(make_zip({{"a", "xx"}, {"b", "xx", 0, 0, -1, 0}})), "overlap");
  std::string damaged = make_zip({{"a", "hello"}});
  damaged[31]++;  // the first byte of its bytes
  CHECK_MENTIONS(refusal(damaged), "'a' do not have their CRC-32");
}

TEST_CASE("zip: sizes and places that are merely claimed") {
  CHECK_MENTIONS(refusal(make_zip({{"a", "xx", 0, 0, 4'000'000'000}})), "cut off");
  CHECK_MENTIONS(refusal(make_zip({{"a", "xx", 0, 0, INT64_MAX}}, true)), "cut off");
  CHECK_MENTIONS(refusal(make_zip({{"a", "xx", 0, 0, -1, 1'000'000}})), "cut off");
  std::string many = make_zip({{"a", "xx"}}, true);
  many[many.find("PK\x06\x06") + 39] = 0x10;  // 2^60 entries
  CHECK_MENTIONS(refusal(many), "a.zip");
  CHECK_MENTIONS(refusal("PK"), "end record");
  CHECK_MENTIONS(refusal("PK\x03\x04" + std::string(100'000, 'x')), "end record");
}
