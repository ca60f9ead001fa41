#include "gradus/io/model_folder.h"
#include "gradus/base/json.h"

#include "gradus/io/safetensors.h"
#include "tests/io/small_model.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

NamedTensors tensors_of(BertForPreTraining& model) {
  NamedTensors tensors;
  for (const Parameter& p : parameters(model))
    if (!p.tied) tensors.emplace_back(p.name, p.view());
  return tensors;
}

Tensor& named(NamedTensors& tensors, const std::string& name) {
  for (auto& [key, tensor] : tensors)
    if (key == name) return tensor;
  FAIL("no tensor ", name);
  return tensors.front().second;
}

void check_equal(BertForPreTraining& x, BertForPreTraining& y) {
  const auto a = parameters(x), b = parameters(y);
  for (size_t i = 0; i < a.size(); ++i)
    CHECK_MESSAGE(norm(a[i].view() - b[i].view()) == 0, a[i].name);
}

// model.safetensors of a scratch folder, loaded into a model of other values.
LoadReport load(const Scratch& scratch, const NamedTensors& tensors, BertForPreTraining& model) {
  write_safetensors(scratch / "model.safetensors", tensors);
  return load_parameters(scratch.path(), parameters(model));
}

}  // namespace

TEST_CASE("a folder comes back as it was") {
  const Scratch scratch;
  BertForPreTraining model = small_model(1), other = small_model(2);
  save_model_folder(scratch.path(), model.bert.config, parameters(model), small_tokenizer());
  const LoadReport report = load_parameters(scratch.path(), parameters(other));
  CHECK_MESSAGE(report.fresh.empty(), report.to_text());
  CHECK_MESSAGE(report.unused.empty(), report.to_text());
  CHECK(report.loaded.size() == SafetensorsFile(scratch / "model.safetensors").entries().size());
  check_equal(model, other);
  CHECK(load_config(scratch.path()).to_json() == model.bert.config.to_json());
  CHECK(load_tokenizer(scratch.path()).fingerprint() == small_tokenizer().fingerprint());
}

TEST_CASE("ranges of a leaf are tensors of their own; tied parameters are written once") {
  const Scratch scratch;
  BertForPreTraining model = small_model(1);
  save_model_folder(scratch.path(), model.bert.config, parameters(model), small_tokenizer());
  const auto entries = SafetensorsFile(scratch / "model.safetensors").entries();
  CHECK(entries.at("bert.encoder.layer.1.attention.self.key.weight").shape == Shape{8, 8});
  CHECK(!entries.contains("cls.predictions.decoder.weight"));
  CHECK(!entries.contains("cls.predictions.decoder.bias"));
}

TEST_CASE("a tokenizer keeps its rules") {
  const Scratch scratch;
  BertForPreTraining model = small_model(1);
  for (const TokenizerOptions options : {TokenizerOptions{}, TokenizerOptions{.lower_case = false},
                                         TokenizerOptions{.mode = TokenizerMode::google}}) {
    save_model_folder(scratch.path(), model.bert.config, parameters(model),
                      small_tokenizer(options));
    CHECK(load_tokenizer(scratch.path()).fingerprint() == small_tokenizer(options).fingerprint());
  }
}

TEST_CASE("a tokenizer's rules: tokenizer_config.json, then tokenizer.json, then lower case") {
  const Scratch scratch;
  BertForPreTraining model = small_model(1);
  save_model_folder(scratch.path(), model.bert.config, parameters(model),
                    small_tokenizer({.lower_case = false}));
  const auto lower_case = [&] { return load_tokenizer(scratch.path()).options().lower_case; };
  const auto settings = [&](const char* json) {
    write_file(scratch / "tokenizer_config.json", json);
  };
  const auto refused = [&](const char* mentions) {
    CHECK_MENTIONS(error_of([&] { load_tokenizer(scratch.path()); }), mentions);
  };
  settings(R"({"do_lower_case": true})");
  CHECK(lower_case());
  std::filesystem::remove(scratch / "vocab.txt");
  CHECK(lower_case());
  settings(R"({"do_lower_case": true, "tokenizer_class": "PreTrainedTokenizerFast"})");
  CHECK(!lower_case());
  settings("{}");
  CHECK(!lower_case());
  settings(R"({"do_lower_case": "no"})");
  refused("do_lower_case is \"no\"");
  settings(R"({"strip_accents": false})");
  refused("strip_accents");
  settings(R"({"tokenize_chinese_chars": false})");
  refused("tokenize_chinese_chars");
  std::filesystem::remove(scratch / "tokenizer_config.json");
  CHECK(!lower_case());
  std::filesystem::remove(scratch / "tokenizer.json");
  refused("neither vocab.txt nor tokenizer.json");
  small_tokenizer().vocabulary().save(scratch / "vocab.txt");
  CHECK(lower_case());
}

