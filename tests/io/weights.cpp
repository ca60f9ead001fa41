// Models in any form: what Weights finds in a folder, and what is loaded from it.
#include "gradus/io/weights.h"
#include "gradus/base/json.h"

#include "gradus/io/weight_names.h"
#include "tests/io/small_model.h"

using namespace gradus;
using namespace gradus::testing;
namespace fs = std::filesystem;

namespace {

const fs::path fixtures = fs::path(GRADUS_SOURCE_ROOT) / "tests" / "fixtures";

BertForPreTraining loaded(const fs::path& model, DType dtype = DType::f32,
                          LoadReport* report = nullptr) {
  BertForPreTraining bert = clone(BertForPreTraining(load_config(fixtures / "tiny-bert")), dtype);
  const LoadReport found = load_parameters(model, parameters(bert));
  CHECK_MESSAGE(found.fresh.empty(), found.to_text());
  CHECK_MESSAGE(found.unused.empty(), found.to_text());
  if (report) *report = found;
  return bert;
}

void check_close(BertForPreTraining& x, BertForPreTraining& y, double tolerance) {
  const auto a = parameters(x), b = parameters(y);
  for (size_t i = 0; i < a.size(); ++i)
    CHECK_MESSAGE(norm(a[i].view() - b[i].view()) <= tolerance * norm(b[i].view()), a[i].name);
}

}  // namespace

TEST_CASE("names: today's, PyTorch's old ones, Google's") {
  CHECK(from_torch("bert.embeddings.LayerNorm.gamma").today == "bert.embeddings.LayerNorm.weight");
  CHECK(from_torch("a.LayerNorm.beta").today == "a.LayerNorm.bias");
  // only LayerNorm's was renamed
  CHECK(from_torch("layer_scale.gamma").today == "layer_scale.gamma");
  CHECK(from_torch("embeddings.position_ids").today.empty());
  const auto google = [](const char* name) { return from_tensorflow(name, "m.ckpt"); };
  CHECK(google("bert/encoder/layer_11/attention/self/query/kernel").today ==
        "bert.encoder.layer.11.attention.self.query.weight");
  CHECK(google("bert/encoder/layer_11/attention/self/query/kernel").transposed);
  CHECK(google("bert/embeddings/word_embeddings").today ==
        "bert.embeddings.word_embeddings.weight");
  CHECK(!google("bert/embeddings/word_embeddings").transposed);
  CHECK(google("cls/seq_relationship/output_weights").today == "cls.seq_relationship.weight");
  CHECK(!google("cls/seq_relationship/output_weights").transposed);
  CHECK(google("cls/predictions/transform/LayerNorm/beta").today ==
        "cls.predictions.transform.LayerNorm.bias");
  CHECK(google("cls/squad/output_weights").today == "qa_outputs.weight");
  CHECK(google("output_bias").today == "classifier.bias");
  CHECK(google("bert/pooler/dense/kernel/adam_m").reason == "its optimizer's state");
  CHECK(google("global_step").today.empty());
  CHECK_MENTIONS(error_of([&] { google("model/bert/.ATTRIBUTES/VARIABLE_VALUE"); }),
                 "object-based");
}

TEST_CASE("a model loads from every form, in f32 and f64") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    BertForPreTraining truth = loaded(fixtures / "tiny-bert", dtype);
    for (const auto& [file, tolerance] :
         {std::pair{"zip.bin", 0.0}, std::pair{"legacy.bin", 0.0}, std::pair{"double.bin", 0.0},
          std::pair{"half.bin", 0x1p-11}, std::pair{"bfloat.bin", 0x1p-8}}) {
      const Scratch scratch;
      fs::copy(fixtures / "weights" / file, scratch / "pytorch_model.bin");
      BertForPreTraining bert = loaded(scratch.path(), dtype);
      check_close(bert, truth, tolerance);
    }
    for (const fs::path& model : {fixtures / "tf-bert", fixtures / "tf-bert" / "bert_model.ckpt"}) {
      LoadReport report;
      BertForPreTraining bert = loaded(model, dtype, &report);
      check_close(bert, truth, 0);
      CHECK_MENTIONS(report.to_text(), "read as gelu_new");
    }
  }
}

