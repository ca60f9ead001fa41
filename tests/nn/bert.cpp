#include <cmath>

#include "gradus/base/json.h"
#include "gradus/base/random.h"
#include "gradus/models/bert.h"
#include "gradus/nn/audit.h"
#include "gradus/optim/adamw.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {
BertConfig small_config() {
  BertConfig config = BertConfig::named("tiny", 50);
  config.hidden_size = 16, config.num_attention_heads = 2, config.intermediate_size = 32,
  config.max_position_embeddings = 12;
  return config;
}
struct Batch {
  BertInput input;
  PretrainingTargets targets;
};
Batch batch_of(const BertConfig& config) {
  const std::vector<int64_t> lengths{5, 12, 1, 7};
  std::vector<int32_t> ids, types;
  Random random(4);
  for (int i = 0; i < 25; ++i)
    ids.push_back(static_cast<int32_t>(random.below(config.vocab_size))),
        types.push_back(static_cast<int32_t>(random.below(2)));
  return {BertInput(config, {ids, types, lengths}),
          {{1, 6, 9, 16, 20}, {3, 40, 7, 7, 22}, {0, 1, 1, 0}}};
}
}  // namespace

TEST_CASE("parameter counts of the published sizes") {
  const std::pair<const char*, std::pair<int64_t, int64_t>> sizes[] = {
      {"tiny", {4385920, 4433468}},     {"mini", {11170560, 11267900}},
      {"small", {28763648, 29058876}},  {"medium", {41373184, 41668412}},
      {"base", {109482240, 110106428}}, {"large", {335141888, 336226108}}};
  for (const auto& [name, counts] : sizes) {
    BertForPreTraining model(BertConfig::named(name));
    const auto list = parameters(model);
    CHECK(count_parameters(list) == counts.second);
    int64_t body = 0;
    for (const Parameter& p : list)
      if (p.name.starts_with("bert.")) body += p.numel();
    CHECK(body == counts.first);
    if (std::string(name) == "base")
      CHECK(std::count_if(list.begin(), list.end(), [](const Parameter& p) { return !p.tied; }) ==
            206);
  }
}

TEST_CASE("sizes by their numbers") {
  CHECK(BertConfig::named("3x192").num_attention_heads == 3);
  const BertConfig config = BertConfig::named("3x192x6", 100);
  CHECK(config.num_hidden_layers == 3);
  CHECK(config.hidden_size == 192);
  CHECK(config.num_attention_heads == 6);
  CHECK(config.intermediate_size == 768);
  CHECK(BertConfig::named("modern-2x96x4").modern.has_value());
  for (const char* wrong : {"x", "3x", "x192", "3x100", "3x192x", "3x192x5", "3x192x0", "3x192x6x1",
                            "3x-192", "0x64", "3x192y6", "99999999999999999999x64"})
    CHECK_MENTIONS(error_of([&] { BertConfig::named(wrong); }), "LAYERSxHIDDEN");
}

TEST_CASE("every parameter moves and has a finite gradient; the key biases' is zero") {
  const BertConfig config = small_config();
  BertForPreTraining model(config);
  const auto list = parameters(model);
  initialize_bert(list, config, BertInitialization::google, 1);
  const auto [input, targets] = batch_of(config);
  std::vector<std::vector<float>> before;
  for (const Parameter& p : list) before.push_back(p.view().to_vector<float>());
  AdamW optimizer(list, {.learning_rate = 1e-3, .weight_decay = 0});
  const PretrainingLoss loss = model.loss(input, targets);
  CHECK(loss.masked == doctest::Approx(std::log(50)).epsilon(0.05));
  CHECK(loss.next == doctest::Approx(std::log(2)).epsilon(0.05));
  audit(list, backward(loss.total).reached);
  double query_bias = 0, key_bias = 0;
  for (const Parameter& p : list) {
    const Tensor g = p.leaf.grad();
    REQUIRE(g.defined());
    const Tensor range = slice(g, 0, p.begin, p.end);
    CHECK(std::isfinite(norm(range)));
    if (p.name.ends_with("layer.0.attention.self.query.bias")) query_bias = norm(range);
    if (p.name.ends_with("layer.0.attention.self.key.bias")) key_bias = norm(range);
    if (!p.name.ends_with("key.bias")) CHECK_MESSAGE(norm(range) > 0, p.name);
  }
  CHECK(key_bias < 1e-4 * query_bias);
  optimizer.step();
  for (size_t i = 0; i < list.size(); ++i)
    if (!list[i].name.ends_with("key.bias"))
      CHECK_MESSAGE(list[i].view().to_vector<float>() != before[i], list[i].name);
}

