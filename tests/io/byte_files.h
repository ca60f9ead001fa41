// Files made byte by byte, so that any field of them can be wrong: numbers, literals with zeros in
// them, zip archives, LevelDB tables.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gradus/io/crc32.h"
#include "gradus/io/leveldb_table.h"

namespace gradus::testing {

// A literal with the zeros that are in it.
template <size_t size>
std::string bytes(const char (&literal)[size]) {
  return std::string(literal, size - 1);
}

// Without waiting for the disk, as write_file does, and ext4 where a file is truncated.
inline void put(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << content;
}

struct ZipEntry {
  std::string name, bytes;
  uint16_t method = 0, flags = 0;
  int64_t claimed_size = -1;  // where it is not the bytes'
  int64_t local_offset = -1;  // where it is not the right one
};

inline void append(std::string& to, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to += static_cast<char>(value >> (8 * i));
}

inline std::string make_zip(const std::vector<ZipEntry>& entries, bool zip64 = false) {
  std::string archive, directory;
  for (const ZipEntry& e : entries) {
    const uint64_t offset =
        e.local_offset < 0 ? archive.size() : static_cast<uint64_t>(e.local_offset);
    const uint64_t size =
        e.claimed_size < 0 ? e.bytes.size() : static_cast<uint64_t>(e.claimed_size);
    std::string common;
    append(common, 20, 2), append(common, e.flags, 2), append(common, e.method, 2),
        append(common, 0, 4);
    append(common, crc32_of_zip(e.bytes), 4);
    archive += "PK\x03\x04" + common;
    append(archive, size, 4), append(archive, size, 4), append(archive, e.name.size(), 2),
        append(archive, 0, 2);
    archive += e.name + e.bytes;
    directory += "PK\x01\x02";
    append(directory, 20, 2);
    directory += common;
    append(directory, zip64 ? UINT32_MAX : size, 4),
        append(directory, zip64 ? UINT32_MAX : size, 4);
    append(directory, e.name.size(), 2), append(directory, zip64 ? 28 : 0, 2);
    append(directory, 0, 2), append(directory, 0, 2), append(directory, 0, 2),
        append(directory, 0, 4);
    append(directory, zip64 ? UINT32_MAX : offset, 4);
    directory += e.name;
    if (zip64)
      append(directory, 1, 2), append(directory, 24, 2), append(directory, size, 8),
          append(directory, size, 8), append(directory, offset, 8);
  }
  const uint64_t start = archive.size(), end64 = start + directory.size();
  archive += directory;
  if (zip64) {
    archive += "PK\x06\x06";
    append(archive, 44, 8), append(archive, 45, 2), append(archive, 45, 2), append(archive, 0, 4),
        append(archive, 0, 4);
    append(archive, entries.size(), 8), append(archive, entries.size(), 8),
        append(archive, directory.size(), 8), append(archive, start, 8);
    archive += "PK\x06\x07";
    append(archive, 0, 4), append(archive, end64, 8), append(archive, 1, 4);
  }
  archive += "PK\x05\x06";
  append(archive, 0, 4), append(archive, zip64 ? UINT16_MAX : entries.size(), 2),
      append(archive, zip64 ? UINT16_MAX : entries.size(), 2);
  append(archive, directory.size(), 4), append(archive, zip64 ? UINT32_MAX : start, 4),
      append(archive, 0, 2);
  return archive;
}

// A base-128 number, as protocol buffers and LevelDB write it.
inline void varint(std::string& to, uint64_t value) {
  for (; value >= 128; value >>= 7) to += static_cast<char>(value | 128);
  to += static_cast<char>(value);
}

// LevelDB's table of one block with these entries, in which every checksum is right.
inline std::string table_of(const std::vector<std::pair<std::string, std::string>>& entries,
                            char compression = 0) {
  std::string file, handle;
  const auto add_block = [&](const std::vector<std::pair<std::string, std::string>>& list) {
    std::string block;
    for (const auto& [key, value] : list)
      varint(block, 0), varint(block, key.size()), varint(block, value.size()),
          block += key + value;
    append(block, 0, 4), append(block, 1, 4);
    handle.clear();
    varint(handle, file.size()), varint(handle, block.size());
    block += compression;
    append(block, masked_crc32c(block), 4);
    file += block;
  };
  add_block(entries);
  const std::string data = handle;
  add_block({{"~", data}});
  std::string footer = handle + handle;
  footer.resize(40);
  return file + footer + "\x57\xfb\x80\x8b\x24\x75\x47\xdb";
}

}  // namespace gradus::testing
