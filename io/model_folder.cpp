#include "gradus/io/model_folder.h"

#include <algorithm>
#include <array>
#include <limits>

#include "gradus/base/folder.h"
#include "gradus/base/json.h"
#include "gradus/io/folder_hashes.h"
#include "gradus/io/tokenizer_json.h"
#include "gradus/io/weights.h"

namespace gradus {
namespace fs = std::filesystem;
namespace {

void save_tokenizer(const fs::path& folder, const Tokenizer& tokenizer, const BertConfig& config) {
  using Json = nlohmann::ordered_json;
  tokenizer.vocabulary().save(folder / "vocab.txt");
  write_file(folder / "tokenizer.json", tokenizer_json(tokenizer));
  const Json specials{{"unk_token", "[UNK]"},
                      {"sep_token", "[SEP]"},
                      {"pad_token", "[PAD]"},
                      {"cls_token", "[CLS]"},
                      {"mask_token", "[MASK]"}};
  Json settings{{"tokenizer_class", "BertTokenizer"},
                {"do_lower_case", tokenizer.options().lower_case},
                {"model_max_length", config.max_position_embeddings},
                {"strip_accents", nullptr},
                {"tokenize_chinese_chars", true}};
  // a key of ours: nobody else has these rules
  if (tokenizer.options().mode == TokenizerMode::google) settings["gradus_mode"] = "google";
  // a ModernBERT takes no token types
  if (config.modern) settings["model_input_names"] = {"input_ids", "attention_mask"};
  settings.update(specials);
  write_file(folder / "tokenizer_config.json", settings.dump(2) + "\n");
  write_file(folder / "special_tokens_map.json", specials.dump(2) + "\n");
}

// Hugging Face's configuration; without it Google's.
fs::path config_of(const fs::path& model) {
  const fs::path folder = folder_of_model(model), ours = folder / "config.json",
                 google = folder / "bert_config.json";
  return fs::exists(google) && !fs::exists(ours) ? google : ours;
}
bool is_google(const fs::path& config) { return config.filename() == "bert_config.json"; }

}  // namespace

void save_model_folder(const fs::path& folder, const BertConfig& config,
                       const std::vector<Parameter>& parameters, const Tokenizer& tokenizer,
                       StoredAs stored) {
  NamedTensors tensors;
  for (const Parameter& p : parameters)
    if (!p.tied) tensors.emplace_back(p.name, p.view());
  save_model_folder(folder, config, tensors, tokenizer, stored);
}

namespace {
void check_vocabulary(const BertConfig& config, const Vocabulary& vocabulary) {
  vocabulary.require_special();
  if (vocabulary.size() > config.vocab_size)
    fail("{}: its {} tokens are more than the model's vocab_size of {}", vocabulary.origin(),
         vocabulary.size(), config.vocab_size);
}
}  // namespace

void save_folder_settings(const fs::path& folder, const BertConfig& config,
                          const Tokenizer& tokenizer) {
  check_vocabulary(config, tokenizer.vocabulary());
  write_file(folder / "config.json", config.to_json());
  save_tokenizer(folder, tokenizer, config);
}

bool is_model_file(const std::string& name) {
  constexpr std::array names{
      "config.json",       "bert_config.json",          "vocab.txt",
      "tokenizer.json",    "tokenizer_config.json",     "special_tokens_map.json",
      "added_tokens.json", "adapter_config.json",       "adapter_model.safetensors",
      "modules.json",      "sentence_bert_config.json", "config_sentence_transformers.json",
      "checkpoint"};
  return std::find(names.begin(), names.end(), name) != names.end() ||
         name.starts_with("model.safetensors") || name.starts_with("model-0") ||
         name.starts_with("pytorch_model") || name.starts_with("bert_model.ckpt");
}

void save_model_folder(const fs::path& folder, const BertConfig& config,
                       const NamedTensors& tensors, const Tokenizer& tokenizer, StoredAs stored) {
  BertConfig written = config;
  written.dtype = stored == StoredAs::bf16 ? "bfloat16" : "float32";
  check_vocabulary(config, tokenizer.vocabulary());  // before anything is made
  FolderChange change(folder, is_model_file);
  save_folder_settings(change.path(), written, tokenizer);
  auto metadata = folder_hashes(written, tokenizer);
  metadata["format"] = "pt";
  write_safetensors(change.path() / "model.safetensors", tensors, stored, metadata);
  change.commit("model.safetensors");
}

namespace {

// The body's values, at least: its matrices, and for each layer as many vectors as any has.
double values_of(const BertConfig& config) {
  const auto of = [](int64_t n) { return static_cast<double>(n); };
  const double hidden = of(config.hidden_size), wide = of(config.intermediate_size);
  const double positions = config.modern ? 0 : of(config.max_position_embeddings);
  const double matrices = config.modern ? 3 : 2;  // of the feed-forward network
  return hidden * (of(config.vocab_size) + positions + of(config.type_vocab_size)) +
         of(config.num_hidden_layers) * (4 * hidden * hidden + matrices * hidden * wide + 128);
}

// What the files of weights in a folder can hold at most: no value has less than two bytes. Tensors
// of a pytorch_model.bin may share them, as where all layers are one; 32 times, nobody does.
// Infinite where there are no weights.
double most_values(const fs::path& folder) {
  double most = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool torch = name.starts_with("pytorch_model") && name.ends_with(".bin");
    if (!torch && !(name.starts_with("model") && name.ends_with(".safetensors")) &&
        name.find(".data-0") == std::string::npos)
      continue;
    std::error_code gone;
    const auto bytes = entry.file_size(gone);
    if (!gone) most += static_cast<double>(bytes) * (torch ? 16 : 0.5);
  }
  return most > 0 ? most : std::numeric_limits<double>::infinity();
}

}  // namespace

