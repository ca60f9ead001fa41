#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "io/model_folder.h"
#include "io/safetensors.h"
#include "models/bert.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;
namespace fs = std::filesystem;

namespace {

std::string file_of(const std::string& header, const std::string& buffer = "") {
  const uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + buffer;
}

BertConfig small_config() {
  BertConfig config = BertConfig::named("tiny", 12);
  config.hidden_size = 8, config.num_attention_heads = 2, config.intermediate_size = 16, config.max_position_embeddings = 16;
  return config;
}
Tokenizer small_tokenizer() { return Tokenizer(Vocabulary({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c", "##a", "##b", "the", "."})); }

}  // namespace

TEST_CASE("safetensors: what is written is read, and dtypes are converted") {
  const Scratch scratch;
  const Tensor a = random_normal({3, 4}, 1), b = random_normal({5}, 2), c = zeros({0, 2});
  write_safetensors(scratch / "t", {{"a", transpose(a)}, {"b", b}, {"empty", c}});
  const SafetensorsFile file(scratch / "t");
  CHECK(file.metadata().at("format") == "pt");
  CHECK(file.entries().at("a").shape == Shape{4, 3});
  Tensor back = zeros({4, 3}), wide = zeros({5}, DType::f64);
  file.read("a", back);
  file.read("b", wide);
  CHECK(norm(back - transpose(a)) == 0);
  CHECK(norm(cast(wide, DType::f32) - b) == 0);

  // 1, -2.5, the smallest subnormal half, infinity; and the first two in bfloat16.
  const uint16_t halves[] = {0x3c00, 0xc100, 0x0001, 0x7c00}, bfloats[] = {0x3f80, 0xc020};
  std::string buffer(reinterpret_cast<const char*>(halves), 8);
  buffer.append(reinterpret_cast<const char*>(bfloats), 4);
  write_file(scratch / "h", file_of(R"({"h":{"dtype":"F16","shape":[4],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]}})", buffer));
  const SafetensorsFile small(scratch / "h");
  Tensor h = zeros({4}), bf = zeros({2});
  small.read("h", h);
  small.read("b", bf);
  CHECK(h.to_vector<float>() == std::vector<float>{1, -2.5f, 0x1p-24f, INFINITY});
  CHECK(bf.to_vector<float>() == std::vector<float>{1, -2.5f});
}

TEST_CASE("safetensors: malformed files, one by one") {
  const Scratch scratch;
  const auto refused = [&](const std::string& bytes, const char* mentions) {
    write_file(scratch / "bad.safetensors", bytes);
    const std::string error = error_of([&] { SafetensorsFile file(scratch / "bad.safetensors"); });
    CHECK_MENTIONS(error, "bad.safetensors");
    CHECK_MENTIONS(error, mentions);
  };
  const auto tensor_entry = [](const char* dtype, const char* shape, const char* offsets) {
    return fmt::format(R"({{"t":{{"dtype":"{}","shape":{},"data_offsets":{}}}}})", dtype, shape, offsets);
  };
  refused("abc", "too few");
  refused(std::string(8, '\xff'), "claims");
  refused(file_of("{}").substr(0, 9), "cut off");
  refused(file_of("[]"), "does not begin with {");
  refused(file_of("{\"a\xff\": 1}"), "UTF-8");
  refused(file_of("{\"a\": }"), "JSON");
  refused(file_of(R"({"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "1234"), "twice");
  refused(file_of(tensor_entry("F31", "[1]", "[0,4]"), "1234"), "F31");
  refused(file_of(tensor_entry("F32", "[2]", "[0,4]"), "1234"), "8 bytes");
  refused(file_of(tensor_entry("F32", "[-1]", "[0,4]"), "1234"), "[-1]");
  refused(file_of(tensor_entry("F32", "[4294967296, 4294967296, 4294967296]", "[0,4]"), "1234"), "overflows");
  refused(file_of(tensor_entry("F32", "[1]", "[4,8]"), "12345678"), "hole");
  refused(file_of(tensor_entry("F32", "[1]", "[0,4]"), "12345678"), "end at byte 4");
  refused(file_of(tensor_entry("F32", "[1]", "[4,0]"), "1234"), "4..0");
  refused(file_of(tensor_entry("F32", "[2]", "[0,8]"), "1234"), "damaged");
  refused(file_of(R"({"t":{"dtype":"F32"}})"), "lacks");
  refused(file_of(R"({"__metadata__":{"a":1}})"), "__metadata__");
  refused(file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "12345678"), "overlap");
}

TEST_CASE("a folder comes back as it was; the report names what is new and what is not used") {
  const Scratch scratch;
  BertForPreTraining model(small_config()), other(small_config());
  initialize_bert(parameters(model), small_config(), BertInitialization::google, 1);
  initialize_bert(parameters(other), small_config(), BertInitialization::google, 2);
  save_model_folder(scratch.path(), model.bert.config, parameters(model), small_tokenizer());
  const LoadReport report = load_parameters(scratch.path(), parameters(other));
  CHECK(report.fresh.empty());
  CHECK(report.unused.empty());
  const auto a = parameters(model), b = parameters(other);
  for (size_t i = 0; i < a.size(); ++i) CHECK_MESSAGE(norm(a[i].view() - b[i].view()) == 0, a[i].name);
  CHECK(load_config(scratch.path()).to_json() == model.bert.config.to_json());
  CHECK(load_tokenizer(scratch.path()).fingerprint() == small_tokenizer().fingerprint());

  BertModel body(small_config());   // its parameters have no `bert.` prefix
  const LoadReport partly = load_parameters(scratch.path(), parameters(body));
  CHECK(partly.fresh.empty());
  CHECK(partly.unused.size() == 9);
  CHECK_MENTIONS(partly.to_text(), "not used");

  BertConfig wider = small_config();
  wider.intermediate_size = 20;
  BertForPreTraining wrong(wider);
  CHECK_MENTIONS(error_of([&] { load_parameters(scratch.path(), parameters(wrong)); }), "intermediate.dense.weight' has the shape [16, 8], the model wants [20, 8]");
}

TEST_CASE("old spellings: gamma and beta, position_ids, a decoder alone, shards") {
  const Scratch scratch;
  BertForPreTraining model(small_config()), other(small_config());
  initialize_bert(parameters(model), small_config(), BertInitialization::google, 1);
  std::vector<std::pair<std::string, Tensor>> first{{"bert.embeddings.position_ids", zeros({1, 16})}}, second;
  for (const Parameter& p : parameters(model)) {
    if (p.tied) continue;
    std::string name = p.name;
    if (name.ends_with("LayerNorm.weight")) name.replace(name.size() - 6, 6, "gamma");
    if (name.ends_with("LayerNorm.bias")) name.replace(name.size() - 4, 4, "beta");
    if (name == "bert.embeddings.word_embeddings.weight") name = "cls.predictions.decoder.weight";
    (first.size() < 10 ? first : second).emplace_back(name, p.view());
  }
  write_safetensors(scratch / "one.safetensors", first);
  write_safetensors(scratch / "two.safetensors", second);
  nlohmann::json index;
  for (const auto& [name, tensor] : first) index["weight_map"][name] = "one.safetensors";
  for (const auto& [name, tensor] : second) index["weight_map"][name] = "two.safetensors";
  write_file(scratch / "model.safetensors.index.json", index.dump());
  const LoadReport report = load_parameters(scratch.path(), parameters(other));
  CHECK_MESSAGE(report.fresh.empty(), report.to_text());
  CHECK_MESSAGE(report.unused.empty(), report.to_text());
  CHECK(norm(model.bert.embeddings.word_embeddings.weight.detach() - other.bert.embeddings.word_embeddings.weight.detach()) == 0);
}

TEST_CASE("a real truncated checkpoint is refused; real small ones load") {
  if (const fs::path folder = shared_data("truncated-checkpoint"); !folder.empty())
    for (const auto& entry : fs::recursive_directory_iterator(folder))
      if (entry.path().extension() == ".safetensors") CHECK_MENTIONS(error_of([&] { SafetensorsFile file(entry.path()); }), "cut off");
  for (const char* name : {"tiny-bert-coldfire", "tiny-bert-jammi"}) {
    const fs::path folder = shared_data(name);
    if (folder.empty()) continue;
    BertModel model(load_config(folder));
    const LoadReport report = load_parameters(folder, parameters(model));
    CHECK_MESSAGE(report.fresh.empty(), report.to_text());
  }
}
