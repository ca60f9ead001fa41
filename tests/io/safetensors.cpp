#include "gradus/io/safetensors.h"

#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>

#include "gradus/ops/ops.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

std::string file_of(const std::string& header, const std::string& buffer = "") {
  const uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + buffer;
}

// The header of one tensor t.
std::string header_of(const char* dtype, const char* shape, const char* offsets) {
  return fmt::format(R"({{"t":{{"dtype":"{}","shape":{},"data_offsets":{}}}}})", dtype, shape,
                     offsets);
}

}  // namespace

TEST_CASE("safetensors: what is written is read, of any layout and dtype") {
  const Scratch scratch;
  const Tensor a = random_normal({3, 4}, 1), b = random_normal({5}, 2), c = zeros({0, 2}),
               d = random_normal({2}, 3, 0, DType::f64), e = scalar(7);
  write_safetensors(scratch / "t",
                    {{"a", transpose(a)}, {"b", b}, {"empty", c}, {"wide", d}, {"scalar", e}});
  const SafetensorsFile file(scratch / "t");
  CHECK(file.metadata() == std::map<std::string, std::string>{{"format", "pt"}});
  CHECK(file.entry("a").shape == Shape{4, 3});
  CHECK(file.entry("empty").shape == Shape{0, 2});
  // aligned in the file, which is mapped at a page
  CHECK(reinterpret_cast<uintptr_t>(file.entry("a").data) % 8 == 0);
  Tensor a_back = zeros({4, 3}), b_wide = zeros({5}, DType::f64), d_back = zeros({2}),
         e_back = scalar(0), empty_back = zeros({0, 2});
  file.read("a", a_back);
  file.read("b", b_wide);
  file.read("wide", d_back);
  file.read("scalar", e_back);
  file.read("empty", empty_back);
  CHECK(norm(a_back - transpose(a)) == 0);
  CHECK(norm(cast(b_wide, DType::f32) - b) == 0);
  CHECK(norm(d_back - cast(d, DType::f32)) == 0);
  CHECK(e_back.item() == 7);
  write_safetensors(scratch / "none", {}, StoredAs::f32, {});
  CHECK(SafetensorsFile(scratch / "none").entries().empty());
}

TEST_CASE("safetensors: F16, BF16 and F64 are converted") {
  const Scratch scratch;
  const auto read_all = [&](const char* dtype, const void* values, size_t bytes, int64_t count) {
    // One byte before it, so that nothing is aligned.
    const std::string header =
        fmt::format(R"({{"pad":{{"dtype":"U8","shape":[1],"data_offsets":[0,1]}},)"
                    R"("t":{{"dtype":"{}","shape":[{}],"data_offsets":[1,{}]}}}})",
                    dtype, count, bytes + 1);
    write_file(scratch / "t",
               file_of(header, std::string("x").append(static_cast<const char*>(values), bytes)));
    Tensor t = zeros({count});
    SafetensorsFile(scratch / "t").read("t", t);
    return t.to_vector<float>();
  };
  const uint16_t halves[] = {0x3c00, 0xc100, 0x0001, 0x83ff, 0x7bff, 0x7c00, 0x8000};
  CHECK(read_all("F16", halves, sizeof halves, 7) ==
        std::vector<float>{1, -2.5f, 0x1p-24f, -1023 * 0x1p-24f, 65504, INFINITY, -0.0f});
  const uint16_t half_nan[] = {0x7e00};
  CHECK(std::isnan(read_all("F16", half_nan, 2, 1)[0]));
  const uint16_t bfloats[] = {0x3f80, 0xc020, 0xff80};
  CHECK(read_all("BF16", bfloats, sizeof bfloats, 3) == std::vector<float>{1, -2.5f, -INFINITY});
  const double doubles[] = {0.1, -3};
  CHECK(read_all("F64", doubles, sizeof doubles, 2) == std::vector<float>{0.1f, -3});
}

