#include "io/model_folder.h"

#include <algorithm>
#include <memory>
#include <set>

#include "base/json_file.h"
#include "io/safetensors.h"
#include "io/tokenizer_json.h"

namespace gradus {
namespace fs = std::filesystem;

void save_model_folder(const fs::path& folder, const BertConfig& config, const std::vector<Parameter>& parameters,
                       const Tokenizer& tokenizer) {
  using Json = nlohmann::ordered_json;
  const Vocabulary& vocabulary = tokenizer.vocabulary();
  vocabulary.require_special();
  if (vocabulary.size() > config.vocab_size)
    fail("{}: its {} tokens are more than the model's vocab_size of {}", vocabulary.origin(), vocabulary.size(), config.vocab_size);
  std::error_code error;
  fs::create_directories(folder, error);
  check(!error, "cannot make the folder {}: {}", folder.string(), error.message());

  std::vector<std::pair<std::string, Tensor>> tensors;
  for (const Parameter& p : parameters)
    if (!p.tied) tensors.emplace_back(p.name, p.view());
  write_safetensors(folder / "model.safetensors", tensors);
  write_file(folder / "config.json", config.to_json());

  vocabulary.save(folder / "vocab.txt");
  write_file(folder / "tokenizer.json", tokenizer_json(tokenizer));
  const Json specials{
      {"unk_token", "[UNK]"}, {"sep_token", "[SEP]"}, {"pad_token", "[PAD]"}, {"cls_token", "[CLS]"}, {"mask_token", "[MASK]"}};
  Json settings{{"tokenizer_class", "BertTokenizer"},
                {"do_lower_case", tokenizer.options().lower_case},
                {"model_max_length", config.max_position_embeddings},
                {"strip_accents", nullptr},
                {"tokenize_chinese_chars", true}};
  if (tokenizer.options().mode == TokenizerMode::google) settings["gradus_mode"] = "google";   // a key of ours: nobody else has these rules
  settings.update(specials);
  write_file(folder / "tokenizer_config.json", settings.dump(2) + "\n");
  write_file(folder / "special_tokens_map.json", specials.dump(2) + "\n");
}

BertConfig load_config(const fs::path& folder) {
  check(fs::is_directory(folder), "{}: there is no such model folder", folder.string());
  const fs::path path = folder / "config.json";
  return BertConfig::from_json(read_file(path), path.string());
}

Tokenizer load_tokenizer(const fs::path& folder) {
  const fs::path settings = folder / "tokenizer_config.json", vocabulary = folder / "vocab.txt", whole = folder / "tokenizer.json";
  const nlohmann::json json = fs::exists(settings) ? read_json(settings) : nlohmann::json::object();
  const auto flag = [&](const char* key) -> std::optional<bool> {
    if (!json.contains(key) || json[key].is_null()) return {};
    check(json[key].is_boolean(), "{}: {} is {}; it must be true or false", settings.string(), key, json[key].dump());
    return json[key].get<bool>();
  };
  const auto lower_case = flag("do_lower_case");
  const auto strip_accents = flag("strip_accents");
  check(flag("tokenize_chinese_chars").value_or(true), "{}: tokenize_chinese_chars is false; only true can be read", settings.string());
  check(!strip_accents || *strip_accents == lower_case.value_or(true),
        "{}: strip_accents differs from do_lower_case; they can only be read together", settings.string());

  // PreTrainedTokenizerFast has no rules of its own: there tokenizer.json alone says what is done.
  const bool own_rules = json.value("tokenizer_class", nlohmann::json()) != "PreTrainedTokenizerFast";
  if (fs::exists(whole) && (!fs::exists(vocabulary) || !lower_case || !own_rules))
    return read_tokenizer_json(whole, own_rules ? lower_case : std::nullopt);
  check(fs::exists(vocabulary), "{}: there is neither vocab.txt nor tokenizer.json in it", folder.string());
  const bool google = json.value("gradus_mode", nlohmann::json()) == "google";
  return Tokenizer(Vocabulary::load(vocabulary),
                   {.lower_case = lower_case.value_or(true), .mode = google ? TokenizerMode::google : TokenizerMode::hf});
}

std::string LoadReport::to_text() const {
  const auto names = [](const std::vector<std::string>& list) {
    std::string text;
    for (size_t i = 0; i < list.size() && i < 6; ++i) text += (i ? ", " : "") + list[i];
    return list.size() > 6 ? fmt::format("{} and {} more", text, list.size() - 6) : text;
  };
  std::string text = fmt::format("{} parameters loaded", loaded.size());
  if (!fresh.empty()) text += fmt::format("; {} new, not in the file: {}", fresh.size(), names(fresh));
  if (!unused.empty()) text += fmt::format("; {} tensors of the file not used: {}", unused.size(), names(unused));
  return text;
}

namespace {

struct Source {
  const SafetensorsFile* file;
  std::string name;   // as the file spells it
};

// A folder's tensors by plain name: one file, or the shards that an index names.
class Weights {
 public:
  explicit Weights(const fs::path& folder) {
    const fs::path one = folder / "model.safetensors", index = folder / "model.safetensors.index.json";
    if (fs::exists(one)) open(one);
    else if (fs::exists(index)) open_shards(folder, index);
    else fail("{}: there is neither model.safetensors nor model.safetensors.index.json in it", folder.string());
    for (const auto& file : files_)
      for (const auto& [name, entry] : file->entries())
        if (!name.ends_with("position_ids") && !sources_.emplace(plain(name), Source{file.get(), name}).second)
          fail("{}: '{}' is there twice: as '{}' and as '{}'", file->path().string(), plain(name), sources_.at(plain(name)).name, name);
  }

