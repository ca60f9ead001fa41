// Cyclic redundancy checks of 32 bits, bit-reversed: 0xEDB88320 is the CRC-32 of zip, 0x82F63B78
// the CRC-32C of LevelDB and TensorFlow. Eight bytes per step (Kounavis and Berry 2005), about 2
// GB/s.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace gradus {

using Crc32Tables = std::array<std::array<uint32_t, 256>, 8>;

constexpr Crc32Tables crc32_tables(uint32_t polynomial) {
  Crc32Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? polynomial : 0);
    tables[0][byte] = crc;
  }
  for (size_t table = 1; table < 8; ++table)
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[table - 1][byte];
      tables[table][byte] = (before >> 8) ^ tables[0][before & 255];
    }
  return tables;
}

template <uint32_t polynomial>
uint32_t crc32(std::string_view bytes) {
  static constexpr Crc32Tables tables = crc32_tables(polynomial);
  uint32_t crc = ~uint32_t{0};
  size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + i, 8);
    word ^= crc;
    crc = 0;
    for (size_t k = 0; k < 8; ++k) crc ^= tables[7 - k][(word >> (8 * k)) & 255];
  }
  for (; i < bytes.size(); ++i)
    crc = (crc >> 8) ^ tables[0][(crc ^ static_cast<unsigned char>(bytes[i])) & 255];
  return ~crc;
}

inline uint32_t crc32_of_zip(std::string_view bytes) { return crc32<0xEDB88320>(bytes); }
inline uint32_t crc32c(std::string_view bytes) { return crc32<0x82F63B78>(bytes); }

// LevelDB and TensorFlow store a checksum of bytes that hold checksums rotated and shifted.
inline uint32_t masked_crc32c(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

}  // namespace gradus