TEST_CASE("the whole model's gradient is right, in f64, with dropout") {
  const BertConfig config = small_config();
  BertForPreTraining source(config);
  initialize_bert(parameters(source), config, BertInitialization::google, 2);
  BertForPreTraining model = clone(source, DType::f64);
  const auto list = parameters(model);
  // not structured bindings: Clang 14 lets no lambda capture them
  const Batch batch = batch_of(config);
  const Training training;
  const auto loss = [&] {
    const RandomScope random(7, 1);
    return model.loss(batch.input, batch.targets).total;
  };
  backward(loss());
  uint64_t stream = 0;
  for (const Parameter& p : list) {
    if (p.tied) continue;
    // The derivative in a random direction, by the engine and by differences.
    const Tensor direction = random_normal(p.view().shape(), 5, stream++, DType::f64);
    const double analytic = sum(slice(p.leaf.grad(), 0, p.begin, p.end) * direction).item();
    const auto at = [&](double step) {
      const NoGrad scope;
      Tensor view = p.view();
      const Tensor kept = clone(view);
      copy_into(view + direction * step, view, false);
      const double value = loss().item();
      copy_into(kept, view, false);
      return value;
    };
    const double h = 1e-4, numeric = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    CHECK_MESSAGE(std::abs(analytic - numeric) < 1e-7 * std::max(1.0, std::abs(numeric)), p.name,
                  " ", analytic, " ", numeric);
  }
}

TEST_CASE("bad input is refused before anything runs") {
  const BertConfig config = small_config();
  CHECK_MENTIONS(error_of([&] {
                   BertInput(config, {{1, 50}, {}, {2}});
                 }),
                 "the id 50 at token 1 of sequence 0");
  CHECK_MENTIONS(error_of([&] { BertInput(config, {{1, 2}, {0, 2}, {2}}); }), "token type 2");
  CHECK_MENTIONS(error_of([&] {
                   BertInput(config, {std::vector<int32_t>(13), {}, {13}});
                 }),
                 "13 tokens, the model 12 positions");
  CHECK_MENTIONS(error_of([&] { BertInput(config, {{1}, {}, {1, 0}}); }), "sequence 1");
  BertConfig wrong = config;
  wrong.num_attention_heads = 3;
  CHECK_MENTIONS(error_of([&] { BertForPreTraining model(wrong); }),
                 "hidden_size 16 is not divisible by num_attention_heads 3");
  CHECK_MENTIONS(error_of([] { BertConfig::named("huge"); }), "tiny, mini");
  CHECK_MENTIONS(error_of([] { BertConfig::from_json("{", "config.json"); }),
                 "config.json: not valid JSON");
  CHECK_MENTIONS(error_of([] {
                   BertConfig::from_json(R"({"position_embedding_type": "relative_key"})", "c");
                 }),
                 "relative_key");
  CHECK_MENTIONS(error_of([] { BertConfig::from_json(R"({"is_decoder": true})", "c"); }),
                 "is_decoder");
  CHECK_MENTIONS(error_of([] { BertConfig::from_json(R"({"hidden_size": "big"})", "c"); }),
                 "hidden_size");
}