TEST_CASE("the report names what is new and what is not used") {
  const Scratch scratch;
  BertForPreTraining model = small_model(1), other = small_model(2);
  NamedTensors tensors = tensors_of(model);
  std::erase_if(tensors, [](const auto& t) { return t.first.starts_with("cls.seq_relationship"); });
  tensors.emplace_back("classifier.weight", zeros({3, 8}));
  const LoadReport report = load(scratch, tensors, other);
  CHECK(report.fresh ==
        std::vector<std::string>{"cls.seq_relationship.weight", "cls.seq_relationship.bias"});
  CHECK(report.unused == std::vector<std::string>{"classifier.weight"});
  CHECK_MENTIONS(report.to_text(),
                 "2 new, not in the file, to be trained: cls.seq_relationship.weight, "
                 "cls.seq_relationship.bias; 1 tensors of the file not "
                 "used: classifier.weight");
}

TEST_CASE(
    "a body loads from a whole model, and a whole model from a body: the prefix may be missing") {
  const Scratch scratch;
  BertForPreTraining model = small_model(1), other = small_model(2);
  BertModel body(small_config());  // its parameters have no `bert.` prefix
  write_safetensors(scratch / "model.safetensors", tensors_of(model));
  const LoadReport partly = load_parameters(scratch.path(), parameters(body));
  CHECK(partly.fresh.empty());
  CHECK(partly.unused.size() == 9);

  NamedTensors bare;
  for (const auto& [name, tensor] : tensors_of(model))
    bare.emplace_back(name.starts_with("bert.") ? name.substr(5) : name, tensor);
  const LoadReport report = load(scratch, bare, other);
  CHECK(report.fresh.empty());
  CHECK(report.unused.empty());
  check_equal(model, other);
}

TEST_CASE("old names: gamma and beta, position_ids") {
  const Scratch scratch;
  BertForPreTraining model = small_model(1), other = small_model(2);
  NamedTensors old{{"bert.embeddings.position_ids", zeros({1, 16})}};
  for (auto [name, tensor] : tensors_of(model)) {
    if (name.ends_with("LayerNorm.weight")) name.replace(name.size() - 6, 6, "gamma");
    if (name.ends_with("LayerNorm.bias")) name.replace(name.size() - 4, 4, "beta");
    old.emplace_back(name, tensor);
  }
  const LoadReport report = load(scratch, old, other);
  CHECK_MESSAGE(report.fresh.empty(), report.to_text());
  CHECK_MESSAGE(report.unused.empty(), report.to_text());
  check_equal(model, other);

  old.emplace_back("bert.embeddings.LayerNorm.weight", zeros({8}));
  CHECK_MENTIONS(error_of([&] { load(scratch, old, other); }),
                 "'embeddings.LayerNorm.weight' is there twice");
}

