#include "gradus/io/leveldb_table.h"

#include <cstring>

#include "gradus/base/error.h"
#include "gradus/io/crc32.h"
#include "gradus/io/protobuf.h"

namespace gradus {
namespace {

// A block by its handle (offset and size as varints); behind it stand its compression (1 byte) and
// its checksum (4).
std::string_view block_at(std::string_view file, std::string_view& handle,
                          const std::string& origin) {
  constexpr uint64_t trailer = 5;
  const uint64_t offset = take_varint(handle, origin), size = take_varint(handle, origin);
  if (offset > file.size() || size > file.size() - offset || file.size() - offset - size < trailer)
    fail(
        "{}: a block of {} bytes at {} does not lie in its {} bytes: the file is cut off or "
        "damaged",
        origin, size, offset, file.size());
  const std::string_view block = file.substr(offset, size);
  uint32_t crc;
  std::memcpy(&crc, file.data() + offset + size + 1, sizeof crc);
  if (crc != masked_crc32c(file.substr(offset, size + 1)))
    fail("{}: its block at byte {} does not have its CRC-32C: the file is damaged", origin, offset);
  if (block.data()[size] != 0)
    fail(
        "{}: its block at byte {} is compressed; TensorFlow writes its index uncompressed, and "
        "only that is read",
        origin, offset);
  return block;
}

// The entries of a block: each key repeats so many bytes of the one before. At the end an array of
// restarts, which only searching needs.
template <class F>
void for_each_in_block(std::string_view block, const std::string& origin, F&& f) {
  uint32_t restarts;
  if (block.size() < sizeof restarts)
    fail("{}: a block of {} bytes is too short: the file is damaged", origin, block.size());
  std::memcpy(&restarts, block.data() + block.size() - sizeof restarts, sizeof restarts);
  const uint64_t tail = (uint64_t{restarts} + 1) * sizeof restarts;
  if (tail > block.size())
    fail("{}: a block of {} bytes claims {} restarts: the file is damaged", origin, block.size(),
         restarts);
  block.remove_suffix(tail);
  std::string key;
  while (!block.empty()) {
    const uint64_t shared = take_varint(block, origin), fresh = take_varint(block, origin),
                   size = take_varint(block, origin);
    if (shared > key.size())
      fail("{}: a key repeats {} bytes of one of {}: the file is damaged", origin, shared,
           key.size());
    key.resize(shared);
    key += take_bytes(block, fresh, origin);
    f(key, take_bytes(block, size, origin));
  }
}

}  // namespace

void for_each_table_entry(std::string_view file, const std::string& origin,
                          const std::function<void(const std::string&, std::string_view)>& f) {
  constexpr size_t footer_size = 48;
  constexpr std::string_view magic("\x57\xfb\x80\x8b\x24\x75\x47\xdb", 8);
  if (file.size() < footer_size || !file.ends_with(magic))
    fail(
        "{}: it is no index of a TensorFlow checkpoint, or is cut off: it does not end as a "
        "LevelDB table does",
        origin);
  std::string_view footer = file.substr(file.size() - footer_size);
  // the meta index, which has nothing for us
  take_varint(footer, origin), take_varint(footer, origin);
  size_t read = 0;
  for_each_in_block(block_at(file, footer, origin), origin,
                    [&](const std::string&, std::string_view handle) {
                      const std::string_view block = block_at(file, handle, origin);
                      if ((read += block.size()) > file.size())
                        fail("{}: its blocks overlap: the file is damaged", origin);
                      for_each_in_block(block, origin, f);
                    });
}

}  // namespace gradus
