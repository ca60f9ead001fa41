// Protocol buffers' wire format, field by field: read, what the few messages of TensorFlow's
// checkpoints need (unknown fields are passed over); written, what TensorBoard's events need.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "gradus/base/error.h"

namespace gradus {

// Takes a base-128 number from the front of `bytes`.
inline uint64_t take_varint(std::string_view& bytes, const std::string& origin) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (bytes.empty()) break;
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 127) << shift;
    if (byte < 128) return value;
  }
  fail("{}: a number in it is cut off: the file is damaged", origin);
}

inline std::string_view take_bytes(std::string_view& bytes, uint64_t size,
                                   const std::string& origin) {
  if (size > bytes.size())
    fail("{}: it claims {} bytes where {} are left: the file is cut off or damaged", origin, size,
         bytes.size());
  const std::string_view taken = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return taken;
}

// Calls f(number of the field, its value as a whole number, its bytes): one of the last two, by the
// field's type.
template <class F>
void for_each_field(std::string_view message, const std::string& origin, F&& f) {
  while (!message.empty()) {
    const uint64_t tag = take_varint(message, origin);
    uint64_t value = 0;
    std::string_view bytes;
    switch (tag & 7) {
      case 0: value = take_varint(message, origin); break;
      case 1: std::memcpy(&value, take_bytes(message, 8, origin).data(), 8); break;
      case 2: bytes = take_bytes(message, take_varint(message, origin), origin); break;
      case 5: std::memcpy(&value, take_bytes(message, 4, origin).data(), 4); break;
      default: fail("{}: a field of an unknown type {}: the file is damaged", origin, tag & 7);
    }
    f(tag >> 3, value, bytes);
  }
}

// A base-128 number.
inline std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7) bytes += static_cast<char>(value | 128);
  return bytes + static_cast<char>(value);
}

template <class T>
std::string bytes_of(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

// Fields 1 to 15, by type: a whole number, a number of 4 or 8 bytes, a text or message.
inline std::string number_field(int id, uint64_t value) {
  return static_cast<char>(id << 3) + varint(value);
}
inline std::string float_field(int id, float value) {
  return static_cast<char>(id << 3 | 5) + bytes_of(value);
}
inline std::string double_field(int id, double value) {
  return static_cast<char>(id << 3 | 1) + bytes_of(value);
}
inline std::string text_field(int id, const std::string& content) {
  return static_cast<char>(id << 3 | 2) + varint(content.size()) + content;
}

}  // namespace gradus
