// Our numbers against transformers'. The oracle is tests/fixtures/tiny-bert (its expected.json says
// which versions made it, in float64); the shared checkpoints have an independent float64 forward
// beside them (their README says by whom).
#include <algorithm>
#include <cmath>

#include "gradus/base/json.h"
#include "gradus/io/safetensors.h"
#include "tests/io/small_model.h"
#include "tests/json_rows.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

using Json = nlohmann::json;
using Numbers = std::vector<double>;

// The largest difference, relative to the largest magnitude.
double distance(const Numbers& ours, const Numbers& theirs) {
  REQUIRE(ours.size() == theirs.size());
  double difference = 0, magnitude = 0;
  for (size_t i = 0; i < ours.size(); ++i) {
    difference = std::max(difference, std::abs(ours[i] - theirs[i]));
    magnitude = std::max(magnitude, std::abs(theirs[i]));
  }
  return difference / magnitude;
}

Numbers numbers(const Tensor& x) { return x.to_vector<double>(); }

const std::filesystem::path fixture =
    std::filesystem::path(GRADUS_SOURCE_ROOT) / "tests" / "fixtures" / "tiny-bert";

// Logits, losses, hidden states within `tolerance`, gradients (their norms) within
// `gradient_tolerance`.
void compare_with_transformers(const std::string& hidden_act, DType dtype, double tolerance,
                               double gradient_tolerance) {
  const Json file = read_json(fixture / "expected.json"),
             expected = file.at("expected").at(hidden_act);
  BertConfig config = load_config(fixture);
  config.hidden_act = hidden_act;
  config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0;
  BertForPreTraining source(config);
  const LoadReport report = load_parameters(fixture, parameters(source));
  CHECK_MESSAGE(report.fresh.empty(), report.to_text());
  CHECK_MESSAGE(report.unused.empty(), report.to_text());
  BertForPreTraining model = clone(source, dtype);

  const BertInput input(config, {joined<int32_t>(file.at("ids")), joined<int32_t>(file.at("types")),
                                 lengths(file.at("ids"))});
  PretrainingTargets targets{
      {}, joined<int32_t>(file.at("labels")), file.at("next").get<std::vector<int32_t>>()};
  for (int64_t s = 0; s < input.sequences.sequences(); ++s)
    for (const auto& position : file.at("predicted")[static_cast<size_t>(s)])
      targets.rows.push_back(static_cast<int32_t>(input.sequences.begin(s)) +
                             position.get<int32_t>());

  Tensors hidden_states;
  model.bert(input, &hidden_states);
  REQUIRE(hidden_states.size() == expected.at("hidden_states").size());
  for (size_t layer = 0; layer < hidden_states.size(); ++layer)
    CHECK(distance(numbers(hidden_states[layer]),
                   expected.at("hidden_states")[layer].get<Numbers>()) < tolerance);
  CHECK(distance(numbers(model.masked_logits(input, targets.rows)),
                 expected.at("masked_logits").get<Numbers>()) < tolerance);
  CHECK(distance(numbers(model.next_logits(input)), expected.at("next_logits").get<Numbers>()) <
        tolerance);

  const PretrainingLoss loss = model.loss(input, targets);
  CHECK(distance({loss.total.item()}, {expected.at("loss").get<double>()}) < tolerance);
  backward(loss.total);
  for (const Parameter& p : parameters(model)) {
    if (p.tied) continue;
    const double ours = norm(slice(p.leaf.grad(), 0, p.begin, p.end)),
                 theirs = expected.at("gradient_norms").at(p.name).get<double>();
    // truly zero: softmax ignores a shift
    if (p.name.ends_with("key.bias")) CHECK_MESSAGE(ours < 1e-6, p.name);
    else CHECK_MESSAGE(distance({ours}, {theirs}) < gradient_tolerance, p.name);
  }
}

}  // namespace

TEST_CASE("a BERT of transformers: the same hidden states, logits, loss and gradients in f32") {
  for (const char* hidden_act : {"gelu", "gelu_new"})
    compare_with_transformers(hidden_act, DType::f32, 1e-5, 1e-4);
}

TEST_CASE("and in f64") {
  for (const char* hidden_act : {"gelu", "gelu_new"})
    compare_with_transformers(hidden_act, DType::f64, 1e-10, 1e-9);
}

// What the small checkpoints have at most: a body, a pooler, a token classifier.
struct Checkpoint {
  BertModel bert;
  BertPooler pooler;
  Linear classifier;
  explicit Checkpoint(const BertConfig& config)
      : bert(config), pooler(config), classifier(config.hidden_size, config.num_labels()) {}
  void parts(Parts& p) {
    p("bert", bert);
    p("pooler", pooler);
    p("classifier", classifier);
  }
};