void require_weights_for(const BertConfig& config, const fs::path& model) {
  const fs::path folder = folder_of_model(model);
  const double wanted = values_of(config), most = most_values(folder);
  if (wanted > most)
    fail(
        "{}: its configuration describes {:.3g} numbers (vocab_size {}, hidden_size {}, "
        "num_hidden_layers {}, intermediate_size {}), its weights have at most {:.3g}; is it "
        "another model's?",
        folder.string(), wanted, config.vocab_size, config.hidden_size, config.num_hidden_layers,
        config.intermediate_size, most);
}

BertConfig load_config(const fs::path& model) {
  const fs::path path = config_of(model);
  BertConfig config = BertConfig::from_json(read_file(path), path.string());
  if (is_google(path) && config.hidden_act == "gelu") config.hidden_act = "gelu_new";
  require_weights_for(config, model);
  return config;
}

std::string note_on_config(const fs::path& model) {
  const fs::path path = config_of(model);
  if (!is_google(path) || !fs::exists(path) ||
      read_json(path).value("hidden_act", nlohmann::json()) != "gelu")
    return "";
  return "the gelu of bert_config.json is Google's tanh form, read as gelu_new";
}

Tokenizer load_tokenizer(const fs::path& model) {
  const fs::path folder = folder_of_model(model);
  const fs::path settings = folder / "tokenizer_config.json", vocabulary = folder / "vocab.txt",
                 whole = folder / "tokenizer.json";
  const nlohmann::json json = fs::exists(settings) ? read_json(settings) : nlohmann::json::object();
  const auto flag = [&](const char* key) -> std::optional<bool> {
    if (!json.contains(key) || json[key].is_null()) return {};
    check(json[key].is_boolean(), "{}: {} is {}; it must be true or false", settings.string(), key,
          json[key].dump());
    return json[key].get<bool>();
  };
  const auto lower_case = flag("do_lower_case");
  const auto strip_accents = flag("strip_accents");
  check(flag("tokenize_chinese_chars").value_or(true),
        "{}: tokenize_chinese_chars is false; only true can be read", settings.string());
  check(!strip_accents || *strip_accents == lower_case.value_or(true),
        "{}: strip_accents differs from do_lower_case; they can only be read together",
        settings.string());

  // PreTrainedTokenizerFast has no rules of its own: there tokenizer.json alone says what is done.
  const bool own_rules =
      json.value("tokenizer_class", nlohmann::json()) != "PreTrainedTokenizerFast";
  if (fs::exists(whole) && (!fs::exists(vocabulary) || !lower_case || !own_rules))
    return read_tokenizer_json(whole, own_rules ? lower_case : std::nullopt);
  check(fs::exists(vocabulary), "{}: there is neither vocab.txt nor tokenizer.json in it",
        folder.string());
  const bool google = json.value("gradus_mode", nlohmann::json()) == "google";
  return Tokenizer(Vocabulary::load(vocabulary),
                   {.lower_case = lower_case.value_or(true),
                    .mode = google ? TokenizerMode::google : TokenizerMode::hf});
}

}  // namespace gradus