TEST_CASE("safetensors: BF16 is written rounded to nearest, ties to even") {
  const Scratch scratch;
  const std::vector<float> values{1,
                                  1 + 0x1p-8f,
                                  1 + 3 * 0x1p-8f,
                                  1 + 0x1p-8f + 0x1p-20f,
                                  -1 - 0x1p-9f,
                                  std::numeric_limits<float>::max(),
                                  INFINITY};
  write_safetensors(scratch / "t",
                    {{"t", from_vector(values, {7})},
                     {"nan", full({1}, std::numeric_limits<double>::quiet_NaN())}},
                    StoredAs::bf16);
  const SafetensorsFile file(scratch / "t");
  CHECK(file.entry("t").dtype == "BF16");
  Tensor back = zeros({7}), nan = zeros({1});
  file.read("t", back);
  file.read("nan", nan);
  CHECK(back.to_vector<float>() ==
        std::vector<float>{1, 1, 1 + 0x1p-6f, 1 + 0x1p-7f, -1, INFINITY, INFINITY});
  CHECK(std::isnan(nan.item()));
}

TEST_CASE("safetensors: malformed files, one by one") {
  const Scratch scratch;
  const auto refused = [&](const std::string& bytes, const std::string& mentions) {
    write_file(scratch / "bad.safetensors", bytes);
    const std::string error = error_of([&] { SafetensorsFile file(scratch / "bad.safetensors"); });
    CHECK_MENTIONS(error, "bad.safetensors");
    CHECK_MENTIONS(error, mentions);
    CHECK(error.size() < 500);
  };
  const std::string f32 = R"("dtype":"F32","shape":[1],"data_offsets":)";
  // The header's length and text.
  refused("", "too few");
  refused("abc", "too few");
  refused(std::string(8, '\xff'), "claims");
  refused(file_of("{}").substr(0, 9), "cut off");
  refused(file_of(""), "does not begin with {");
  refused(file_of("[]"), "does not begin with {");
  refused(file_of(" {}"), "does not begin with {");
  refused(file_of("{\"a\xff\": 1}"), "UTF-8");
  refused(file_of("{\"a\": }"), "JSON");
  refused(file_of("{}x"), "JSON");
  refused(file_of(R"({"t":)" + std::string(100'000, '[')), "nests");
  // Keys and kinds.
  refused(file_of("{\"t\":{" + f32 + "[0,4]},\"t\":{" + f32 + "[0,4]}}", "1234"), "\"t\" twice");
  refused(
      file_of(R"({"t":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "1234"),
      "\"dtype\" twice");
  refused(file_of(R"({"__metadata__":{"a":1}})"), "__metadata__");
  refused(file_of(R"({"__metadata__":"a"})"), "__metadata__");
  refused(file_of(R"({"t":5})"), "no dtype");
  refused(file_of(R"({"t":{"dtype":"F32","data_offsets":[0,4]}})", "1234"), "no shape");
  refused(file_of(R"({"t":{"dtype":"F32","shape":[1]}})", "1234"), "no data_offsets");
  refused(file_of(R"({"t":{"dtype":32,"shape":[1],"data_offsets":[0,4]}})", "1234"), "wrong kind");
  refused(file_of(R"({"t":{"dtype":")" + std::string(1000, 'x') + R"("}})"), "no shape");
  // Dtypes and shapes.
  refused(file_of(header_of("F31", "[1]", "[0,4]"), "1234"), "F31");
  refused(file_of(header_of("F4", "[3]", "[0,1]"), "1"), "1.5 bytes");
  refused(file_of(header_of("F32", "1", "[0,4]"), "1234"), "list of sizes");
  refused(file_of(header_of("F32", "[-1]", "[0,4]"), "1234"), "[-1]");
  refused(file_of(header_of("F32", "[1.0]", "[0,4]"), "1234"), "[1.0]");
  refused(file_of(header_of("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), "1234"), "9 axes");
  refused(file_of(header_of("F32", "[2]", "[0,4]"), "1234"), "8 bytes");
  refused(file_of(header_of("F32", "[4294967296, 4294967296, 4294967296]", "[0,4]"), "1234"),
          "overflows");
  refused(file_of(header_of("F32", "[0, 18446744073709551615]", "[0,0]")), "overflows");
  // Places in the buffer.
  refused(file_of(header_of("F32", "[1]", "[0]"), "1234"), "[begin, end]");
  refused(file_of(header_of("F32", "[1]", "[-4,0]"), "1234"), "[begin, end]");
  refused(file_of(header_of("F32", "[1]", "[4,0]"), "1234"), "4..0");
  refused(file_of(header_of("F32", "[2]", "[0,8]"), "1234"), "damaged");
  refused(file_of(header_of("F32", "[1]", "[4,8]"), "12345678"), "hole");
  refused(file_of(header_of("F32", "[1]", "[0,4]"), "12345678"), "end at byte 4");
  refused(file_of("{\"a\":{" + f32 + "[0,4]},\"b\":{" + f32 + "[0,4]}}", "1234"), "overlap");
  refused(file_of("{}", "1234"), "end at byte 0");
  // And one that is right, with the spaces that may pad a header.
  write_file(scratch / "good", file_of(header_of("F32", "[1]", "[0,4]") + "   ", "1234"));
  CHECK(SafetensorsFile(scratch / "good").entries().size() == 1);
}

TEST_CASE(
    "safetensors: whatever a byte is changed to, and wherever the file ends, it is read or "
    "refused") {
  const Scratch scratch;
  write_safetensors(scratch / "t", {{"a", random_normal({3, 4}, 1)}, {"b", random_normal({5}, 2)}});
  const std::string whole = read_file(scratch / "t");
  const auto open = [&](const std::string& bytes) {
    // not write_file, which waits for the disk
    std::ofstream(scratch / "u", std::ios::binary) << bytes;
    SafetensorsFile file(scratch / "u");
  };
  uint64_t header;
  std::memcpy(&header, whole.data(), 8);
  const size_t buffer = 8 + header;
  for (size_t at = 0; at < buffer; ++at)
    for (const char byte : {'\0', '0', '9', '"', '{', '[', '\xff'}) {
      std::string bytes = whole;
      bytes[at] = byte;
      try {
        open(bytes);
      } catch (const Error&) {}
    }
  for (size_t length = 0; length < whole.size(); ++length)
    CHECK_MENTIONS(error_of([&] { open(whole.substr(0, length)); }), "/u");
}

TEST_CASE("safetensors: a tensor that is not there, of another shape, of integers, or twice") {
  const Scratch scratch;
  write_file(scratch / "t", file_of(header_of("I64", "[1]", "[0,8]"), "12345678"));
  const SafetensorsFile file(scratch / "t");
  Tensor one = zeros({1}), two = zeros({2});
  CHECK_MENTIONS(error_of([&] { file.read("u", one); }), "no tensor 'u'");
  CHECK_MENTIONS(error_of([&] { file.read("t", two); }),
                 "'t' has the shape [1], the model wants [2]");
  CHECK_MENTIONS(error_of([&] { file.read("t", one); }), "'t' is I64");
  CHECK_MENTIONS(error_of([&] {
                   write_safetensors(scratch / "v", {{"t", one}, {"t", two}});
                 }),
                 "named 't'");
  CHECK_MENTIONS(error_of([&] { write_safetensors(scratch / "v", {{"t", arange(3)}}); }), "i64");
  CHECK(!std::filesystem::exists(scratch / "v"));
}

TEST_CASE("safetensors: a real checkpoint that was cut off is refused") {
  if (const auto folder = shared_data("truncated-checkpoint"); !folder.empty())
    CHECK_MENTIONS(
        error_of([&] { SafetensorsFile file(folder / "all-MiniLM-L6-v2.truncated.safetensors"); }),
        "cut off");
}

TEST_CASE("safetensors: a header of 100,000 tensors is read in a moment") {
  const Scratch scratch;
  std::string header = "{", values;
  for (int i = 0; i < 100'000; ++i) {
    header += fmt::format(R"({}"t.{}":{{"dtype":"F32","shape":[1],"data_offsets":[{},{}]}})",
                          i ? "," : "", i, 4 * i, 4 * i + 4);
    values += "1234";
  }
  write_file(scratch / "many", file_of(header + "}", values));
  CHECK(SafetensorsFile(scratch / "many").entries().size() == 100'000);
}