TEST_CASE("a config survives the trip through JSON") {
  BertConfig config = small_config();
  config.id2label = {{0, "no"}, {1, "yes"}};
  config.architectures = {"BertForPreTraining"};
  const BertConfig back = BertConfig::from_json(config.to_json(), "here");
  CHECK(back.to_json() == config.to_json());
  CHECK(back.id2label.at(1) == "yes");
}

TEST_CASE("a config may have very many labels") {
  BertConfig config = BertConfig::named("tiny");
  for (int64_t i = 0; i < 100'000; ++i) config.id2label[i] = fmt::format("label {}", i);
  config.id2label[7] = "label 3";  // of two with one name, label2id has the last
  const std::string text = config.to_json();
  CHECK(BertConfig::from_json(text, "here").id2label == config.id2label);
  CHECK(nlohmann::json::parse(text).at("label2id").at("label 3") == 7);
}

TEST_CASE("a config names its labels: id2label, its inverse alone, or how many") {
  const auto read = [](const char* json) { return BertConfig::from_json(json, "c"); };
  using Labels = std::map<int64_t, std::string>;
  CHECK(read(R"({"id2label": {"1": "yes", "0": "no"}, "label2id": {"other": 5}})").id2label ==
        Labels{{0, "no"}, {1, "yes"}});
  CHECK(read(R"({"label2id": {"yes": 1, "no": 0}})").id2label == Labels{{0, "no"}, {1, "yes"}});
  CHECK(read(R"({"num_labels": 1})").id2label == Labels{{0, "LABEL_0"}});
  CHECK(read("{}").num_labels() == 2);
  CHECK(read("{}").id2label.empty());
  BertConfig config = small_config();
  config.id2label = {{0, "no"}, {1, "yes"}};
  config.problem_type = "multi_label_classification";
  config.classifier_dropout = 0.2;
  config.dtype = "bfloat16";
  const std::string json = config.to_json();
  CHECK_MENTIONS(json, R"("label2id": {
    "no": 0,
    "yes": 1
  })");
  CHECK_MENTIONS(json, R"("dtype": "bfloat16")");
  const BertConfig back = BertConfig::from_json(json, "c");
  CHECK(back.problem_type == config.problem_type);
  CHECK(back.classifier_dropout == 0.2);
  CHECK(read(R"({"torch_dtype": "float16"})").dtype == "float16");
  const auto refused = [&](const char* text, const char* mentions) {
    CHECK_MENTIONS(error_of([&] { read(text); }), mentions);
  };
  refused(R"({"id2label": {"0": "no", "2": "yes"}})",
          "2 labels have ids up to 2; they must be 0 to 1");
  refused(R"({"id2label": {"99999999999999999999": "no"}})", "99999999999999999999");
  refused(R"({"id2label": {"-1": "no"}})", "-1");
  refused(R"({"id2label": {"0": 1}})", "0: 1");
  refused(R"({"num_labels": 1099511627776})", "num_labels is 1099511627776");
  refused(R"({"problem_type": "ranking"})", "'ranking'");
  refused(R"({"hidden_size": 1e300})", "hidden_size");
}

TEST_CASE(
    "mimetic initialisation: keys begin as queries, layer by layer; positions are sines of one "
    "size with the other embeddings") {
  BertConfig config = small_config();
  config.hidden_size = 64, config.num_attention_heads = 4, config.initializer_range = 0.06;
  BertForPreTraining model(config);
  const auto list = parameters(model);
  initialize_bert(list, config, BertInitialization::mimetic, 1);
  const auto values = [&](const std::string& name) {
    for (const Parameter& p : list)
      if (p.name == name) return p.view().to_vector<double>();
    FAIL("no parameter ", name);
    return std::vector<double>();
  };
  const auto rms = [](const std::vector<double>& x) {
    double sum = 0;
    for (const double v : x) sum += v * v;
    return std::sqrt(sum / static_cast<double>(x.size()));
  };
  const std::string attention = "bert.encoder.layer.0.attention.self.",
                    second = "bert.encoder.layer.1.attention.self.";
  CHECK(values(attention + "query.weight") == values(attention + "key.weight"));
  CHECK(values(attention + "query.weight") != values(second + "query.weight"));
  CHECK(values(attention + "query.weight") != values(attention + "value.weight"));
  CHECK(rms(values(attention + "query.weight")) ==
        doctest::Approx(1 / std::sqrt(64.0)).epsilon(0.05));
  CHECK(rms(values(attention + "value.weight")) == doctest::Approx(0.06).epsilon(0.05));
  CHECK(rms(values("bert.embeddings.position_embeddings.weight")) ==
        doctest::Approx(0.06).epsilon(1e-3));
  const auto positions = values("bert.embeddings.position_embeddings.weight");
  CHECK(positions[64 * 3] == doctest::Approx(0.06 * std::sqrt(2.0) * std::sin(3.0)).epsilon(1e-5));
}

