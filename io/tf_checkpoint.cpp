#include "gradus/io/tf_checkpoint.h"

#include "gradus/io/crc32.h"
#include "gradus/io/leveldb_table.h"
#include "gradus/io/protobuf.h"

namespace gradus {
namespace {

// DataType of tensorflow/core/framework/types.proto, in safetensors' words; empty for what is no
// number.
std::string dtype_of(uint64_t type) {
  static const std::map<uint64_t, std::string> dtypes = {
      {1, "F32"},   {2, "F64"},   {3, "I32"},  {4, "U8"},   {5, "I16"},  {6, "I8"},  {9, "I64"},
      {10, "BOOL"}, {14, "BF16"}, {17, "U16"}, {19, "F16"}, {22, "U32"}, {23, "U64"}};
  const auto found = dtypes.find(type);
  return found == dtypes.end() ? "" : found->second;
}

// BundleEntryProto.
struct Variable {
  std::string dtype;
  Shape shape;
  uint64_t shard = 0, offset = 0, size = 0, crc = 0;

  Variable(std::string_view message, const std::string& origin) {
    for_each_field(message, origin, [&](uint64_t field, uint64_t value, std::string_view bytes) {
      if (field == 1) dtype = dtype_of(value);
      if (field == 2) read_shape(bytes, origin);
      if (field == 3) shard = value;
      if (field == 4) offset = value;
      if (field == 5) size = value;
      if (field == 6) crc = value;
      check(field != 7, "{} is partitioned over several variables; only whole ones are read",
            origin);
    });
  }
  // TensorShapeProto: repeated Dim dim = 2 { int64 size = 1; }.
  void read_shape(std::string_view message, const std::string& origin) {
    for_each_field(message, origin, [&](uint64_t field, uint64_t, std::string_view dim) {
      if (field != 2) return;
      int64_t axis = 0;
      for_each_field(dim, origin, [&](uint64_t key, uint64_t value, std::string_view) {
        if (key == 1) axis = static_cast<int64_t>(value);
      });
      check(axis >= 0, "{} has an axis of {}; sizes are whole numbers from 0", origin, axis);
      check(shape.rank() < Shape::max_rank, "{} has more than {} axes", origin,
            static_cast<int>(Shape::max_rank));
      shape.push_back(axis);
    });
  }
};

}  // namespace

TfCheckpoint::TfCheckpoint(const std::filesystem::path& prefix) : TensorFile(prefix) {
  const std::string index = prefix.string() + ".index";
  const MappedFile table(index);
  std::map<std::string, Variable> variables;
  uint64_t shards = 0;
  for_each_table_entry(table.view(), index, [&](const std::string& name, std::string_view message) {
    if (!name.empty()) {
      if (!variables
               .try_emplace(name, message,
                            fmt::format("{}: '{}'", index, replace_invalid_utf8(name)))
               .second)
        fail("{}: it names '{}' twice", index, name);
      return;
    }
    // BundleHeaderProto
    for_each_field(message, index, [&](uint64_t field, uint64_t value, std::string_view) {
      if (field == 1) shards = value;
      check(field != 2 || value == 0,
            "{}: it was saved on a machine of the other byte order; only little-endian files are "
            "read",
            index);
    });
  });
  constexpr uint64_t most_shards = 10'000;
  if (shards < 1 || shards > most_shards)
    fail("{}: it has {} data files; there must be 1 to {}", index, shards, most_shards);
  for (uint64_t shard = 0; shard < shards; ++shard)
    files_.emplace_back(fmt::format("{}.data-{:05}-of-{:05}", prefix.string(), shard, shards));

  std::map<std::pair<uint64_t, uint64_t>, uint64_t> ends;  // (shard, offset) -> end
  for (const auto& [name, variable] : variables) {
    if (variable.dtype.empty()) continue;
    const auto& [dtype, shape, shard, offset, size, crc] = variable;
    if (shard >= shards) fail("{}: '{}' lies in data file {} of {}", index, name, shard, shards);
    const std::string_view file = files_[shard].view();
    if (offset > file.size() || size > file.size() - offset)
      fail("{}: '{}' lies at bytes {} and on for {} of a data file of {}: it is cut off or damaged",
           index, name, offset, size, file.size());
    if (bits_of_tensor(dtype, shape) != size * 8)
      fail("{}: '{}' is {} {}, which is not the {} bytes that it has", index, name, dtype, shape,
           size);
    if (size && !ends.emplace(std::pair{shard, offset}, offset + size).second)
      fail("{}: '{}' overlaps another variable", index, name);
    add(name, {dtype, shape, file.data() + offset});
  }
  uint64_t shard = 0, end = 0;
  for (const auto& [begin, next] : ends) {
    if (begin.first == shard && begin.second < end)
      fail("{}: variables overlap at byte {} of data file {}", index, begin.second, shard);
    shard = begin.first, end = next;
  }
  for (const auto& [name, variable] : variables)
    if (!variable.dtype.empty() && masked_crc32c(files_[variable.shard].view().substr(
                                       variable.offset, variable.size)) != variable.crc)
      fail("{}: the bytes of '{}' do not have their CRC-32C: the data file is damaged", index,
           name);
}

}  // namespace gradus
