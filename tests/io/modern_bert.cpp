// A ModernBERT's folder: what is written, and what is refused by name. That its numbers are those
// of transformers is tests/parity's.
#include "gradus/base/json.h"
#include "gradus/io/convert.h"
#include "gradus/io/safetensors.h"
#include "tests/io/small_model.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

namespace fs = std::filesystem;

const fs::path fixture = fs::path(GRADUS_SOURCE_ROOT) / "tests" / "fixtures" / "heads";

BertConfig small_modern() {
  BertConfig config = BertConfig::named("modern-tiny", small_tokenizer().vocabulary().size());
  config.hidden_size = 8, config.intermediate_size = 12, config.num_hidden_layers = 4;
  return config;
}

// {name, shape} of the tensors in a folder's model.safetensors
std::map<std::string, std::string> tensors_of(const fs::path& folder) {
  std::map<std::string, std::string> shapes;
  const SafetensorsFile file(folder / "model.safetensors");
  for (const auto& [name, tensor] : file.entries()) shapes[name] = fmt::format("{}", tensor.shape);
  return shapes;
}

}  // namespace

TEST_CASE("a ModernBERT's folder has the tensors that transformers writes, and is read back") {
  const Scratch scratch;
  for (const char* name : {"modern_masked_lm", "modern_classification"}) {
    const BertConfig config = load_config(fixture / name);
    const auto save = [&](auto& model) {
      load_parameters(fixture / name, parameters(model));
      BertConfig fitting = config;  // the fixture's vocabulary is larger than our tokenizer's
      save_model_folder(scratch / name, fitting, parameters(model), small_tokenizer());
    };
    if (const auto head = head_named(config.architectures[0])) {
      BertForTask model(*head, config);
      save(model);
    } else {
      BertForMaskedLM model(config);
      save(model);
    }
    CHECK(tensors_of(scratch / name) == tensors_of(fixture / name));
    const BertConfig again = load_config(scratch / name);
    CHECK(again.to_json() == config.to_json());
    CHECK(again.modern->global_attn_every_n_layers == 2);
    CHECK(again.modern->local_attention == 4);
    CHECK(again.modern->mean_pooling == (std::string(name) == "modern_classification"));
    // nothing for who would ask a ModernBERT for token types
    CHECK(read_json(scratch / name / "tokenizer_config.json").at("model_input_names") ==
          nlohmann::json({"input_ids", "attention_mask"}));
  }
}

TEST_CASE("a ModernBERT is converted as what it is") {
  const Scratch scratch;
  BertForMaskedLM model(small_modern());
  initialize_bert(parameters(model), small_modern(), BertInitialization::google, 1);
  save_model_folder(scratch / "from", model.bert.config, parameters(model), small_tokenizer());
  const ConvertReport report = convert_model({.model = scratch / "from", .out = scratch / "to"});
  CHECK(report.architecture == "ModernBertForMaskedLM");
  CHECK(report.dropped.empty());
  CHECK(tensors_of(scratch / "to") == tensors_of(scratch / "from"));
  CHECK_MENTIONS(
      error_of([&] {
        convert_model({.model = scratch / "from", .out = scratch / "older", .legacy_names = true});
      }),
      "options.legacy_names");
}

TEST_CASE("without token types: those of a pair change nothing") {
  BertForMaskedLM model(small_modern());
  initialize_bert(parameters(model), small_modern(), BertInitialization::google, 1);
  const auto logits = [&](const std::vector<int32_t>& types) {
    const BertInput input(model.bert.config, {{2, 5, 3, 6, 3}, types, {5}});
    return model.masked_logits(input, {1, 3}).to_vector<float>();
  };
  CHECK(logits({0, 0, 0, 1, 1}) == logits({}));
  CHECK_MENTIONS(error_of([&] { BertForTask(BertHead::next_sentence, small_modern()); }),
                 "no head for next sentences");
}

TEST_CASE("a ModernBERT's configuration that cannot be computed here is refused by name") {
  const auto read = [](const char* key, const nlohmann::json& value) {
    auto json = nlohmann::json::parse(small_modern().to_json());
    json[key] = value;
    return BertConfig::from_json(json.dump(), "config.json");
  };
  const auto error = [&](const char* key, const nlohmann::json& value) {
    return error_of([&] { read(key, value); });
  };
  CHECK(read("norm_bias", true).modern->norm_bias);
  CHECK(read("layer_types",
             {"full_attention", "sliding_attention", "full_attention", "sliding_attention"})
            .modern->global_attn_every_n_layers == 2);
  CHECK_MENTIONS(error("layer_types",
                       {"sliding_attention", "full_attention", "full_attention", "full_attention"}),
                 "layer_types");
  CHECK_MENTIONS(error("layer_types", {"full_attention"}), "layer_types");
  CHECK_MENTIONS(error("rope_parameters", {{"full_attention", {{"rope_type", "yarn"}}}}), "yarn");
  CHECK_MENTIONS(error("rope_parameters", {{"full_attention", {{"rope_type", 5}}}}), "rope_type");
  CHECK_MENTIONS(error("decoder_bias", false), "decoder_bias");
  CHECK_MENTIONS(error("classifier_pooling", "max"), "max");
  CHECK_MENTIONS(error("classifier_activation", "silu"), "silu");
  CHECK_MENTIONS(error("global_rope_theta", -1), "rope_theta");
  CHECK_MENTIONS(error("global_attn_every_n_layers", 0), "global_attn_every_n_layers");
  CHECK_MENTIONS(error("num_attention_heads", 8), "rotary");
  CHECK_MENTIONS(error("model_type", "deberta"), "only bert and modernbert");
}

TEST_CASE("a published ModernBERT, whose tokenizer is no WordPiece, is refused by the tokenizer") {
  const Scratch scratch;
  BertForMaskedLM model(small_modern());
  save_model_folder(scratch / "m", model.bert.config, parameters(model), small_tokenizer());
  fs::remove(scratch / "m" / "vocab.txt");
  auto json = read_json(scratch / "m" / "tokenizer.json");
  json["model"]["type"] = "BPE";
  write_file(scratch / "m" / "tokenizer.json", json.dump());
  const std::string error = error_of([&] { load_tokenizer(scratch / "m"); });
  CHECK_MENTIONS(error, "BPE");
  CHECK_MENTIONS(error, "WordPiece");
}