TEST_CASE("a tied decoder: under either name, or under both with the same values") {
  const Scratch scratch;
  BertForPreTraining model = small_model(1);
  const NamedTensors tensors = tensors_of(model);
  const auto loads = [&](const NamedTensors& file) {
    BertForPreTraining other = small_model(2);
    const LoadReport report = load(scratch, file, other);
    CHECK_MESSAGE(report.fresh.empty(), report.to_text());
    CHECK_MESSAGE(report.unused.empty(), report.to_text());
    check_equal(model, other);
  };
  NamedTensors both = tensors, alias = tensors;
  both.emplace_back("cls.predictions.decoder.weight",
                    model.bert.embeddings.word_embeddings.weight.detach());
  both.emplace_back("cls.predictions.decoder.bias", model.predictions.bias.detach());
  loads(both);
  for (auto& [name, tensor] : alias) {
    if (name == "bert.embeddings.word_embeddings.weight") name = "cls.predictions.decoder.weight";
    if (name == "cls.predictions.bias") name = "cls.predictions.decoder.bias";
  }
  loads(alias);
  named(both, "cls.predictions.decoder.weight") = zeros({12, 8});
  BertForPreTraining other = small_model(2);
  CHECK_MENTIONS(
      error_of([&] { load(scratch, both, other); }),
      "'bert.embeddings.word_embeddings.weight' and 'cls.predictions.decoder.weight' differ");
}

TEST_CASE("shards by an index") {
  const Scratch scratch;
  BertForPreTraining model = small_model(1), other = small_model(2);
  NamedTensors first, second;
  nlohmann::json index;
  for (const auto& [name, tensor] : tensors_of(model)) {
    (first.size() < 10 ? first : second).emplace_back(name, tensor);
    index["weight_map"][name] = second.empty() ? "one.safetensors" : "two.safetensors";
  }
  write_safetensors(scratch / "one.safetensors", first);
  write_safetensors(scratch / "two.safetensors", second);
  const auto path = scratch / "model.safetensors.index.json";
  write_file(path, index.dump());
  const LoadReport report = load_parameters(scratch.path(), parameters(other));
  CHECK(report.fresh.empty());
  check_equal(model, other);

  const auto refused = [&](const nlohmann::json& json, const char* mentions) {
    write_file(path, json.dump());
    const std::string error = error_of([&] { load_parameters(scratch.path(), parameters(other)); });
    CHECK_MENTIONS(error, mentions);
  };
  const std::string name = first[0].first;
  refused({{"weight_map", 3}}, "no weight_map");
  refused({{"weight_map", {{name, "two.safetensors"}}}},
          "'bert.embeddings.word_embeddings.weight' should be in two.safetensors");
  refused({{"weight_map", {{name, "../one.safetensors"}}}}, "name in this folder");
  refused({{"weight_map", {{name, "three.safetensors"}}}}, "three.safetensors");
}

TEST_CASE("nothing is written into the parameters when anything is wrong") {
  const Scratch scratch;
  BertForPreTraining model = small_model(1), other = small_model(2), untouched = small_model(2);
  NamedTensors tensors = tensors_of(model);
  named(tensors, "cls.seq_relationship.bias") = zeros({3});
  CHECK_MENTIONS(error_of([&] { load(scratch, tensors, other); }),
                 "'cls.seq_relationship.bias' has the shape [3], the model wants [2]");
  check_equal(other, untouched);
  CHECK_MENTIONS(error_of([&] {
                   load(scratch, {{"a", zeros({1})}}, other);
                 }),
                 "none of its 1 tensors");
}

TEST_CASE("folders that cannot be read or written are named") {
  const Scratch scratch;
  BertForPreTraining model = small_model(1);
  CHECK_MENTIONS(error_of([&] { load_config(scratch / "nowhere"); }), "no such model folder");
  CHECK_MENTIONS(error_of([&] { load_config(scratch.path()); }), "config.json");
  CHECK_MENTIONS(error_of([&] { load_parameters(scratch.path(), parameters(model)); }),
                 "neither model.safetensors nor");
  write_file(scratch / "file", "x");
  const auto save = [&](const BertConfig& config, const Tokenizer& tokenizer) {
    save_model_folder(scratch / "file", config, parameters(model), tokenizer);
  };
  CHECK_MENTIONS(error_of([&] { save(small_config(), small_tokenizer()); }),
                 "cannot make the folder");
  CHECK_MENTIONS(
      error_of([&] {
        save(small_config(), Tokenizer(Vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "a"})));
      }),
      "[MASK]");
  BertConfig fewer = small_config();
  fewer.vocab_size = 10;
  CHECK_MENTIONS(error_of([&] { save(fewer, small_tokenizer()); }),
                 "12 tokens are more than the model's vocab_size of 10");
}
