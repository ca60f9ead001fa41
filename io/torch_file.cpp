#include "gradus/io/torch_file.h"

#include <cstring>

#include "gradus/io/pickle.h"
#include "gradus/io/zip.h"

namespace gradus {
namespace {

using Kind = PickleValue::Kind;
using Storages = std::map<std::string, std::string_view>;  // by key

const std::map<std::string, std::string>& dtypes_of_storages() {
  static const std::map<std::string, std::string> dtypes = {
      {"torch.FloatStorage", "F32"}, {"torch.DoubleStorage", "F64"},
      {"torch.HalfStorage", "F16"},  {"torch.BFloat16Storage", "BF16"},
      {"torch.LongStorage", "I64"},  {"torch.IntStorage", "I32"},
      {"torch.ShortStorage", "I16"}, {"torch.CharStorage", "I8"},
      {"torch.ByteStorage", "U8"},   {"torch.BoolStorage", "BOOL"}};
  return dtypes;
}

const std::set<std::string>& known_globals() {
  static const std::set<std::string> known = [] {
    std::set<std::string> names = {"collections.OrderedDict", "torch._utils._rebuild_tensor_v2",
                                   "torch._utils._rebuild_parameter"};
    for (const auto& [name, dtype] : dtypes_of_storages()) names.insert(name);
    return names;
  }();
  return known;
}

bool is_call_of(const PickleValue& value, const char* name) {
  return value.kind == Kind::call && value.items[0]->text == name;
}

// What a persistent id says: ('storage', torch.FloatStorage, key, device, elements), in the old
// form with a view of it, which nobody writes.
struct Storage {
  std::string dtype, key;
  int64_t elements;
  Storage(const PickleValue& value, const std::string& what) {
    const auto* id = value.kind == Kind::persistent ? value.items[0] : nullptr;
    const bool right =
        id && id->kind == Kind::tuple &&
        (id->items.size() == 5 || (id->items.size() == 6 && id->items[5]->kind == Kind::none)) &&
        id->items[1]->kind == Kind::global && dtypes_of_storages().contains(id->items[1]->text) &&
        id->items[2]->kind == Kind::text && id->items[4]->kind == Kind::integer &&
        id->items[4]->integer >= 0;
    check(right, "{} has no storage as torch.save describes it", what);
    dtype = dtypes_of_storages().at(id->items[1]->text);
    key = id->items[2]->text;
    elements = id->items[4]->integer;
  }
};

Shape sizes_of(const PickleValue& value, const std::string& what) {
  check(value.kind == Kind::tuple && value.items.size() <= Shape::max_rank,
        "{} has no tuple of at most {} sizes", what, static_cast<int>(Shape::max_rank));
  Shape sizes;
  for (const PickleValue* item : value.items) {
    check(item->kind == Kind::integer && item->integer >= 0,
          "{} has a size or stride that is not a whole number from 0", what);
    sizes.push_back(item->integer);
  }
  return sizes;
}

// _rebuild_tensor_v2(storage, offset, sizes, strides, requires_grad, hooks): its elements must lie
// in the storage, and be no more than it.
StoredTensor rebuild_tensor(const PickleValue& call, const Storages& storages,
                            const std::string& what) {
  const auto& arguments = call.items[1]->items;
  check(arguments.size() >= 4 && arguments[1]->kind == Kind::integer && arguments[1]->integer >= 0,
        "{} is not described as a tensor is", what);
  const Storage storage(*arguments[0], what);
  const int64_t offset = arguments[1]->integer;
  const Shape shape = sizes_of(*arguments[2], what), strides = sizes_of(*arguments[3], what);
  check(shape.rank() == strides.rank(), "{} has {} sizes and {} strides", what, shape.rank(),
        strides.rank());
  const auto found = storages.find(storage.key);
  if (found == storages.end())
    fail("{} lies in the storage '{}', which is not there", what, storage.key);
  const uint64_t available = found->second.size(), bits = bits_of_dtype(storage.dtype);
  if (static_cast<uint64_t>(storage.elements) > available * 8 / bits)
    fail("{}: its storage '{}' claims {} {} but has {} bytes: the file is cut off or damaged", what,
         storage.key, storage.elements, storage.dtype, available);

  const std::optional<uint64_t> wanted = bits_of_tensor(storage.dtype, shape);
  uint64_t last = static_cast<uint64_t>(offset);  // the place of the last element
  bool inside = wanted && *wanted / bits <= static_cast<uint64_t>(storage.elements);
  for (int axis = 0; inside && *wanted && axis < shape.rank(); ++axis) {
    const auto steps = static_cast<uint64_t>(shape[axis] - 1),
               stride = static_cast<uint64_t>(strides[axis]);
    inside = !steps || stride <= static_cast<uint64_t>(storage.elements) / steps;
    if (inside) last += steps * stride;
  }
  inside = inside && (*wanted == 0 || last < static_cast<uint64_t>(storage.elements));
  if (!inside)
    fail("{}: {} of strides {} from element {} does not lie in its storage of {} elements", what,
         shape, strides, offset, storage.elements);
  return {storage.dtype, shape, strides,
          found->second.data() + (*wanted ? static_cast<uint64_t>(offset) * bits / 8 : 0)};
}

// The state dict's tensors: the calls of _rebuild_tensor_v2 by name.
using Calls = std::vector<std::pair<std::string, const PickleValue*>>;

Calls tensors_of(const PickleValue& dict, const std::string& file) {
  if (dict.kind != Kind::dict && !is_call_of(dict, "collections.OrderedDict"))
    fail("{}: it does not hold a dict of tensors; torch.save(model.state_dict(), …) is read", file);
  Calls calls;
  for (const auto& [key, value] : dict.entries) {
    check(key->kind == Kind::text,
          "{}: a key of its dict is not text; torch.save(model.state_dict(), …) is read", file);
    const PickleValue* tensor = value;
    if (is_call_of(*tensor, "torch._utils._rebuild_parameter") && !tensor->items[1]->items.empty())
      tensor = tensor->items[1]->items[0];
    if (!is_call_of(*tensor, "torch._utils._rebuild_tensor_v2"))
      fail("{}: '{}' is not a tensor; torch.save(model.state_dict(), …) is read", file, key->text);
    calls.emplace_back(key->text, tensor);
  }
  return calls;
}

struct Contents {
  std::deque<Pickle> pickles;  // own the calls
  Calls tensors;
  Storages storages;
};

// NAME/data.pkl, NAME/byteorder and a file NAME/data/KEY for each storage.
Contents read_zip_form(std::string_view bytes, const std::string& file) {
  constexpr std::string_view pickle = "/data.pkl";
  Contents contents;
  const auto entries = read_stored_zip(bytes, file);
  std::string folder;
  for (const auto& [name, content] : entries)
    if (name.ends_with(pickle)) folder = name.substr(0, name.size() - pickle.size());
  const auto found = entries.find(folder + "/data.pkl"),
             order = entries.find(folder + "/byteorder");
  if (found == entries.end())
    fail("{}: a zip archive without data.pkl; torch.save writes one", file);
  if (order != entries.end() && order->second != "little")
    fail("{}: it was saved on a machine of the other byte order; only little-endian files are read",
         file);
  contents.pickles.emplace_back(found->second, file, known_globals());
  contents.tensors = tensors_of(contents.pickles[0].root(), file);
  for (const auto& [name, content] : entries)
    if (name.starts_with(folder + "/data/"))
      contents.storages.emplace(name.substr(folder.size() + 6), content);
  return contents;
}

// Five pickles (a magic number, the protocol's version, the machine, the dict, the storages' keys),
// then for each key in their order the number of elements (8 bytes) and the elements.
Contents read_old_form(std::string_view bytes, const std::string& file) {
  Contents contents;
  for (int i = 0; i < 5; ++i)
    bytes.remove_prefix(contents.pickles.emplace_back(bytes, file, known_globals()).size());
  if (const PickleValue& version = contents.pickles[1].root();
      version.kind != Kind::integer || version.integer != 1001)
    fail("{}: its protocol version is not 1001, the only one that PyTorch wrote", file);
  for (const auto& [key, value] : contents.pickles[2].root().entries)
    if (key->text == "little_endian" && !value->integer)
      fail(
          "{}: it was saved on a machine of the other byte order; only little-endian files are "
          "read",
          file);
  contents.tensors = tensors_of(contents.pickles[3].root(), file);
  std::map<std::string, std::string> dtypes;
  for (const auto& [name, call] : contents.tensors) {
    const auto& arguments = call->items[1]->items;
    check(!arguments.empty(), "{}: '{}' is not described as a tensor is", file, name);
    const Storage storage(*arguments[0], fmt::format("{}: '{}'", file, name));
    if (dtypes.emplace(storage.key, storage.dtype).first->second != storage.dtype)
      fail("{}: the storage '{}' is {} and {}", file, storage.key, dtypes.at(storage.key),
           storage.dtype);
  }
  for (const PickleValue* key : contents.pickles[4].root().items) {
    const auto dtype = dtypes.find(key->text);
    if (dtype == dtypes.end()) fail("{}: it has a storage '{}' of no tensor", file, key->text);
    uint64_t count = 0;
    if (bytes.size() >= 8) std::memcpy(&count, bytes.data(), 8), bytes.remove_prefix(8);
    else fail("{}: the file ends before its storage '{}': it is cut off", file, key->text);
    const uint64_t bits = bits_of_dtype(dtype->second);
    if (count > bytes.size() * 8 / bits)
      fail(
          "{}: its storage '{}' claims {} {}, but {} bytes are left: the file is cut off or "
          "damaged",
          file, key->text, count, dtype->second, bytes.size());
    if (!contents.storages.emplace(key->text, bytes.substr(0, count * bits / 8)).second)
      fail("{}: it has two storages '{}'", file, key->text);
    bytes.remove_prefix(count * bits / 8);
  }
  return contents;
}

}  // namespace

TorchFile::TorchFile(const std::filesystem::path& path) : TensorFile(path) {
  const std::string file = path.string();
  const std::string_view bytes = files_.emplace_back(path).view(),
                         magic("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10);
  const bool zip = bytes.starts_with("PK"),
             old = bytes.substr(0, 64).find(magic) != std::string_view::npos;
  if (!zip && !old)
    fail(
        "{}: it is no file of torch.save, neither a zip archive nor the form before PyTorch 1.6; "
        "is it cut off, or a Git LFS pointer?",
        file);
  const Contents contents = zip ? read_zip_form(bytes, file) : read_old_form(bytes, file);
  for (const auto& [name, call] : contents.tensors)
    add(name, rebuild_tensor(*call, contents.storages, fmt::format("{}: '{}'", file, name)));
}

}  // namespace gradus