  // Today's spelling, without the prefix that a body saved by itself does not have.
  static std::string plain(std::string name) {
    if (name.starts_with("bert.")) name.erase(0, 5);
    for (const auto& [old, now] :
         {std::pair<std::string, std::string>{"LayerNorm.gamma", "LayerNorm.weight"}, {"LayerNorm.beta", "LayerNorm.bias"}})
      if (name.ends_with(old)) name.replace(name.size() - old.size(), old.size(), now);
    return name;
  }

  const Source* find(const std::string& parameter) const {
    const auto found = sources_.find(plain(parameter));
    return found == sources_.end() ? nullptr : &found->second;
  }
  const std::map<std::string, Source>& sources() const { return sources_; }

 private:
  const SafetensorsFile& open(const fs::path& path) { return *files_.emplace_back(std::make_unique<SafetensorsFile>(path)); }

  void open_shards(const fs::path& folder, const fs::path& index) {
    const nlohmann::json map = read_json(index).value("weight_map", nlohmann::json());
    check(map.is_object(), "{}: it has no weight_map, an object of tensors and their files", index.string());
    std::map<std::string, const SafetensorsFile*> shards;
    for (const auto& [name, shard] : map.items()) {
      if (!shard.is_string() || fs::path(shard.get<std::string>()).filename() != shard.get<std::string>())
        fail("{}: the file of '{}' is {}; it must be a name in this folder", index.string(), name, shard.dump());
      const SafetensorsFile*& file = shards[shard.get<std::string>()];
      if (!file) file = &open(folder / shard.get<std::string>());
      if (!file->entries().contains(name))
        fail("{}: '{}' should be in {}, which has no such tensor", index.string(), name, shard.get<std::string>());
    }
  }

  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::map<std::string, Source> sources_;
};

}  // namespace

LoadReport load_parameters(const fs::path& folder, const std::vector<Parameter>& parameters) {
  const Weights weights(folder);
  LoadReport report;
  std::set<const Source*> used;
  std::vector<std::pair<const Parameter*, const Source*>> plan;
  for (const Parameter& p : parameters) {
    if (p.tied) continue;
    const Source* source = weights.find(p.name);
    for (const Parameter& alias : parameters) {
      if (!alias.tied || !alias.leaf.same(p.leaf)) continue;
      const Source* other = weights.find(alias.name);
      if (!other) continue;
      used.insert(other);
      if (!source) source = other;
      else if (source->file->bytes(source->name) != other->file->bytes(other->name))
        fail("{}: '{}' and '{}' differ, but are one parameter of this model (tied weights)", folder.string(), source->name, other->name);
    }
    (source ? report.loaded : report.fresh).push_back(p.name);
    if (!source) continue;
    source->file->require_readable(source->name, p.view().shape());
    used.insert(source);
    plan.emplace_back(&p, source);
  }
  if (plan.empty()) fail("{}: none of its {} tensors is a parameter of this model", folder.string(), weights.sources().size());
  for (const auto& [parameter, source] : plan) {
    Tensor view = parameter->view();
    source->file->read(source->name, view);
  }
  for (const auto& [name, source] : weights.sources())
    if (!used.contains(&source)) report.unused.push_back(source.name);
  return report;
}

}  // namespace gradus
