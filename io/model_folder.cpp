#include "io/model_folder.h"

#include <nlohmann/json.hpp>

#include <memory>
#include <set>

#include "autograd/modes.h"
#include "io/safetensors.h"

namespace gradus {
namespace {
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

Json read_json(const fs::path& path) {
  try {
    return Json::parse(read_file(path));
  } catch (const Json::exception& error) {
    fail("{}: not valid JSON: {}", path.string(), error.what());
  }
}

// tokenizer.json as the `tokenizers` package's BertWordPiece writes it.
Json tokenizer_json(const Tokenizer& tokenizer) {
  const Vocabulary& vocabulary = tokenizer.vocabulary();
  const auto special = [&](int32_t id) { return vocabulary.token(id); };
  Json added = Json::array(), vocab = Json::object();
  std::set<int32_t> specials{vocabulary.pad(), vocabulary.unk(), vocabulary.cls(), vocabulary.sep(), vocabulary.mask()};
  for (const int32_t id : specials)
    if (id >= 0) added.push_back({{"id", id}, {"content", special(id)}, {"single_word", false}, {"lstrip", false}, {"rstrip", false}, {"normalized", false}, {"special", true}});
  for (int32_t id = 0; id < vocabulary.size(); ++id) vocab[vocabulary.token(id)] = id;
  const auto piece = [](const char* kind, const std::string& id, int type) { return Json{{kind, {{"id", id}, {"type_id", type}}}}; };
  const std::string cls = special(vocabulary.cls()), sep = special(vocabulary.sep());
  const auto token_of = [&](int32_t id) { return Json{{"id", special(id)}, {"ids", {id}}, {"tokens", {special(id)}}}; };
  Json json;
  json["version"] = "1.0";
  json["truncation"] = nullptr;
  json["padding"] = nullptr;
  json["added_tokens"] = added;
  json["normalizer"] = {{"type", "BertNormalizer"}, {"clean_text", true}, {"handle_chinese_chars", true}, {"strip_accents", nullptr}, {"lowercase", tokenizer.options().lower_case}};
  json["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
  json["post_processor"] = {{"type", "TemplateProcessing"},
                            {"single", {piece("SpecialToken", cls, 0), piece("Sequence", "A", 0), piece("SpecialToken", sep, 0)}},
                            {"pair", {piece("SpecialToken", cls, 0), piece("Sequence", "A", 0), piece("SpecialToken", sep, 0), piece("Sequence", "B", 1), piece("SpecialToken", sep, 1)}},
                            {"special_tokens", {{cls, token_of(vocabulary.cls())}, {sep, token_of(vocabulary.sep())}}}};
  json["decoder"] = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
  json["model"] = {{"type", "WordPiece"}, {"unk_token", special(vocabulary.unk())}, {"continuing_subword_prefix", "##"}, {"max_input_chars_per_word", 100}, {"vocab", std::move(vocab)}};
  return json;
}

// The tensors of a folder: one file, or shards by an index.
std::vector<std::unique_ptr<SafetensorsFile>> open_weights(const fs::path& folder) {
  std::vector<std::unique_ptr<SafetensorsFile>> files;
  if (fs::exists(folder / "model.safetensors")) {
    files.push_back(std::make_unique<SafetensorsFile>(folder / "model.safetensors"));
    return files;
  }
  const fs::path index = folder / "model.safetensors.index.json";
  if (!fs::exists(index)) fail("{}: there is neither model.safetensors nor model.safetensors.index.json in it", folder.string());
  const Json json = read_json(index);
  check(json.contains("weight_map") && json["weight_map"].is_object(), "{}: it has no weight_map", index.string());
  std::set<std::string> shards;
  for (const auto& [name, file] : json["weight_map"].items()) {
    check(file.is_string() && file.get<std::string>().find('/') == std::string::npos, "{}: the file of '{}' is {}", index.string(), name, file.dump());
    shards.insert(file.get<std::string>());
  }
  for (const std::string& shard : shards) files.push_back(std::make_unique<SafetensorsFile>(folder / shard));
  return files;
}

// The name under which a tensor of a file is looked for: today's spelling of the old ones.
std::string modern(std::string name) {
  for (const auto& [old, now] : {std::pair{"LayerNorm.gamma", "LayerNorm.weight"}, std::pair{"LayerNorm.beta", "LayerNorm.bias"}})
    if (name.ends_with(old)) name.replace(name.size() - std::string(old).size(), std::string::npos, now);
  return name;
}

}  // namespace

void save_model_folder(const fs::path& folder, const BertConfig& config, const std::vector<Parameter>& parameters, const Tokenizer& tokenizer) {
  const Vocabulary& vocabulary = tokenizer.vocabulary();
  vocabulary.require_special();
  std::error_code error;
  fs::create_directories(folder, error);
  check(!error, "cannot make the folder {}: {}", folder.string(), error.message());
  std::vector<std::pair<std::string, Tensor>> tensors;
  for (const Parameter& p : parameters)
    if (!p.tied) tensors.emplace_back(p.name, p.view());
  write_safetensors(folder / "model.safetensors", tensors);
  write_file(folder / "config.json", config.to_json());
  vocabulary.save(folder / "vocab.txt");
  write_file(folder / "tokenizer.json", tokenizer_json(tokenizer).dump(2) + "\n");
  const Json specials{{"unk_token", vocabulary.token(vocabulary.unk())}, {"sep_token", vocabulary.token(vocabulary.sep())}, {"pad_token", vocabulary.token(vocabulary.pad())},
                      {"cls_token", vocabulary.token(vocabulary.cls())}, {"mask_token", vocabulary.token(vocabulary.mask())}};
  Json settings{{"tokenizer_class", "BertTokenizer"}, {"do_lower_case", tokenizer.options().lower_case}, {"model_max_length", config.max_position_embeddings},
                {"strip_accents", nullptr}, {"tokenize_chinese_chars", true}};
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
  TokenizerOptions options;
  if (const fs::path path = folder / "tokenizer_config.json"; fs::exists(path)) {
    const Json json = read_json(path);
    if (json.contains("do_lower_case")) {
      check(json["do_lower_case"].is_boolean(), "{}: do_lower_case is {}; it must be true or false", path.string(), json["do_lower_case"].dump());
      options.lower_case = json["do_lower_case"].get<bool>();
    }
  }
  return Tokenizer(Vocabulary::load(folder / "vocab.txt"), options);
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

LoadReport load_parameters(const fs::path& folder, const std::vector<Parameter>& parameters) {
  const auto files = open_weights(folder);
  std::map<std::string, std::pair<const SafetensorsFile*, std::string>> found;   // by modern name, without the prefix
  const auto bare = [](const std::string& name) { return name.starts_with("bert.") ? name.substr(5) : name; };
  for (const auto& file : files)
    for (const auto& [name, entry] : file->entries())
      if (!name.ends_with("position_ids") && !found.emplace(bare(modern(name)), std::pair{file.get(), name}).second)
        fail("{}: '{}' is there twice, under two spellings", file->path().string(), name);
  LoadReport report;
  std::set<std::string> used;
  std::map<const TensorImpl*, bool> loaded_leaf;
  const NoGrad scope;
  const auto take = [&](const Parameter& p, const std::string& name) {
    const auto at = found.find(bare(name));
    if (at == found.end()) return false;
    used.insert(at->first);
    Tensor view = p.view();
    at->second.first->read(at->second.second, view);
    loaded_leaf[p.leaf.impl().get()] = true;
    report.loaded.push_back(p.name);
    return true;
  };
  for (const Parameter& p : parameters)
    if (!p.tied && !take(p, p.name)) report.fresh.push_back(p.name);
  // A file may hold a tied tensor under its other name alone, or under both.
  for (const Parameter& p : parameters) {
    if (!p.tied || !found.contains(bare(p.name))) continue;
    used.insert(bare(p.name));
    if (!loaded_leaf[p.leaf.impl().get()] && take(p, p.name)) std::erase(report.fresh, p.leaf.name());
  }
  for (const auto& [name, place] : found)
    if (!used.contains(name)) report.unused.push_back(place.second);
  if (report.loaded.empty()) fail("{}: none of its {} tensors is a parameter of this model", folder.string(), found.size());
  return report;
}

}  // namespace gradus
