#include "gradus/io/safetensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <set>
#include <tuple>

#include "gradus/autograd/modes.h"
#include "gradus/base/json.h"
#include "gradus/ops/ops.h"

namespace gradus {
namespace {

using Json = nlohmann::json;
constexpr uint64_t largest_header = 100'000'000;
constexpr const char* hash_key = "gradus.payload_hash";

// Of the tensors' bytes in the order of the file, each hashed on from the one before.
std::string shown_hash(uint64_t hash) { return fmt::format("{:016x}", hash); }

uint16_t to_bfloat(float x) {
  const uint32_t bits = std::bit_cast<uint32_t>(x);
  // rounding could carry a NaN into infinity
  if (std::isnan(x)) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

// A value of the header for an error text.
std::string shown(const Json& value) {
  const std::string text = value.dump();
  return text.size() <= 200 ? text : replace_invalid_utf8(text.substr(0, 200)) + "…";
}

Json parse_header(std::string_view text, const std::string& file) {
  try {
    Json header = parse_json(text);
    if (const auto twice = repeated_key(text))
      fail("{}: the header names {} twice", file, shown(Json(*twice)));
    return header;
  } catch (const Json::exception& error) {
    fail("{}: the header is not valid JSON: {}", file, error.what());
  }
}

struct Entry {
  std::string dtype;
  Shape shape;
  uint64_t begin, end;  // bytes from the start of the buffer
};

Entry parse_entry(const std::string& file, const std::string& name, const Json& value,
                  uint64_t buffer_size) {
  const auto member = [&](const char* key, bool is_string) -> const Json& {
    if (!value.is_object() || !value.contains(key))
      fail("{}: the entry of '{}' has no {}: {}", file, name, key, shown(value));
    if (value[key].is_string() != is_string)
      fail("{}: the {} of '{}' is {}, which is of the wrong kind", file, key, name,
           shown(value[key]));
    return value[key];
  };
  Entry entry{member("dtype", true).get<std::string>(), {}, 0, 0};
  const Json &shape = member("shape", false), &offsets = member("data_offsets", false);
  if (!bits_of_dtype(entry.dtype))
    fail("{}: '{}' has the unknown dtype '{}'", file, name, entry.dtype);
  if (!shape.is_array())
    fail("{}: '{}' has the shape {}; it must be a list of sizes", file, name, shown(shape));
  if (shape.size() > Shape::max_rank)
    fail("{}: '{}' has {} axes; at most {} can be read", file, name, shape.size(),
         static_cast<int>(Shape::max_rank));
  for (const Json& axis : shape) {
    if (!axis.is_number_unsigned())
      fail("{}: '{}' has the shape {}; sizes are whole numbers from 0", file, name, shown(shape));
    entry.shape.push_back(
        static_cast<int64_t>(std::min<uint64_t>(axis.get<uint64_t>(), INT64_MAX)));
  }
  const std::optional<uint64_t> bits = bits_of_tensor(entry.dtype, entry.shape);
  if (!bits) fail("{}: the shape {} of '{}' overflows", file, shown(shape), name);
  if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
      !offsets[1].is_number_unsigned())
    fail("{}: the data_offsets of '{}' are {}; they must be [begin, end]", file, name,
         shown(offsets));
  entry.begin = offsets[0].get<uint64_t>(), entry.end = offsets[1].get<uint64_t>();
  if (entry.begin > entry.end || entry.end > buffer_size)
    fail("{}: '{}' lies at bytes {}..{} of a buffer of {}: the file is cut off or damaged", file,
         name, entry.begin, entry.end, buffer_size);
  if (*bits % 8 || entry.end - entry.begin != *bits / 8)
    fail("{}: '{}' is {} {}, which is {} bytes, but has {}", file, name, entry.dtype, entry.shape,
         static_cast<double>(*bits) / 8, entry.end - entry.begin);
  return entry;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : TensorFile(path) {
  const std::string file = path.string();
  const std::string_view bytes = files_.emplace_back(path).view();
  if (bytes.size() < 8)
    fail("{}: {} bytes are too few for a safetensors file; it begins with an 8-byte header length",
         file, bytes.size());
  uint64_t length;
  std::memcpy(&length, bytes.data(), 8);
  if (length > largest_header)
    fail(
        "{}: the header claims {} bytes, more than the {} that are allowed; is it a safetensors "
        "file?",
        file, length, largest_header);
  if (length > bytes.size() - 8)
    fail("{}: the header claims {} bytes, the file has {} after its length: it is cut off", file,
         length, bytes.size() - 8);
  const std::string_view header = bytes.substr(8, length);
  if (header.empty() || header[0] != '{')
    fail("{}: the header does not begin with {{; is it a safetensors file?", file);
  if (const size_t bad = find_invalid_utf8(header); bad != std::string_view::npos)
    fail("{}: the header is not valid UTF-8 at its byte {}", file, bad);
  const Json json = parse_header(header, file);
  const size_t start = 8 + length, size = bytes.size() - start;

  std::vector<std::tuple<uint64_t, uint64_t, std::string>> ranges;
  for (const auto& [name, value] : json.items()) {
    if (name == "__metadata__") {
      check(value.is_object(), "{}: __metadata__ is {}; it must map strings to strings", file,
            shown(value));
      for (const auto& [key, text] : value.items()) {
        if (!text.is_string())
          fail("{}: __metadata__ maps '{}' to {}, which is not a string", file, key, shown(text));
        metadata_[key] = text.get<std::string>();
      }
      continue;
    }
    const Entry entry = parse_entry(file, name, value, size);
    ranges.emplace_back(entry.begin, entry.end, name);
    add(name, {entry.dtype, entry.shape, bytes.data() + start + entry.begin});
  }
  std::sort(ranges.begin(), ranges.end());
  uint64_t covered = 0, hash = hash_bytes("");
  const auto said = metadata_.find(hash_key);
  for (const auto& [begin, end, name] : ranges) {
    if (begin != covered)
      fail(
          "{}: '{}' begins at byte {} of the buffer, where the tensors before it end at {}: they "
          "overlap or leave a hole",
          file, name, begin, covered);
    covered = end;
    if (said != metadata_.end()) hash = hash_bytes(bytes.substr(start + begin, end - begin), hash);
  }
  if (covered != size)
    fail("{}: the tensors end at byte {} of a buffer of {}", file, covered, size);
  if (said == metadata_.end()) return;
  if (said->second != shown_hash(hash))
    fail("{}: it has changed since it was written: its tensors have the hash {}, the file says {}",
         file, shown_hash(hash), said->second.substr(0, 16));
  metadata_.erase(said);  // it is the file's, not of who wrote it
}

void write_safetensors(const std::filesystem::path& path,
                       const std::vector<std::pair<std::string, Tensor>>& tensors, StoredAs stored,
                       const std::map<std::string, std::string>& metadata) {
  const auto dtype_of_file = [&](const Tensor& tensor) -> std::string {
    if (stored == StoredAs::it_is) return stored_name(tensor.dtype());
    return stored == StoredAs::bf16 ? "BF16" : "F32";
  };
  nlohmann::ordered_json header;
  header["__metadata__"] = metadata;
  header["__metadata__"][hash_key] = shown_hash(0);  // known in the end
  uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::string dtype = dtype_of_file(tensor);
    const uint64_t bytes = static_cast<uint64_t>(tensor.numel()) * bits_of_dtype(dtype) / 8;
    check(stored == StoredAs::it_is || is_float(tensor.dtype()),
          "{}: '{}' is {}; f32 and f64 are written", path.string(), name,
          to_string(tensor.dtype()));
    check(!header.contains(name), "{}: two tensors to write are named '{}'", path.string(), name);
    header[name] = {{"dtype", dtype},
                    {"shape", std::vector<int64_t>(tensor.shape().begin(), tensor.shape().end())},
                    {"data_offsets", {offset, offset + bytes}}};
    offset += bytes;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');  // so that the buffer is aligned
  FileWriter file(path);
  const uint64_t length = text.size();
  file.write(&length, sizeof length);
  file.write(text);
  uint64_t hash = hash_bytes("");
  const auto write = [&](const void* bytes, size_t size) {
    file.write(bytes, size);
    hash = hash_bytes(bytes, size, hash);
  };
  const NoGrad scope;
  for (const auto& [name, tensor] : tensors) {
    const Tensor values = contiguous(stored == StoredAs::it_is ? tensor : cast(tensor, DType::f32));
    const auto count = static_cast<size_t>(values.numel());
    if (stored == StoredAs::bf16) {
      const float* at = values.data<float>();
      std::vector<uint16_t> rounded(count);
      std::transform(at, at + count, rounded.begin(), to_bfloat);
      write(rounded.data(), count * sizeof(uint16_t));
    } else {
      dispatch(values.dtype(), [&]<class T>() { write(values.data<T>(), count * sizeof(T)); });
    }
  }
  const size_t place = text.find(shown_hash(0));
  file.seek(sizeof length + place);
  file.write(shown_hash(hash));
  file.commit();
}

}  // namespace gradus