TEST_CASE("shards of PyTorch's files, by their index") {
  const Scratch scratch;
  fs::copy(fixtures / "weights" / "zip.bin", scratch / "one.bin");
  fs::copy(fixtures / "weights" / "views.bin", scratch / "two.bin");
  nlohmann::json index;
  for (const char* name : {"bert.pooler.dense.weight", "bert.pooler.dense.bias"})
    index["weight_map"][name] = "one.bin";
  index["weight_map"]["scalar"] = "two.bin";
  write_file(scratch / "pytorch_model.bin.index.json", index.dump());
  const Weights weights(scratch.path());
  CHECK(weights.find("bert.pooler.dense.weight")->file->path().filename() == "one.bin");
  CHECK(weights.find("scalar"));
  CHECK(weights.form() == "pytorch_model.bin.index.json");
}

TEST_CASE(
    "Google's configuration: bert_config.json, whose gelu is the tanh form; config.json comes "
    "first") {
  CHECK(load_config(fixtures / "tf-bert").hidden_act == "gelu_new");
  CHECK(load_config(fixtures / "tf-bert" / "bert_model.ckpt").hidden_size == 16);
  CHECK(load_config(fixtures / "tiny-bert").hidden_act == "gelu");
  const Scratch scratch;
  fs::copy(fixtures / "tf-bert" / "bert_config.json", scratch / "bert_config.json");
  fs::copy(fixtures / "tiny-bert" / "config.json", scratch / "config.json");
  CHECK(load_config(scratch.path()).hidden_act == "gelu");
  CHECK(note_on_config(scratch.path()).empty());
}

TEST_CASE("a body that is partly missing is refused by name, unless it may be") {
  const Scratch scratch;
  BertForPreTraining model = small_model(1);
  NamedTensors tensors;
  for (const Parameter& p : parameters(model))
    if (!p.tied && !p.name.starts_with("bert.encoder.layer.1."))
      tensors.emplace_back(p.name, p.view());
  write_safetensors(scratch / "model.safetensors", tensors);
  const std::string error = error_of([&] { load_parameters(scratch.path(), parameters(model)); });
  CHECK_MENTIONS(error,
                 "16 parameters of the model's body are not in it: "
                 "bert.encoder.layer.1.attention.self.query.weight");
  CHECK(load_parameters(scratch.path(), parameters(model), Body::partial).fresh.size() == 16);
}

TEST_CASE("a head that was never trained is refused by name, where it is needed") {
  const Scratch scratch;
  BertModel body(small_config());
  write_safetensors(scratch / "model.safetensors", [&] {
    NamedTensors tensors;
    for (const Parameter& p : parameters(body)) tensors.emplace_back(p.name, p.view());
    return tensors;
  }());
  BertForPreTraining model = small_model(1);
  const LoadReport report = load_parameters(scratch.path(), parameters(model));
  CHECK(report.fresh.size() == 9);
  CHECK_MENTIONS(error_of([&] {
                   report.require_trained("masked-language-model head",
                                          {"bert.pooler*", "cls.seq_relationship*"});
                 }),
                 "'cls.predictions.bias', so its masked-language-model head was never trained");
  report.require_trained("body", {"bert.pooler*", "cls.*"});
}

TEST_CASE("folders without weights, with several checkpoints, or not there") {
  const Scratch scratch;
  const auto refused = [&](const fs::path& model, const char* mentions) {
    CHECK_MENTIONS(error_of([&] { Weights weights(model); }), mentions);
  };
  refused(scratch / "nowhere", "no such model folder, nor a checkpoint");
  refused(scratch.path(), "neither model.safetensors nor pytorch_model.bin");
  for (const char* name : {"a.ckpt.index", "b.ckpt.index"}) write_file(scratch / name, "x");
  refused(scratch.path(), "several checkpoints, a.ckpt.index and b.ckpt.index");
  refused(scratch / "a.ckpt", "LevelDB");
  write_file(scratch / "pytorch_model.bin", "x");
  refused(scratch.path(), "no file of torch.save");
  std::string deep(1'000'000, '[');
  write_file(scratch / "model.safetensors.index.json", deep);
  refused(scratch.path(), "nests more than 100 deep");
  write_file(scratch / "config.json", deep);
  CHECK_MENTIONS(error_of([&] { load_config(scratch.path()); }), "nests more than 100 deep");
}
