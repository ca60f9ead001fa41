#include "gradus/io/zip.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "gradus/base/error.h"
#include "gradus/io/crc32.h"

namespace gradus {
namespace {

// The archive with every access checked.
class Reader {
 public:
  Reader(std::string_view archive, const std::string& origin)
      : archive_(archive), origin_(origin) {}

  std::string_view bytes(uint64_t at, uint64_t size, const char* what) const {
    if (at > archive_.size() || size > archive_.size() - at)
      fail("{}: {} lies at bytes {} to {} of {}: the file is cut off or damaged", origin_, what, at,
           at + size, archive_.size());
    return archive_.substr(at, size);
  }
  template <class T>
  uint64_t number(uint64_t at, const char* what) const {
    T value;
    std::memcpy(&value, bytes(at, sizeof value, what).data(), sizeof value);
    return value;
  }
  uint64_t size() const { return archive_.size(); }

 private:
  std::string_view archive_;
  const std::string& origin_;
};

struct Directory {
  uint64_t entries, offset;
};

// The end record is the archive's last, before a comment of at most 65535 bytes; where its fields
// are full, zip64's record before it counts.
Directory find_directory(const Reader& in, const std::string& origin) {
  constexpr uint64_t end_size = 22, locator_size = 20;
  uint64_t end = in.size() < end_size ? 0 : in.size() - end_size;
  const uint64_t first = end > 65535 ? end - 65535 : 0;
  while (in.size() < end_size || in.number<uint32_t>(end, "the end record") != 0x06054b50) {
    if (end == first || in.size() < end_size)
      fail("{}: a zip archive without its end record: the file is cut off", origin);
    --end;
  }
  const Directory directory{in.number<uint16_t>(end + 10, "the end record"),
                            in.number<uint32_t>(end + 16, "the end record")};
  if (end < locator_size ||
      in.number<uint32_t>(end - locator_size, "the zip64 locator") != 0x07064b50)
    return directory;
  const uint64_t end64 = in.number<uint64_t>(end - locator_size + 8, "the zip64 locator");
  if (in.bytes(end64, 56, "the zip64 end record").substr(0, 4) != "PK\x06\x06")
    fail("{}: its zip64 end record is damaged", origin);
  return {in.number<uint64_t>(end64 + 32, "the zip64 end record"),
          in.number<uint64_t>(end64 + 48, "the zip64 end record")};
}

// Fields of a directory entry that are full stand in its zip64 extra field instead, in this order.
void read_zip64(std::string_view extra, const std::vector<uint64_t*>& fields) {
  while (extra.size() >= 4) {
    uint16_t head[2];
    std::memcpy(head, extra.data(), 4);
    std::string_view body = extra.substr(4, head[1]);
    extra.remove_prefix(std::min<size_t>(extra.size(), 4u + head[1]));
    if (head[0] != 1) continue;
    for (uint64_t* field : fields) {
      if (*field != UINT32_MAX || body.size() < 8) continue;
      std::memcpy(field, body.data(), 8);
      body.remove_prefix(8);
    }
  }
}

}  // namespace

std::map<std::string, std::string_view> read_stored_zip(std::string_view archive,
                                                        const std::string& origin) {
  const Reader in(archive, origin);
  const Directory directory = find_directory(in, origin);
  struct Stored {
    std::string name;
    std::string_view bytes;
    uint64_t crc;
  };
  std::vector<Stored> stored;
  uint64_t at = directory.offset;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    constexpr const char* what = "its directory";
    if (in.bytes(at, 46, what).substr(0, 4) != "PK\x01\x02")
      fail("{}: entry {} of its directory is damaged", origin, i);
    const uint64_t name_size = in.number<uint16_t>(at + 28, what),
                   extra_size = in.number<uint16_t>(at + 30, what);
    const std::string name(in.bytes(at + 46, name_size, what));
    uint64_t compressed = in.number<uint32_t>(at + 20, what),
             size = in.number<uint32_t>(at + 24, what);
    uint64_t local = in.number<uint32_t>(at + 42, what);
    read_zip64(in.bytes(at + 46 + name_size, extra_size, what), {&size, &compressed, &local});
    if (in.number<uint16_t>(at + 8, what) & 1) fail("{}: '{}' is encrypted", origin, name);
    if (in.number<uint16_t>(at + 10, what) != 0 || compressed != size)
      fail(
          "{}: '{}' is compressed; PyTorch stores its files as they are, and only such archives "
          "are read",
          origin, name);

    if (in.bytes(local, 30, "an entry").substr(0, 4) != "PK\x03\x04")
      fail("{}: the header of '{}' is damaged", origin, name);
    const uint64_t skip = 30 + in.number<uint16_t>(local + 26, "an entry") +
                          in.number<uint16_t>(local + 28, "an entry");
    const std::string_view bytes = in.bytes(local + skip, size, "an entry");
    stored.push_back({name, bytes, in.number<uint32_t>(at + 16, what)});
    at += 46 + name_size + extra_size + in.number<uint16_t>(at + 32, what);
  }

  // Overlaps first: without them the checksums together read the archive once.
  std::sort(stored.begin(), stored.end(),
            [](const Stored& a, const Stored& b) { return a.bytes.data() < b.bytes.data(); });
  for (size_t i = 1; i < stored.size(); ++i)
    if (stored[i - 1].bytes.data() + stored[i - 1].bytes.size() > stored[i].bytes.data())
      fail("{}: '{}' and '{}' overlap", origin, stored[i - 1].name, stored[i].name);
  std::map<std::string, std::string_view> files;
  for (const auto& [name, bytes, crc] : stored) {
    if (crc32_of_zip(bytes) != crc)
      fail("{}: the bytes of '{}' do not have their CRC-32: they are damaged", origin, name);
    if (!files.emplace(name, bytes).second) fail("{}: it has two files '{}'", origin, name);
  }
  return files;
}

}  // namespace gradus
