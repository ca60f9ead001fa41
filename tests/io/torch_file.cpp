// pytorch_model.bin in every form. The fixtures are PyTorch's own
// (tests/fixtures/make_weight_files.py says which version's).
#include "gradus/io/torch_file.h"

#include "gradus/io/safetensors.h"
#include "gradus/io/weight_names.h"
#include "gradus/ops/ops.h"
#include "tests/io/byte_files.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

const std::filesystem::path fixtures =
    std::filesystem::path(GRADUS_SOURCE_ROOT) / "tests" / "fixtures";

Tensor read(const TensorFile& file, const std::string& name, DType dtype = DType::f32) {
  Tensor values = zeros(file.entry(name).shape, dtype);
  file.read(name, values);
  return values;
}

// A pickle of {"t": tensor} as torch.save writes it; `sizes`, `strides` and `elements` are opcodes.
std::string pickle_of(const std::string& sizes, const std::string& strides,
                      const std::string& elements, const std::string& storage = "FloatStorage") {
  const std::string offset = bytes("K\x00"), text_t = bytes("X\x01\x00\x00\x00t"),
                    text_0 = bytes(
                        "X\x01\x00\x00\x00"
                        "0"),
                    text_cpu = bytes(
                        "X\x03\x00\x00\x00"
                        "cpu"),
                    text_storage = bytes("X\x07\x00\x00\x00storage");
  return "\x80\x02}" + text_t + "ctorch._utils\n_rebuild_tensor_v2\n((" + text_storage +
         "ctorch\n" + storage + "\n" + text_0 + text_cpu + elements + "tQ" + offset + sizes +
         strides +
         "\x89"
         "ccollections\nOrderedDict\n)RtRs.";
}

std::string refusal(const std::string& file) {
  const Scratch scratch;
  put(scratch / "m.bin", file);
  return error_of([&] { TorchFile(scratch / "m.bin"); });
}

std::string zip_of(const std::string& pickle, const std::string& storage,
                   const std::string& byteorder = "little") {
  return make_zip({{"archive/data.pkl", pickle},
                   {"archive/byteorder", byteorder},
                   {"archive/data/0", storage}});
}

}  // namespace

TEST_CASE("torch: every form and dtype gives the numbers of the safetensors file") {
  const SafetensorsFile truth(fixtures / "tiny-bert" / "model.safetensors");
  struct Form {
    const char *file, *dtype;
    double tolerance;
  };
  for (const Form& form :
       {Form{"zip.bin", "F32", 0}, Form{"legacy.bin", "F32", 0}, Form{"double.bin", "F64", 0},
        Form{"half.bin", "F16", 0x1p-11}, Form{"bfloat.bin", "BF16", 0x1p-8}}) {
    const TorchFile file(fixtures / "weights" / form.file);
    size_t compared = 0;
    for (const auto& entry : file.entries()) {
      const std::string today = from_torch(entry.first).today;  // legacy.bin has gamma and beta
      if (!truth.entries().contains(today)) continue;
      ++compared;
      CHECK(entry.second.dtype == form.dtype);
      const Tensor expected = read(truth, today);
      CHECK_MESSAGE(norm(read(file, entry.first) - expected) <= form.tolerance * norm(expected),
                    form.file, " ", entry.first);
    }
    CHECK(compared == truth.entries().size());
  }
}

TEST_CASE(
    "torch: a tied tensor is another name of the same bytes; integers are listed, and refused as "
    "parameters") {
  const TorchFile file(fixtures / "weights" / "zip.bin");
  CHECK(file.entry("cls.predictions.decoder.weight").data ==
        file.entry("bert.embeddings.word_embeddings.weight").data);
  CHECK(file.entry("bert.embeddings.position_ids").dtype == "I64");
  Tensor positions = zeros({1, 24});
  CHECK_MENTIONS(error_of([&] { file.read("bert.embeddings.position_ids", positions); }), "is I64");
}

