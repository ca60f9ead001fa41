#include "gradus/io/sentence_folder.h"

#include <fmt/ranges.h>

#include "gradus/base/error.h"
#include "gradus/base/file.h"
#include "gradus/base/json.h"

namespace gradus {
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

// The pooling of 1_Pooling/config.json: "pooling_mode" today, a flag a mode before.
Pooling pooling_of(const fs::path& path) {
  constexpr std::string_view kFlag = "pooling_mode_";
  const Json json = read_json(path);
  check(json.value("include_prompt", Json(true)) == true,
        "{}: include_prompt is not true; only true can be done", path.string());
  const Json mode = json.value("pooling_mode", Json());
  std::vector<std::string> modes;
  if (mode.is_null()) {
    for (const auto& [key, on] : json.items())
      if (key.starts_with(kFlag) && on == true)
        modes.push_back(key.substr(kFlag.size(), key.rfind('_') - kFlag.size()));
  } else {
    for (const Json& name : mode.is_array() ? mode : Json::array({mode}))
      modes.push_back(name.is_string() ? name.get<std::string>() : name.dump());
  }
  if (modes.empty()) return Pooling::mean;
  if (modes.size() == 1 && modes[0] == "mean") return Pooling::mean;
  if (modes.size() == 1 && modes[0] == "cls") return Pooling::cls;
  fail("{}: the pooling is {}; mean and cls, one of them, can be done", path.string(),
       fmt::format("{}", fmt::join(modes, " and ")));
}

// The prompt that sentence-transformers puts before a text unless told otherwise; most often there
// is none.
std::string default_prompt(const fs::path& path) {
  if (!fs::exists(path)) return "";
  const Json json = read_json(path), name = json.value("default_prompt_name", Json()),
             prompts = json.value("prompts", Json());
  if (name.is_null()) return "";
  const Json prompt = name.is_string() && prompts.is_object()
                          ? prompts.value(name.get<std::string>(), Json())
                          : Json();
  check(prompt.is_string(), "{}: default_prompt_name is {}, which is none of its prompts",
        path.string(), name.dump());
  return prompt.get<std::string>();
}

int64_t length_of(const fs::path& path, const char* key) {
  if (!fs::exists(path)) return 0;
  const Json value = read_json(path).value(key, Json());
  if (value.is_null()) return 0;
  check(value.is_number() && value.get<double>() >= 2,
        "{}: {} is {}; it must be a number of tokens, 2 or more", path.string(), key, value.dump());
  // transformers writes 1e30 for "no limit"
  return value.get<double>() < 1e9 ? value.get<int64_t>() : 0;
}

}  // namespace

SentenceFolder read_sentence_folder(const fs::path& folder) {
  check(fs::is_directory(folder), "{}: there is no such model folder", folder.string());
  SentenceFolder found{.body = folder};
  const fs::path list = folder / "modules.json";
  if (fs::exists(list)) {
    const Json modules = read_any_json(list);
    check(modules.is_array() && !modules.empty(), "{}: it must be a list of modules",
          list.string());
    for (size_t i = 0; i < modules.size(); ++i) {
      const Json type = modules[i].is_object() ? modules[i].value("type", Json()) : Json(),
                 path = modules[i].is_object() ? modules[i].value("path", Json()) : Json();
      check(type.is_string() && path.is_string(), "{}: module {} has no type and path",
            list.string(), i);
      const std::string name = type.get<std::string>(), kind = name.substr(name.rfind('.') + 1),
                        place = path.get<std::string>();
      if (i == 0 && kind == "Transformer") found.body = place.empty() ? folder : folder / place;
      else if (i == 1 && kind == "Pooling")
        found.pooling = pooling_of(folder / place / "config.json");
      else if (i == 2 && kind == "Normalize") found.normalize = true;
      else
        fail(
            "{}: module {} is a '{}'; a Transformer, a Pooling and a Normalize, in this order, can "
            "be done",
            list.string(), i, name);
    }
    check(modules.size() > 1, "{}: there is no Pooling after the Transformer", list.string());
  }
  found.prompt = default_prompt(folder / "config_sentence_transformers.json");
  const fs::path limits = found.body / "sentence_bert_config.json";
  found.needs_lower_case =
      fs::exists(limits) && read_json(limits).value("do_lower_case", Json()) == true;
  found.max_length = length_of(limits, "max_seq_length");
  if (!found.max_length)
    found.max_length = length_of(found.body / "tokenizer_config.json", "model_max_length");
  return found;
}

// The type names and flags are those of the first versions, which all later ones read.
void save_sentence_folder(const SentenceFolder& settings, int64_t hidden_size) {
  const fs::path& folder = settings.body;
  using Ordered = nlohmann::ordered_json;
  const auto module = [](int number, const char* path, const std::string& kind) {
    return Ordered{{"idx", number},
                   {"name", std::to_string(number)},
                   {"path", path},
                   {"type", "sentence_transformers.models." + kind}};
  };
  Ordered modules{module(0, "", "Transformer"), module(1, "1_Pooling", "Pooling")};
  if (settings.normalize) modules.push_back(module(2, "2_Normalize", "Normalize"));
  const Ordered pooling{{"word_embedding_dimension", hidden_size},
                        {"pooling_mode_cls_token", settings.pooling == Pooling::cls},
                        {"pooling_mode_mean_tokens", settings.pooling == Pooling::mean},
                        {"pooling_mode_max_tokens", false},
                        {"pooling_mode_mean_sqrt_len_tokens", false}};
  const Ordered length{
      {"max_seq_length", settings.max_length ? Ordered(settings.max_length) : Ordered()},
      {"do_lower_case", false}};
  std::error_code error;
  fs::create_directories(folder / "1_Pooling", error);
  check(!error, "cannot make the folder {}: {}", (folder / "1_Pooling").string(), error.message());
  write_file(folder / "1_Pooling" / "config.json", pooling.dump(2) + "\n");
  write_file(folder / "sentence_bert_config.json", length.dump(2) + "\n");
  write_file(folder / "modules.json", modules.dump(2) + "\n");
}

}  // namespace gradus
