#include "gradus/io/layer_file.h"

#include <cstring>
#include <set>

#include "gradus/autograd/engine.h"
#include "gradus/autograd/modes.h"
#include "gradus/io/safetensors.h"

namespace gradus {
namespace {

// "3 parameters of the layer are not in it: a, b, c"
void list_names(std::vector<std::string>& faults, const std::vector<std::string>& names,
                const char* what) {
  if (names.empty()) return;
  std::string text = fmt::format("{} {}: ", names.size(), what);
  for (size_t i = 0; i < names.size(); ++i) text += (i ? ", " : "") + names[i];
  faults.push_back(std::move(text));
}

void read_exactly(const StoredTensor& stored, Tensor view) {
  Tensor values = Tensor::empty(view.shape(), view.dtype());
  dispatch(view.dtype(), [&]<class T>() {
    std::memcpy(values.write<T>(), stored.data, static_cast<size_t>(values.numel()) * sizeof(T));
  });
  copy_into(values, view, false);
}

}  // namespace

void save_parts(const std::filesystem::path& path, const std::vector<Parameter>& list,
                const Metadata& metadata) {
  std::vector<std::pair<std::string, Tensor>> tensors;
  for (const Parameter& p : list)
    if (!p.tied) tensors.emplace_back(p.name, p.view());
  write_safetensors(path, tensors, StoredAs::it_is, metadata);
}

Metadata load_parts(const std::filesystem::path& path, const std::vector<Parameter>& list) {
  const SafetensorsFile file(path);
  std::vector<std::string> missing, unexpected, faults;
  std::set<std::string> wanted;
  for (const Parameter& p : list) {
    if (p.tied) continue;
    wanted.insert(p.name);
    const auto found = file.entries().find(p.name);
    if (found == file.entries().end()) {
      missing.push_back(p.name);
      continue;
    }
    const auto& [dtype, shape, strides, data] = found->second;
    const Tensor view = p.view();
    if (shape != view.shape() || dtype != stored_name(view.dtype()))
      faults.push_back(fmt::format("'{}' is {} {} in it, and {} {} in the layer", p.name, dtype,
                                   shape, stored_name(view.dtype()), view.shape()));
  }
  for (const auto& [name, tensor] : file.entries())
    if (!wanted.contains(name)) unexpected.push_back(name);
  list_names(faults, missing, "parameters of the layer are not in it");
  list_names(faults, unexpected, "of its tensors are no part of the layer");
  std::string text;
  for (const std::string& fault : faults) text += (text.empty() ? "" : "; ") + fault;
  check(faults.empty(), "{} is not a file of this layer: {}", path.string(), text);

  const NoGrad scope;
  for (const Parameter& p : list)
    if (!p.tied) read_exactly(file.entry(p.name), p.view());
  return file.metadata();
}

}  // namespace gradus
