// Google's checkpoints. The fixture is TensorFlow's own (tests/fixtures/make_tf_checkpoint.py says
// which version's).
#include "gradus/io/tf_checkpoint.h"

#include "gradus/io/leveldb_table.h"
#include "gradus/io/protobuf.h"
#include "gradus/io/safetensors.h"
#include "gradus/ops/ops.h"
#include "tests/io/byte_files.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;
namespace fs = std::filesystem;

namespace {

const fs::path fixtures = fs::path(GRADUS_SOURCE_ROOT) / "tests" / "fixtures";
const char* const parts[] = {"index", "data-00000-of-00002", "data-00001-of-00002"};

std::string number(int field, uint64_t value) {
  std::string bytes(1, static_cast<char>(field << 3));
  varint(bytes, value);
  return bytes;
}
std::string message(int field, const std::string& content) {
  std::string bytes(1, static_cast<char>((field << 3) | 2));
  varint(bytes, content.size());
  return bytes + content;
}

const std::string header = number(1, 1) + message(3, number(1, 1));

// A float variable of two elements, the first eight bytes of the data file.
std::string variable(uint64_t axis, uint64_t offset, uint64_t size, uint64_t type = 1,
                     const std::string& more = "") {
  std::string crc(1, static_cast<char>((6 << 3) | 5));
  append(crc, masked_crc32c(std::string(8, '\0')), 4);
  return number(1, type) + message(2, message(2, number(1, axis))) + number(4, offset) +
         number(5, size) + crc + more;
}

std::string refusal(const std::string& index, const std::string& data = std::string(16, '\0')) {
  const Scratch scratch;
  put(scratch / "m.ckpt.index", index);
  put(scratch / "m.ckpt.data-00000-of-00001", data);
  return error_of([&] { TfCheckpoint(scratch / "m.ckpt"); });
}

}  // namespace

TEST_CASE("TensorFlow: variables of two data files, kernels as TensorFlow has them") {
  const TfCheckpoint file(fixtures / "tf-bert" / "bert_model.ckpt");
  const SafetensorsFile truth(fixtures / "tiny-bert" / "model.safetensors");
  CHECK(file.entries().size() == truth.entries().size() + 3);
  CHECK(file.entry("global_step").dtype == "I64");
  const StoredTensor &kernel = file.entry("bert/encoder/layer_0/intermediate/dense/kernel"),
                     &weight = truth.entry("bert.encoder.layer.0.intermediate.dense.weight");
  CHECK(kernel.shape == Shape{16, 32});
  CHECK(kernel.transposed().same_values(weight));
  CHECK(file.entry("bert/embeddings/word_embeddings")
            .same_values(truth.entry("bert.embeddings.word_embeddings.weight")));
}

TEST_CASE("TensorFlow: a table made by hand is read; strings are left out") {
  const Scratch scratch;
  put(scratch / "m.ckpt.index",
      table_of({{"", header}, {"a", variable(2, 8, 8)}, {"text", variable(1, 0, 8, 7)}}));
  put(scratch / "m.ckpt.data-00000-of-00001", std::string(16, '\0'));
  CHECK(TfCheckpoint(scratch / "m.ckpt").entries().size() == 1);
}

TEST_CASE("TensorFlow: what an index claims is held against the data files") {
  const auto entry = [&](const std::string& e) {
    return refusal(table_of({{"", header}, {"a", e}}));
  };
  CHECK_MENTIONS(entry(variable(uint64_t{1} << 60, 0, 8)), "not the 8 bytes");
  CHECK_MENTIONS(entry(variable(uint64_t{1} << 60, 0, uint64_t{1} << 62)), "cut off");
  CHECK_MENTIONS(entry(variable(2, uint64_t{1} << 60, 8)), "cut off");
  CHECK_MENTIONS(entry(variable(~uint64_t{0}, 0, 8)), "an axis of -1");
  CHECK_MENTIONS(entry(variable(3, 0, 8)), "not the 8 bytes");
  CHECK_MENTIONS(entry(variable(2, 0, 8, 1, number(3, 5))), "data file 5 of 1");
  CHECK_MENTIONS(entry(variable(2, 0, 8, 1, message(7, ""))), "partitioned");
  CHECK_MENTIONS(entry("\x0f"), "unknown type 7");
  CHECK_MENTIONS(entry("\x12\x7f"), "cut off");
  CHECK_MENTIONS(
      refusal(table_of({{"", header}, {"a", variable(2, 0, 8)}, {"b", variable(2, 4, 8)}})),
      "overlap");
  CHECK_MENTIONS(
      refusal(table_of({{"", header}, {"a", variable(2, 0, 8)}, {"b", variable(2, 0, 8)}})),
      "overlap");
  CHECK_MENTIONS(
      refusal(table_of({{"", header}, {"a", variable(2, 0, 8)}, {"a", variable(2, 8, 8)}})),
      "names 'a' twice");
  CHECK_MENTIONS(refusal(table_of({{"", header}, {"a", variable(2, 0, 8)}}), std::string(16, 'x')),
                 "'a' do not have their CRC-32C");
  CHECK_MENTIONS(refusal(table_of({{"", number(1, uint64_t{1} << 40)}})),
                 "1099511627776 data files");
  CHECK_MENTIONS(refusal(table_of({{"", number(1, 2)}})), "data-00000-of-00002");
  CHECK_MENTIONS(refusal(table_of({{"", header + number(2, 1)}})), "other byte order");
  CHECK_MENTIONS(refusal(table_of({})), "0 data files");
}

TEST_CASE("TensorFlow: an index that is garbage, compressed, damaged or cut off") {
  CHECK_MENTIONS(refusal("garbage"), "does not end as a LevelDB table does");
  CHECK_MENTIONS(refusal(std::string(40, '\xff') + "\x57\xfb\x80\x8b\x24\x75\x47\xdb"),
                 "m.ckpt.index");
  CHECK_MENTIONS(refusal(table_of({{"", header}}, 1)), "compressed");
  const std::string whole = read_file(fixtures / "tf-bert" / "bert_model.ckpt.index");
  for (size_t at = 0; at < whole.size() - 48; at += 13) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    CHECK_MENTIONS(refusal(damaged), "m.ckpt");
  }
  for (size_t size = 0; size < whole.size(); size += 11)
    CHECK_MENTIONS(refusal(whole.substr(0, size)), "m.ckpt.index");
  const Scratch scratch;
  for (const char* part : parts)
    fs::copy(fixtures / "tf-bert" / (std::string("bert_model.ckpt.") + part),
             scratch / (std::string("b.") + part));
  std::string data = read_file(scratch / "b.data-00001-of-00002");
  data[100]++;
  put(scratch / "b.data-00001-of-00002", data);
  CHECK_MENTIONS(error_of([&] { TfCheckpoint(scratch / "b"); }), "CRC-32C");
  put(scratch / "b.data-00001-of-00002", data.substr(0, 1000));
  CHECK_MENTIONS(error_of([&] { TfCheckpoint(scratch / "b"); }), "cut off");
}
