#include "gradus/io/tensor_file.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace gradus {
static_assert(std::endian::native == std::endian::little,
              "files of tensors are little-endian and are read as they lie in memory");
namespace {

float from_half(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000u) << 16, exponent = (h >> 10) & 31u,
                 mantissa = h & 1023u;
  if (exponent == 0)
    return std::bit_cast<float>(sign | 0x3f800000u) * static_cast<float>(mantissa) * 0x1p-24f;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}
float from_bfloat(uint16_t b) { return std::bit_cast<float>(static_cast<uint32_t>(b) << 16); }

// Calls f(place) for every element in row-major order; places count in elements from the tensor's
// first.
template <class F>
void for_each_place(const StoredTensor& tensor, F&& f) {
  const Shape &shape = tensor.shape, &strides = tensor.strides;
  const int64_t count = shape.numel();
  if (count == 0) return;
  if (shape.rank() < 1) return f(0);
  const int last = shape.rank() - 1;
  const int64_t row = shape[last], step = strides[last];
  Shape index = Shape::of_rank(shape.rank());
  for (int64_t done = 0, place = 0; done < count; done += row) {
    for (int64_t i = 0; i < row; ++i) f(place + i * step);
    for (int axis = last - 1; axis >= 0; --axis) {
      place += strides[axis];
      if (++index[axis] < shape[axis]) break;
      place -= index[axis] * strides[axis];
      index[axis] = 0;
    }
  }
}

template <class Raw>
Raw element(const char* data, int64_t place) {
  Raw raw;
  std::memcpy(&raw, data + static_cast<size_t>(place) * sizeof(Raw), sizeof(Raw));
  return raw;
}

}  // namespace

StoredTensor::StoredTensor(std::string type, const Shape& sizes, const char* at)
    : StoredTensor(std::move(type), sizes, contiguous_strides(sizes), at) {}

StoredTensor::StoredTensor(std::string type, const Shape& sizes, const Shape& steps, const char* at)
    : dtype(std::move(type)), shape(sizes), strides(steps), data(at) {}

StoredTensor StoredTensor::transposed() const {
  return {dtype, {shape[1], shape[0]}, {strides[1], strides[0]}, data};
}

bool StoredTensor::same_values(const StoredTensor& other) const {
  if (dtype != other.dtype || shape != other.shape) return false;
  const uint64_t bits = bits_of_dtype(dtype);
  if (strides == other.strides && strides == contiguous_strides(shape))
    return std::memcmp(data, other.data, static_cast<uint64_t>(shape.numel()) * bits / 8) == 0;
  const size_t size = bits / 8;
  std::vector<int64_t> places;
  places.reserve(static_cast<size_t>(shape.numel()));
  for_each_place(*this, [&](int64_t place) { places.push_back(place); });
  size_t next = 0;
  bool same = true;
  for_each_place(other, [&](int64_t place) {
    same &= std::memcmp(data + static_cast<size_t>(places[next++]) * size,
                        other.data + static_cast<size_t>(place) * size, size) == 0;
  });
  return same;
}

bool StoredTensor::is_readable() const {
  return dtype == "F32" || dtype == "F64" || dtype == "F16" || dtype == "BF16";
}

// Calls f(value) for every element in row-major order, as the float or double that it is.
template <class F>
void StoredTensor::for_each_value(F&& f) const {
  const auto convert = [&]<class Raw>(auto value_of) {
    for_each_place(*this, [&](int64_t place) { f(value_of(element<Raw>(data, place))); });
  };
  if (dtype == "F32") convert.template operator()<float>([](float x) { return x; });
  else if (dtype == "F64") convert.template operator()<double>([](double x) { return x; });
  else if (dtype == "F16") convert.template operator()<uint16_t>(from_half);
  else convert.template operator()<uint16_t>(from_bfloat);
}

int64_t StoredTensor::count_not_finite() const {
  int64_t count = 0;
  // x - x is 0 for finite x alone
  for_each_value([&](auto x) { count += x - x != 0; });
  return count;
}

void StoredTensor::read(Tensor& to) const {
  check(to.is_contiguous() && to.shape() == shape && is_readable(),
        "a stored {} of {} cannot be read into a tensor of {}", dtype, shape, to.shape());
  dispatch_float("read", to.dtype(), [&]<class T>() {
    T* at = to.write<T>();
    for_each_value([&](auto x) { *at++ = static_cast<T>(x); });
  });
}

const StoredTensor& TensorFile::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) fail("{}: there is no tensor '{}'", path_.string(), name);
  return found->second;
}

void TensorFile::add(const std::string& name, StoredTensor tensor) {
  if (find_invalid_utf8(name) != std::string::npos ||
      std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < ' '; }))
    fail("{}: the name of its tensor {} is not text", path_.string(), entries_.size());
  if (!entries_.emplace(name, std::move(tensor)).second)
    fail("{}: it names '{}' twice", path_.string(), name);
}

void TensorFile::require_readable(const std::string& name, const StoredTensor& tensor,
                                  const Shape& shape) const {
  if (tensor.shape != shape)
    fail("{}: '{}' has the shape {}, the model wants {}", path_.string(), name, tensor.shape,
         shape);
  if (!tensor.is_readable())
    fail("{}: '{}' is {}; parameters are read from F32, F64, F16 or BF16", path_.string(), name,
         tensor.dtype);
}

void TensorFile::read(const std::string& name, Tensor& to) const {
  require_readable(name, entry(name), to.shape());
  check(to.is_contiguous(), "{}: '{}' cannot be read into a tensor that is not contiguous",
        path_.string(), name);
  entry(name).read(to);
}

const char* stored_name(DType dtype) {
  constexpr const char* names[] = {"F32", "F64", "I32", "I64", "BOOL"};
  return names[static_cast<size_t>(dtype)];
}

uint64_t bits_of_dtype(const std::string& dtype) {
  static const std::map<std::string, uint64_t> bits = {
      {"F4", 4},          {"F6_E2M3", 6},     {"F6_E3M2", 6}, {"F8_E5M2", 8}, {"F8_E4M3", 8},
      {"F8_E5M2FNUZ", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E8M0", 8}, {"BOOL", 8},    {"U8", 8},
      {"I8", 8},          {"I16", 16},        {"U16", 16},    {"F16", 16},    {"BF16", 16},
      {"I32", 32},        {"U32", 32},        {"F32", 32},    {"F64", 64},    {"I64", 64},
      {"U64", 64},        {"C64", 64}};
  const auto found = bits.find(dtype);
  return found == bits.end() ? 0 : found->second;
}

std::optional<uint64_t> bits_of_tensor(const std::string& dtype, const Shape& shape) {
  uint64_t bits = bits_of_dtype(dtype);
  bool empty = false;
  for (const int64_t size : shape) {
    empty |= size == 0;
    const auto n = static_cast<uint64_t>(std::max<int64_t>(size, 1));
    if (bits > (uint64_t{1} << 62) / n) return {};
    bits *= n;
  }
  return empty ? 0 : bits;
}

}  // namespace gradus
