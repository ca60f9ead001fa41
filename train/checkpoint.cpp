#include "gradus/train/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "gradus/base/file.h"
#include "gradus/base/folder.h"
#include "gradus/io/layer_file.h"
#include "gradus/io/optimizer_file.h"
#include "gradus/io/safetensors.h"

namespace gradus {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* prefix = "checkpoint-";
constexpr const char* contents = "checkpoint.json";

// The step of a checkpoint's folder; nothing for other names.
std::optional<int64_t> step_of(const fs::path& folder) {
  const std::string name = folder.filename().string();
  if (!name.starts_with(prefix)) return {};
  const char *begin = name.data() + std::string_view(prefix).size(),
             *end = name.data() + name.size();
  int64_t step = 0;
  const auto [at, error] = std::from_chars(begin, end, step);
  return error == std::errc() && at == end ? std::optional(step) : std::nullopt;
}

// Newest first.
std::vector<fs::path> checkpoints_in(const fs::path& out) {
  std::vector<std::pair<int64_t, fs::path>> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(out, error))
    if (const auto step = step_of(entry.path()); step && entry.is_directory())
      found.emplace_back(*step, entry.path());
  std::sort(found.rbegin(), found.rend());
  std::vector<fs::path> paths;
  for (auto& [step, path] : found) paths.push_back(std::move(path));
  return paths;
}

std::string hash_of(const fs::path& path) {
  return fmt::format("{:016x}", hash_bytes(MappedFile(path).view()));
}

void write_contents(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.insert(entry.path().filename().string());
  Json files = Json::object();
  for (const std::string& name : names)
    files[name] = {{"bytes", fs::file_size(folder / name)}, {"hash", hash_of(folder / name)}};
  write_file(folder / contents,
             Json{{"format", "gradus checkpoint 1"}, {"files", files}}.dump(1) + "\n");
}

// What is wrong with a checkpoint; "" where it is whole.
std::string fault_of(const fs::path& folder) {
  try {
    const nlohmann::json said = read_json(folder / contents);
    const auto files = said.find("files");
    if (files == said.end() || !files->is_object() || !files->contains("trainer_state.json"))
      return fmt::format("{} does not list its files", contents);
    for (const auto& [name, file] : files->items()) {
      if (fs::path(name).filename() != name) return name + " is no file of it";
      if (!fs::is_regular_file(folder / name)) return name + " is missing";
      if (!file.is_object() || file.value("hash", nlohmann::json()) != hash_of(folder / name))
        return name + " has changed since it was written";
    }
  } catch (const Error& error) { return error.what(); }
  return "";
}

// Out of sight first: a kill leaves no half of one under its name.
void remove_checkpoint(const fs::path& folder) {
  const fs::path gone = temporary_beside(folder);
  std::error_code error;
  fs::rename(folder, gone, error);
  fs::remove_all(error ? folder : gone, error);
}

std::vector<std::pair<std::string, Tensor>> gradients_of(const ParameterList& parameters) {
  std::vector<std::pair<std::string, Tensor>> list;
  std::set<const TensorImpl*> seen;
  for (const Parameter& p : parameters)
    if (!p.tied && p.leaf.grad().defined() && seen.insert(p.leaf.impl().get()).second)
      list.emplace_back(p.name, p.leaf.grad());
  return list;
}

}  // namespace

Checkpoints::~Checkpoints() {
  if (background_.valid()) background_.wait();
}

void Checkpoints::write(int64_t step, const ParameterList& parameters, const Optimizer& optimizer,
                        const Json& state, const std::function<void(const fs::path&)>& beside) {
  finish();
  const fs::path folder = out_ / fmt::format("{}{}", prefix, step);
  check(fs::is_directory(out_), "{}: the folder is gone; no checkpoint can be written there",
        out_.string());
  auto writer = std::make_shared<FolderWriter>(folder);
  const fs::path at = writer->path();
  save_parts(at / "model.safetensors", parameters, {{"format", "pt"}});
  save_optimizer(at / "optimizer.safetensors", optimizer);
  if (const auto gradients = gradients_of(parameters); !gradients.empty())
    write_safetensors(at / "gradients.safetensors", gradients, StoredAs::it_is);
  write_file(at / "trainer_state.json", state.dump(1) + "\n");
  beside(at);
  writer->seal();
  background_ = std::async(std::launch::async, [writer, at, folder, keep = keep_] {
    write_contents(at);
    writer->commit();
    prune(folder.parent_path(), keep);
    return folder;
  });
}

void Checkpoints::finish() {
  if (background_.valid()) newest_ = background_.get();
}

void Checkpoints::prune(const fs::path& out, int64_t keep) {
  const auto all = checkpoints_in(out);
  for (size_t i = static_cast<size_t>(keep); i < all.size(); ++i) remove_checkpoint(all[i]);
}

std::optional<Checkpoint> find_checkpoint(const fs::path& path,
                                          const std::function<void(const std::string&)>& say) {
  const bool itself = fs::exists(path / contents);
  for (const fs::path& folder : itself ? std::vector{path} : checkpoints_in(path)) {
    const std::string fault = fault_of(folder);
    if (fault.empty()) {
      return Checkpoint{folder, read_ordered_json(folder / "trainer_state.json")};
    }
    check(!itself, "{} is damaged: {}", folder.string(), fault);
    say(fmt::format("{} is damaged and passed over: {}", folder.string(), fault));
  }
  return {};
}

void load_checkpoint(const Checkpoint& checkpoint, const ParameterList& parameters,
                     Optimizer& optimizer) {
  const fs::path gradients = checkpoint.folder / "gradients.safetensors";
  load_optimizer(checkpoint.folder / "optimizer.safetensors", optimizer);
  load_parts(checkpoint.folder / "model.safetensors", parameters);
  optimizer.clear_gradients();
  if (!fs::exists(gradients)) return;
  const SafetensorsFile file(gradients);
  for (const Parameter& p : parameters) {
    if (p.tied || !file.entries().contains(p.name)) continue;
    Tensor gradient = Tensor::empty(p.leaf.shape(), p.leaf.dtype());
    file.read(p.name, gradient);
    p.leaf.set_grad(gradient);
  }
}

}  // namespace gradus