TEST_CASE("torch: views keep their strides, into f32 and f64") {
  for (const char* name : {"views.bin", "views-legacy.bin"})
    for (const DType dtype : {DType::f32, DType::f64}) {
      const TorchFile file(fixtures / "weights" / name);
      const auto values = [&](const char* tensor) {
        return read(file, tensor, dtype).to_vector<double>();
      };
      using Numbers = std::vector<double>;
      CHECK(file.entry("transposed").shape == Shape{3, 2});
      CHECK(values("transposed") == Numbers{0, 3, 1, 4, 2, 5});
      CHECK(values("columns") == Numbers{4, 6, 8, 10});
      CHECK(values("scalar") == Numbers{7});
      CHECK(values("parameter") == Numbers{1.5, -2.5});
      CHECK(values("empty").empty());
      Numbers permuted;  // arange(24) as [2, 3, 4] with the axes 2, 0, 1
      for (int k = 0; k < 4; ++k)
        for (int i = 0; i < 2; ++i)
          for (int j = 0; j < 3; ++j) permuted.push_back(12 * i + 4 * j + k);
      CHECK(file.entry("permuted").shape == Shape{4, 2, 3});
      CHECK(values("permuted") == permuted);
      CHECK(file.entry("transposed").same_values(file.entry("transposed")));
      CHECK(
          file.entry("transposed").transposed().transposed().same_values(file.entry("transposed")));
      CHECK(!file.entry("columns").same_values(file.entry("transposed")));
    }
}

TEST_CASE("torch: what a pickle claims is held against its storage") {
  const std::string two = "K\x02", one = "K\x01", huge = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f",
                    minus = "J\xff\xff\xff\xff";
  const std::string floats(8, '\0');
  // elements 0 and 2 of 2
  CHECK(refusal(zip_of(pickle_of(two + "\x85", two + "\x85", two), floats)) != "");
  const auto claims = [&](const std::string& pickle, const char* mentions) {
    CHECK_MENTIONS(refusal(zip_of(pickle, floats)), mentions);
  };
  claims(pickle_of(two + "\x85", one + "\x85", huge),
         "claims 9223372036854775807 F32 but has 8 bytes");
  claims(pickle_of(huge + "\x85", one + "\x85", two), "does not lie in its storage of 2 elements");
  // 2^63 times the same element
  claims(pickle_of(huge + "\x85", bytes("K\x00") + "\x85", two), "does not lie");
  claims(pickle_of(huge + huge + "\x86", one + one + "\x86", two), "does not lie");
  claims(pickle_of(two + "\x85", huge + "\x85", two), "does not lie");
  claims(pickle_of(minus + "\x85", one + "\x85", two), "whole number from 0");
  claims(pickle_of(two + "\x85", minus + "\x85", two), "whole number from 0");
  claims(pickle_of(two + two + "\x86", one + "\x85", two), "2 sizes and 1 strides");
  claims(pickle_of(two, one + "\x85", two), "no tuple");
  claims(pickle_of(two + "\x85", one + "\x85", two, "QInt8Storage"), "'torch.QInt8Storage'");
  std::string nine = "(";
  for (int i = 0; i < 9; ++i) nine += one;
  claims(pickle_of(nine + "t", nine + "t", two), "at most 8 sizes");
}

TEST_CASE("torch: archives and dicts of other kinds") {
  const std::string one = "K\x01", good = pickle_of(one + "\x85", one + "\x85", one),
                    floats(4, '\0');
  CHECK_MENTIONS(refusal("version https://git-lfs.github.com/spec/v1\n"), "Git LFS");
  CHECK_MENTIONS(refusal(""), "no file of torch.save");
  CHECK_MENTIONS(refusal(make_zip({{"a/b", "c"}})), "without data.pkl");
  CHECK_MENTIONS(refusal(zip_of(good, floats, "big")), "other byte order");
  CHECK_MENTIONS(refusal(make_zip({{"archive/data.pkl", good}})),
                 "storage '0', which is not there");
  CHECK_MENTIONS(refusal(zip_of("].", floats)), "does not hold a dict");
  CHECK_MENTIONS(refusal(zip_of("}NNs.", floats)), "not text");
  CHECK_MENTIONS(refusal(zip_of(bytes("}X\x05\x00\x00\x00"
                                      "epochK\x01s."),
                                floats)),
                 "'epoch' is not a tensor");
  const std::string again = good.substr(2, good.size() - 3);  // without PROTO and STOP: } … s
  CHECK_MENTIONS(refusal(zip_of("\x80\x02" + again + again.substr(1) + ".", floats)),
                 "names 't' twice");
  CHECK_MENTIONS(refusal(zip_of("\x80\x02"
                                "cos\nsystem\nN\x85R.",
                                floats)),
                 "'os.system'");
}

TEST_CASE("torch: the old form, cut off anywhere") {
  const std::string whole = read_file(fixtures / "weights" / "views-legacy.bin");
  for (size_t size = 0; size < whole.size(); size += size < 400 ? 1 : 7)
    CHECK_MENTIONS(refusal(whole.substr(0, size)), "m.bin");
  std::string huge = whole;
  // the last storage's number of elements, 24
  huge.replace(whole.size() - 8 - 96, 8, "\xff\xff\xff\xff\xff\xff\xff\x0f");
  CHECK_MENTIONS(refusal(huge), "claims");
}