TEST_CASE("a BERT has Hugging Face's names, in its files' order, and nn's layers their own") {
  BertModel model(small_config());
  std::vector<std::string> names;
  for (const Parameter& p : parameters(model))
    if (p.name.starts_with("encoder.layer.1.")) names.push_back(p.name.substr(16));
  CHECK(names == std::vector<std::string>{
                     "attention.self.query.weight", "attention.self.query.bias",
                     "attention.self.key.weight", "attention.self.key.bias",
                     "attention.self.value.weight", "attention.self.value.bias",
                     "attention.output.dense.weight", "attention.output.dense.bias",
                     "attention.output.LayerNorm.weight", "attention.output.LayerNorm.bias",
                     "intermediate.dense.weight", "intermediate.dense.bias", "output.dense.weight",
                     "output.dense.bias", "output.LayerNorm.weight", "output.LayerNorm.bias"});
  CHECK(model.encoder.layer[1].attention.qkv.bias.name() ==
        "encoder.layer.1.attention.self.*.bias");
  names.clear();
  for (const Parameter& p : parameters(model.encoder.layer[1])) names.push_back(p.name);
  CHECK(names == std::vector<std::string>{
                     "attention.query.weight", "attention.query.bias", "attention.key.weight",
                     "attention.key.bias", "attention.value.weight", "attention.value.bias",
                     "attention.output.weight", "attention.output.bias", "attention_norm.weight",
                     "attention_norm.bias", "feed_forward.up.weight", "feed_forward.up.bias",
                     "feed_forward.down.weight", "feed_forward.down.bias", "output_norm.weight",
                     "output_norm.bias"});
}

TEST_CASE("vectors in place of words: rows of the table give the same bits and get gradients") {
  const BertConfig config = small_config();
  BertForPreTraining model(config);
  initialize_bert(parameters(model), config, BertInitialization::google, 3);
  const Batch batch = batch_of(config);
  const BertInput& input = batch.input;
  const Training training;
  const auto loss_of = [&](const BertInput& in) {
    const RandomScope random(7, 1);
    return model.loss(in, batch.targets).total;
  };
  Tensor& table = model.bert.embeddings.word_embeddings.weight;
  Tensor words = take(table, input.ids).detach().set_requires_grad();
  const BertInput same(config, words, input.sequences, input.types.to_vector<int32_t>());
  const Tensor by_ids = loss_of(input), by_words = loss_of(same);
  CHECK(by_ids.item() == by_words.item());
  const auto states_of = [&](const BertInput& in) {
    const RandomScope random(7, 1);
    Tensors states;
    model.bert(in, &states);
    return states;
  };
  const Tensors states = states_of(input), others = states_of(same);
  for (size_t i = 0; i < states.size(); ++i)
    CHECK(states[i].to_vector<float>() == others[i].to_vector<float>());

  // Where the tied decoder has no share, a row of the table gets what its words get.
  const Tensor dwords = grad(by_words, {words})[0];
  const auto body = [&](const BertInput& in) {
    return sum(square(states_of(in).back() + random_normal({25, config.hidden_size}, 9)));
  };
  const Tensor dtable = grad(body(input), {table})[0], dbody = grad(body(same), {words})[0];
  CHECK(norm(dwords) > 0);
  const Tensor one_hot = equal(reshape(input.ids, {25, 1}), cast(arange(50), DType::i32));
  CHECK(norm(dtable - matmul(transpose(cast(one_hot, DType::f32)), dbody)) < 1e-4 * norm(dtable));

  CHECK_MENTIONS(error_of([&] {
                   BertInput(config, ones({3, 16}), Ragged({2, 2}));
                 }),
                 "have shape [3, 16]; 4 tokens of this model want [4, 16]");
  CHECK_MENTIONS(error_of([&] {
                   BertInput(config, ones({13, 16}), Ragged({13}));
                 }),
                 "13 tokens, the model 12 positions");
  CHECK_MENTIONS(error_of([&] {
                   BertInput(config, ones({2, 16}), Ragged({2}), {0, 2});
                 }),
                 "token type 2");
}

