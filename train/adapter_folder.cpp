#include "gradus/train/adapter_folder.h"

#include <cmath>
#include <set>

#include "gradus/autograd/modes.h"
#include "gradus/base/folder.h"
#include "gradus/base/json.h"
#include "gradus/io/folder_hashes.h"
#include "gradus/io/model_folder.h"
#include "gradus/io/safetensors.h"
#include "gradus/io/weight_names.h"
#include "gradus/ops/ops.h"
#include "gradus/train/starting_weights.h"

namespace gradus {
namespace fs = std::filesystem;
namespace {

const std::string prefix = "base_model.model.";  // peft wraps a model twice

const char* task_type(const BertConfig& config) {
  const std::string& name = config.architectures.at(0);
  if (name.ends_with("ForTokenClassification")) return "TOKEN_CLS";
  if (name.ends_with("ForQuestionAnswering")) return "QUESTION_ANS";
  return "SEQ_CLS";
}

// "bert.encoder.layer.3.attention.self.query" -> "query"; peft matches modules by the end of their
// names.
std::vector<std::string> target_modules(const LoraAdapters& adapters) {
  std::set<std::string> modules;
  for (const auto& adapter : adapters.adapters()) {
    // several layers are called so; the part before tells them apart
    const bool ambiguous = adapter.name.ends_with(".dense");
    const size_t dot =
        adapter.name.rfind('.', ambiguous ? adapter.name.size() - 7 : std::string::npos);
    modules.insert(adapter.name.substr(dot + 1));
  }
  return {modules.begin(), modules.end()};
}

// Adapters are wrong on any other model than theirs, and would say nothing of it. So they carry a
// hash of the numbers that they add to: the body, but for the pooler, which is trained itself.
constexpr const char* base_key = "gradus.base_hash";

std::string hash_of_base(const std::vector<Parameter>& list) {
  std::vector<Parameter> base;
  for (const Parameter& p : list)
    if (belongs_to_body(without_prefix(p.name))) base.push_back(p);
  return hash_of(base);
}

struct Settings {
  fs::path base;
  int64_t rank;
  double alpha;
};

Settings read_settings(const fs::path& folder) {
  const fs::path path = folder / "adapter_config.json";
  const nlohmann::json json = read_json(path);
  const auto value = [&](const char* key, const char* kind, auto&& suits) {
    const auto found = json.find(key);
    if (found == json.end()) fail("{}: it has no {}", path.string(), key);
    if (!suits(*found))
      fail("{}: {} is {}; it must be {}", path.string(), key, found->dump(), kind);
    return *found;
  };
  const auto text = [](const nlohmann::json& v) { return v.is_string(); };
  const auto count = [](const nlohmann::json& v) {
    return v.is_number_unsigned() && v.get<uint64_t>() >= 1 && v.get<uint64_t>() <= INT32_MAX;
  };
  const auto number = [](const nlohmann::json& v) {
    return v.is_number() && std::isfinite(v.get<float>());
  };
  return {value("base_model_name_or_path", "the folder of a model", text).get<std::string>(),
          value("r", "a whole number from 1", count).get<int64_t>(),
          value("lora_alpha", "a number", number).get<double>()};
}

}  // namespace

void save_adapters(const fs::path& folder, const LoraAdapters& adapters, const fs::path& base,
                   const BertConfig& config, const Tokenizer& tokenizer) {
  NamedTensors tensors;
  std::set<std::string> heads;
  for (const Parameter& p : adapters.trained()) {
    tensors.emplace_back(prefix + p.name, p.view());
    if (!p.name.ends_with(".lora_A.weight") && !p.name.ends_with(".lora_B.weight"))
      heads.insert(p.name.starts_with("bert.pooler") ? "pooler"
                                                     : p.name.substr(0, p.name.find('.')));
  }
  FolderChange change(folder, is_model_file);
  save_folder_settings(change.path(), config, tokenizer);
  auto metadata = folder_hashes(config, tokenizer);
  metadata["format"] = "pt";
  metadata[base_key] = hash_of_base(adapters.model());
  write_safetensors(change.path() / "adapter_model.safetensors", tensors, StoredAs::f32, metadata);
  const nlohmann::ordered_json settings{
      {"peft_type", "LORA"},
      {"task_type", task_type(config)},
      {"base_model_name_or_path", fs::absolute(base).lexically_normal().string()},
      {"r", adapters.options().rank},
      {"lora_alpha", adapters.options().alpha},
      {"lora_dropout", 0.0},
      {"bias", "none"},
      {"target_modules", target_modules(adapters)},
      {"modules_to_save", heads}};
  write_file(change.path() / "adapter_config.json", settings.dump(2) + "\n");
  change.commit("adapter_model.safetensors");
}

bool is_adapter_folder(const fs::path& folder) {
  return fs::exists(folder / "adapter_config.json");
}

fs::path adapter_base(const fs::path& folder) {
  fs::path base = read_settings(folder).base;
  check(fs::is_directory(base), "{}: the model that the adapters belong to, {}, is not there",
        (folder / "adapter_config.json").string(), base.string());
  return base;
}

void load_adapters(const fs::path& folder, BertForTask& model) {
  const Settings settings = read_settings(folder);
  const fs::path base = adapter_base(folder);
  std::vector<Parameter> body;
  for (const Parameter& p : parameters(model))
    if (const std::string plain = without_prefix(p.name);
        belongs_to_body(plain) || plain.starts_with("pooler."))
      body.push_back(p);
  load_parameters(base, body);
  const SafetensorsFile file(folder / "adapter_model.safetensors");
  if (const std::string changed = changed_since(file.metadata(), folder); !changed.empty())
    fail("{}: {} is not the one that was written with the adapters; answers would be wrong",
         folder.string(), changed);
  if (const auto said = file.metadata().find(base_key);
      said != file.metadata().end() && said->second != hash_of_base(body))
    fail(
        "{}: the model in {} is not the one that the adapters were trained on; answers would be "
        "wrong",
        folder.string(), base.string());
  constexpr std::string_view ending = ".lora_A.weight";
  std::vector<std::string> targets;
  for (const auto& [name, tensor] : file.entries())
    if (name.starts_with(prefix) && name.ends_with(ending)) {
      if (tensor.shape.rank() != 2 || tensor.shape[0] != settings.rank)
        fail("{}: '{}' is {}; with r {} of adapter_config.json it would be [{}, ..]",
             file.path().string(), name, tensor.shape, settings.rank, settings.rank);
      targets.push_back(name.substr(prefix.size(), name.size() - prefix.size() - ending.size()) +
                        ".weight");
    }
  check(!targets.empty(), "{}: it has no adapters, PARAMETER{}", file.path().string(), ending);
  const LoraAdapters adapters(model,
                              {settings.rank, settings.alpha, targets, trained_beside_adapters}, 0);
  for (const Parameter& p : adapters.trained()) {
    file.require_readable(prefix + p.name, file.entry(prefix + p.name), p.view().shape());
    Tensor view = p.view();
    file.read(prefix + p.name, view);
  }
  const NoGrad scope;
  const std::vector<Parameter> sums = adapters.merged(), list = parameters(model);
  for (size_t i = 0; i < list.size(); ++i)
    if (Tensor view = list[i].view(); !list[i].tied && !sums[i].leaf.same(list[i].leaf))
      copy_into(sums[i].view(), view, false);
}

}  // namespace gradus
