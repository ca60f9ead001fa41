#include "io/safetensors.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <bit>
#include <cstring>

#include "autograd/modes.h"
#include "ops/ops.h"

namespace gradus {
namespace {

using Json = nlohmann::ordered_json;
constexpr uint64_t largest_header = 100'000'000;

size_t bytes_of_dtype(const std::string& dtype) {
  static const std::map<std::string, size_t> sizes = {{"BOOL", 1}, {"U8", 1},  {"I8", 1},   {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"I16", 2}, {"U16", 2}, {"F16", 2},
                                                      {"BF16", 2}, {"I32", 4}, {"U32", 4}, {"F32", 4},     {"F64", 8},     {"I64", 8}, {"U64", 8}};
  const auto found = sizes.find(dtype);
  return found == sizes.end() ? 0 : found->second;
}

float from_half(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000u) << 16, exponent = (h >> 10) & 31u, mantissa = h & 1023u;
  if (exponent == 0) return std::bit_cast<float>(sign | 0x3f800000u) * static_cast<float>(mantissa) * 0x1p-24f;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}
float from_bfloat(uint16_t b) { return std::bit_cast<float>(static_cast<uint32_t>(b) << 16); }

// A JSON object with a key twice is refused: the parser alone would take the last.
Json parse_header(std::string_view text, const std::string& file) {
  std::vector<std::map<std::string, bool>> open;
  try {
    return Json::parse(text, [&](int, Json::parse_event_t event, Json& value) {
      if (event == Json::parse_event_t::object_start) open.emplace_back();
      if (event == Json::parse_event_t::object_end) open.pop_back();
      if (event == Json::parse_event_t::key && !open.back().emplace(value.get<std::string>(), true).second)
        fail("{}: the header names '{}' twice", file, value.get<std::string>());
      return true;
    });
  } catch (const Json::exception& error) {
    fail("{}: the header is not valid JSON: {}", file, error.what());
  }
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : path_(path), file_(path) {
  const std::string name = path.string();
  if (file_.size() < 8) fail("{}: {} bytes are too few for a safetensors file; it begins with an 8-byte header length", name, file_.size());
  uint64_t length;
  std::memcpy(&length, file_.data(), 8);
  if (length > largest_header) fail("{}: the header claims {} bytes, more than the {} that are allowed; is it a safetensors file?", name, length, largest_header);
  if (length > file_.size() - 8) fail("{}: the header claims {} bytes, the file has {} after its length: it is cut off", name, length, file_.size() - 8);
  const std::string_view header = file_.view().substr(8, length);
  if (header.empty() || header[0] != '{') fail("{}: the header does not begin with {{; is it a safetensors file?", name);
  if (const size_t bad = find_invalid_utf8(header); bad != std::string_view::npos) fail("{}: the header is not valid UTF-8 at its byte {}", name, bad);
  const Json json = parse_header(header, name);
  const size_t start = 8 + length, size = file_.size() - start;

  std::vector<std::pair<std::pair<uint64_t, uint64_t>, std::string>> ranges;
  for (const auto& [key, value] : json.items()) {
    if (key == "__metadata__") {
      for (const auto& [k, v] : value.items()) {
        if (!v.is_string()) fail("{}: __metadata__ maps '{}' to something that is not a string", name, k);
        metadata_[k] = v.get<std::string>();
      }
      continue;
    }
    SafetensorsEntry entry;
    uint64_t begin = 0, end = 0, bytes = 0;
    try {
      entry.dtype = value.at("dtype").get<std::string>();
      const auto offsets = value.at("data_offsets");
      const auto shape = value.at("shape");
      if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() || !offsets[1].is_number_unsigned() || !shape.is_array())
        fail("{}: the entry of '{}' is malformed: {}", name, key, value.dump());
      begin = offsets[0].get<uint64_t>(), end = offsets[1].get<uint64_t>();
      bytes = bytes_of_dtype(entry.dtype);
      if (!bytes) fail("{}: '{}' has the unknown dtype {}", name, key, entry.dtype);
      if (shape.size() > Shape::max_rank) fail("{}: '{}' has {} axes; at most {} can be read", name, key, shape.size(), static_cast<int>(Shape::max_rank));
      for (const auto& axis : shape) {
        if (!axis.is_number_unsigned()) fail("{}: '{}' has the shape {}", name, key, shape.dump());
        const uint64_t n = axis.get<uint64_t>();
        if (n && bytes > (uint64_t{1} << 62) / n) fail("{}: the shape {} of '{}' overflows", name, shape.dump(), key);
        bytes *= n;
        entry.shape.push_back(static_cast<int64_t>(n));
      }
    } catch (const Json::exception&) {
      fail("{}: the entry of '{}' lacks dtype, shape or data_offsets: {}", name, key, value.dump());
    }
    if (begin > end || end > size) fail("{}: '{}' lies at bytes {}..{} of a buffer of {}: the file is cut off or damaged", name, key, begin, end, size);
    if (end - begin != bytes) fail("{}: '{}' is {} {}, which is {} bytes, but has {}", name, key, entry.dtype, entry.shape, bytes, end - begin);
    entry.begin = start + begin;
    entry.end = start + end;
    ranges.push_back({{begin, end}, key});
    entries_.emplace(key, std::move(entry));
  }
  std::sort(ranges.begin(), ranges.end());
  uint64_t covered = 0;
  for (const auto& [range, key] : ranges) {
    if (range.first != covered) fail("{}: '{}' begins at byte {} of the buffer, where the tensors before it end at {}: they overlap or leave a hole", name, key, range.first, covered);
    covered = range.second;
  }
  if (covered != size) fail("{}: the tensors end at byte {} of a buffer of {}", name, covered, size);
}

void SafetensorsFile::read(const std::string& name, Tensor& to) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) fail("{}: there is no tensor '{}'", path_.string(), name);
  const SafetensorsEntry& entry = found->second;
  if (entry.shape != to.shape()) fail("{}: '{}' has the shape {}, the model wants {}", path_.string(), name, entry.shape, to.shape());
  const char* from = file_.data() + entry.begin;
  dispatch_float("read", to.dtype(), [&]<class T>() {
    T* at = to.write<T>();
    const auto convert = [&]<class Raw>(auto value_of) {
      for (int64_t i = 0; i < to.numel(); ++i) {
        Raw raw;
        std::memcpy(&raw, from + static_cast<size_t>(i) * sizeof(Raw), sizeof(Raw));   // the buffer need not be aligned
        at[i] = static_cast<T>(value_of(raw));
      }
    };
    if (entry.dtype == "F32") convert.template operator()<float>([](float x) { return x; });
    else if (entry.dtype == "F64") convert.template operator()<double>([](double x) { return x; });
    else if (entry.dtype == "F16") convert.template operator()<uint16_t>(from_half);
    else if (entry.dtype == "BF16") convert.template operator()<uint16_t>(from_bfloat);
    else fail("{}: '{}' is {}; parameters are read from F32, F64, F16 or BF16", path_.string(), name, entry.dtype);
  });
}

void write_safetensors(const std::filesystem::path& path, const std::vector<std::pair<std::string, Tensor>>& tensors) {
  Json header;
  header["__metadata__"] = {{"format", "pt"}};
  uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const uint64_t bytes = static_cast<uint64_t>(tensor.numel()) * sizeof(float);
    Json entry;
    entry["dtype"] = "F32";
    entry["shape"] = std::vector<int64_t>(tensor.shape().begin(), tensor.shape().end());
    entry["data_offsets"] = {offset, offset + bytes};
    check(!header.contains(name), "two tensors to save are named '{}'", name);
    header[name] = std::move(entry);
    offset += bytes;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');   // so that the buffer is aligned
  FileWriter file(path);
  const uint64_t length = text.size();
  file.write(&length, sizeof length);
  file.write(text);
  const NoGrad scope;
  for (const auto& [name, tensor] : tensors) {
    const Tensor values = contiguous(cast(tensor, DType::f32));
    file.write(values.data<float>(), static_cast<size_t>(values.numel()) * sizeof(float));
  }
  file.commit();
}

}  // namespace gradus