TEST_CASE("taken apart: under Expand the loss and every gradient are the fused ones'") {
  const BertConfig config = small_config();
  BertForPreTraining source(config);
  initialize_bert(parameters(source), config, BertInitialization::google, 2);
  BertForPreTraining model = clone(source, DType::f64);
  const Batch batch = batch_of(config);
  const auto list = parameters(model);
  Tensors leaves;
  for (const Parameter& p : list)
    if (!p.tied && p.begin == 0) leaves.push_back(p.leaf);
  const Training training;
  const auto run = [&](bool apart) {
    const detail::Switch<&Modes::expanding> scope(apart);
    const RandomScope random(7, 1);
    const Tensor loss = model.loss(batch.input, batch.targets).total;
    Tensors result = grad(loss, leaves);
    result.push_back(loss.detach());
    return result;
  };
  const Tensors fused = run(false), apart = run(true);
  for (size_t i = 0; i < fused.size(); ++i)
    CHECK_MESSAGE(norm(fused[i] - apart[i]) <= 1e-12 * std::max<double>(1.0, norm(fused[i])),
                  "gradient ", i);
}

TEST_CASE("the last layer where it is asked for: the loss and every gradient are the whole's") {
  BertConfig modern = BertConfig::named("modern-tiny", 50);
  modern.hidden_size = 16, modern.num_attention_heads = 2, modern.intermediate_size = 32;
  for (const BertConfig& config : {small_config(), modern})
    for (const bool pairs : {false, true}) {
      if (pairs && config.modern) continue;  // it has no head for them
      BertForPreTraining source(config);
      initialize_bert(parameters(source), config, BertInitialization::google, 2);
      BertForPreTraining model = clone(source, DType::f64);
      Batch batch = batch_of(config);
      if (!pairs) batch.targets.next_labels.clear();
      Tensors leaves;
      for (const Parameter& p : parameters(model))
        if (!p.tied && p.begin == 0) leaves.push_back(p.leaf);
      const auto run = [&](bool where_asked) {
        model.last_layer_where_asked = where_asked;
        const PretrainingLoss loss = model.loss(batch.input, batch.targets);
        Tensors result = grad(loss.total, leaves);
        result.push_back(loss.total.detach());
        CHECK(loss.masked > 0);
        CHECK((loss.next > 0) == pairs);
        return result;
      };
      const Tensors whole = run(false), some = run(true);
      for (size_t i = 0; i < whole.size(); ++i) {
        REQUIRE(whole[i].defined() == some[i].defined());
        if (whole[i].defined())
          CHECK_MESSAGE(norm(whole[i] - some[i]) <= 1e-12 * std::max<double>(1.0, norm(whole[i])),
                        "gradient ", i);
      }
      // rows that are not in the order of the batch are refused, not computed elsewhere
      std::swap(batch.targets.rows.front(), batch.targets.rows.back());
      CHECK_MENTIONS(error_of([&] { model.loss(batch.input, batch.targets); }), "asked rows");
    }
}