TEST_CASE(
    "small checkpoints of others, in three forms of file, give the hidden states and logits that "
    "an independent forward gives") {
  for (const char* name : {"tiny-bert-coldfire", "tiny-bert-jammi", "tiny-bert-camphr/ner_bert",
                           "tiny-bert-camphr/bert-test", "tiny-bert-camphr/bert-2019"}) {
    const auto folder = shared_data(name);
    if (folder.empty()) continue;
    const BertConfig config = load_config(folder);
    Checkpoint model(config);
    const LoadReport report = load_parameters(folder, parameters(model));
    CHECK_MESSAGE(report.unused.empty(), report.to_text());
    const auto has = [&](const char* name) {
      return std::find(report.loaded.begin(), report.loaded.end(), name) != report.loaded.end();
    };
    model = clone(model, DType::f64);
    const NoGrad scope;
    const Json file = read_json(folder / "expected.json");
    for (const Json& example : file.at("cases")) {
      // Padding stands at the end; ragged batches have none, so those rows are left out of both.
      int64_t length = 0;
      for (const auto& real : example.at("attention_mask")) length += real.get<int64_t>();
      const auto cut = [&](const char* key) {
        auto all = example.at(key).get<std::vector<int32_t>>();
        all.resize(static_cast<size_t>(length));
        return all;
      };
      const auto rows = [&](const char* key) {
        Json all = example.at(key);
        all.erase(all.begin() + length, all.end());
        return joined<double>(all);
      };
      const BertInput input(config, {cut("input_ids"), cut("token_type_ids"), {length}});
      Tensors hidden_states;
      const Tensor output = model.bert(input, &hidden_states);
      CHECK(distance(numbers(output), rows("last_hidden_state")) < 1e-10);
      if (has("classifier.weight"))
        CHECK(distance(numbers(model.classifier(output)), rows("logits")) < 1e-10);
      if (has("pooler.dense.weight"))
        CHECK(distance(numbers(model.pooler(output, input.sequences)),
                       example.at("pooler_output").get<Numbers>()) < 1e-10);
      CHECK(distance(numbers(slice(hidden_states[0], 0, 0, 1)),
                     example.at("embedding_output_row0").get<Numbers>()) < 1e-10);
    }
  }
}

TEST_CASE(
    "a published encoder, fine-tuned by its authors, gives the hidden states and logits that "
    "follow from its weights") {
  const auto folder = shared_data("bert-tiny-sst2-encoder");
  if (folder.empty()) return;
  const BertConfig config = load_config(folder);
  const Scratch scratch;  // its file has a name of its own and no embeddings
  std::filesystem::create_symlink(std::filesystem::absolute(folder / "encoder.safetensors"),
                                  scratch / "model.safetensors");
  BertForPreTraining model(config);
  const LoadReport report = load_parameters(scratch.path(), parameters(model), Body::partial);
  CHECK(report.loaded.size() == 34);
  CHECK(report.unused == std::vector<std::string>{"classifier.bias", "classifier.weight"});
  model = clone(model, DType::f64);
  const SafetensorsFile file(folder / "encoder.safetensors");
  Tensor weight = zeros({2, 128}, DType::f64), bias = zeros({2}, DType::f64);
  file.read("classifier.weight", weight);
  file.read("classifier.bias", bias);
  const NoGrad scope;
  const Json cases = read_json(folder / "expected.json").at("cases");
  for (const auto& [name, example] : cases.items()) {
    const auto tokens = example.at("tokens").get<int64_t>();
    const std::string bytes = read_file(folder / "inputs" / (name + ".f32"));
    std::vector<float> values(bytes.size() / sizeof(float));
    std::copy_n(bytes.data(), bytes.size(), reinterpret_cast<char*>(values.data()));
    const Ragged sequence({tokens});
    Tensors hidden_states;
    const Tensor output = model.bert.encoder(cast(from_vector(values, {tokens, 128}), DType::f64),
                                             sequence, &hidden_states);
    CHECK(distance(numbers(slice(hidden_states[1], 0, 0, 1)),
                   example.at("hidden_layer1_row0").get<Numbers>()) < 1e-10);
    CHECK(distance(numbers(slice(output, 0, 0, 1)),
                   example.at("hidden_layer2_row0").get<Numbers>()) < 1e-10);
    CHECK(distance(numbers(slice(output, 0, tokens - 1, tokens)),
                   example.at("hidden_layer2_last_row").get<Numbers>()) < 1e-10);
    const Tensor pooled = (*model.pooler)(output, sequence);
    CHECK(distance(numbers(pooled), example.at("pooled").get<Numbers>()) < 1e-10);
    CHECK(distance(numbers(linear(pooled, weight, bias)), example.at("logits").get<Numbers>()) <
          1e-10);
  }
}
