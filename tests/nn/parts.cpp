#include <array>
#include <functional>

#include "gradus/base/file.h"
#include "gradus/base/random.h"
#include "gradus/models/bert.h"
#include "gradus/nn/audit.h"
#include "gradus/nn/layers.h"
#include "gradus/nn/transformer.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {
struct Two {
  Linear a{2, 3}, b{3, 1};
  Tensor operator()(const Tensor& x) const { return b(tanh(a(x))); }
  void parts(Parts& p) {
    p("a", a);
    p("b", b);
  }
};
struct Stack {
  std::vector<Linear> layer;
  void parts(Parts& p) { p("layer", layer); }
};
struct Tied {
  Linear a{2, 2};
  void parts(Parts& p) {
    p("a", a);
    p.tied("decoder.weight", a.weight);
  }
};
struct Forgetful {
  Linear a{2, 2}, b{2, 1};
  void parts(Parts& p) { p("a", a); }
};
}  // namespace

TEST_CASE("names come from the one list") {
  Two model;
  std::vector<std::string> names;
  for (const Parameter& p : parameters(model)) names.push_back(p.name);
  CHECK(names == std::vector<std::string>{"a.weight", "a.bias", "b.weight", "b.bias"});
  CHECK(count_parameters(parameters(model)) == 2 * 3 + 3 + 3 + 1);
  CHECK(model.a.weight.name() == "a.weight");
  Stack stack{{Linear(1, 1), Linear(1, 1)}};
  CHECK(parameters(stack)[2].name == "layer.1.weight");
}

TEST_CASE("one parameter under two names is an error, unless tied") {
  Stack stack{std::vector<Linear>(2, Linear(2, 2))};
  CHECK_MENTIONS(error_of([&] { parameters(stack); }),
                 "'layer.0.weight' and 'layer.1.weight' are one parameter");
  Tied tied;
  CHECK(count_parameters(parameters(tied)) == 6);
}

TEST_CASE("query, key and value are ranges of one leaf") {
  TransformerLayer layer({.hidden = 4, .layers = 1, .heads = 2, .intermediate = 8});
  const auto list = parameters(layer);
  const auto find = [&](const std::string& name) {
    return *std::find_if(list.begin(), list.end(),
                         [&](const Parameter& p) { return p.name == name; });
  };
  CHECK(find("attention.key.weight").view().shape() == Shape{4, 4});
  CHECK(find("attention.value.bias").begin == 8);
  CHECK(layer.attention.qkv.weight.name() == "attention.*.weight");
  initialize(list, Normal{1}, 3);
  TransformerLayer other({.hidden = 4, .layers = 1, .heads = 2, .intermediate = 8});
  initialize(other, Normal{1}, 3);
  CHECK(norm(layer.attention.qkv.weight.detach() - other.attention.qkv.weight.detach()) == 0);
  CHECK(norm(find("attention.query.weight").view() - find("attention.key.weight").view()) > 0.1);
}

TEST_CASE("an initial value is a function of seed and name alone") {
  Two a;
  Linear alone(2, 3);
  struct Only {
    Linear a{2, 3};
    void parts(Parts& p) { p("a", a); }
  } only;
  initialize(a, Normal{0.5}, 9);
  initialize(only, Normal{0.5}, 9);
  CHECK(norm(a.a.weight.detach() - only.a.weight.detach()) == 0);
  initialize(only, Normal{0.5}, 10);
  CHECK(norm(a.a.weight.detach() - only.a.weight.detach()) > 0);
  struct Large {
    Embedding e{200, 100};
    LayerNorm n{100};
    void parts(Parts& p) { p("e", e), p("n", n); }
  } large;
  initialize(large, TruncatedNormal{0.02}, 1);
  double largest = 0;
  for (const double x : large.e.weight.to_vector<double>())
    largest = std::max(largest, std::abs(x));
  CHECK(largest <= 0.04);
  CHECK(norm(large.e.weight.detach()) / std::sqrt(20000) ==
        doctest::Approx(0.88 * 0.02).epsilon(0.02));
  CHECK(large.n.weight.to_vector<double>()[5] == 1);
  CHECK(large.n.bias.to_vector<double>()[5] == 0);
}

TEST_CASE("copies share, clones do not; a clone in f64 has the same values") {
  Two a;
  initialize(a, Normal{0.5}, 1);
  const Two shared = a;
  Two own = clone(a), exact = clone(a, DType::f64);
  {
    const NoGrad scope;
    *a.a.weight.write<float>() = 42;
  }
  CHECK(*shared.a.weight.data<float>() == 42);
  CHECK(*own.a.weight.data<float>() != 42);
  CHECK(exact.a.weight.dtype() == DType::f64);
  CHECK(exact.a.weight.is_leaf());
  Tied tied;
  Tied copy = clone(tied);
  CHECK(parameters(copy).size() == parameters(tied).size());
}

TEST_CASE("patterns and freezing") {
  CHECK(matches("encoder.layer.3.output.dense.bias", "*bias"));
  CHECK(matches("a.weight", "a.*"));
  CHECK(matches("layer.1", "layer.?"));
  CHECK_FALSE(matches("a.weight", "b*"));
  Two model;
  CHECK(freeze(parameters(model), "a.*") == 2);
  CHECK_FALSE(model.a.weight.requires_grad());
  CHECK(model.b.weight.requires_grad());
  TransformerLayer layer({.hidden = 4, .layers = 1, .heads = 2, .intermediate = 8});
  CHECK_MENTIONS(error_of([&] { freeze(parameters(layer), "*query.weight"); }), "not all ranges");
}

TEST_CASE("the audit finds a cut path and a forgotten part") {
  Two model;
  initialize(model, Normal{0.5}, 1);
  const Tensor x = random_normal({4, 2}, 1);
  audit(parameters(model), backward(sum(model(x))).reached);
  const Tensor cut = sum(model.b(tanh(model.a(x)).detach()));
  const Tensors reached = backward(cut).reached;
  CHECK_MENTIONS(error_of([&] { audit(parameters(model), reached); }),
                 "'a.weight' [3, 2] gets no gradient");
  audit(parameters(model), reached, {"a.*"});
  Forgetful forgetful;
  initialize(forgetful, Normal{0.5}, 1);
  const Tensors more = backward(sum(forgetful.b(forgetful.a(x)))).reached;
  CHECK_MENTIONS(error_of([&] { audit(parameters(forgetful), more); }), "which no module lists");
}

TEST_CASE("dropout acts under Training alone") {
  const Dropout dropout{0.5};
  const Tensor x = ones({4, 64});
  const Ragged rows({4});
  CHECK(norm(dropout(x, rows) - x) == 0);
  const Training training;
  CHECK(norm(dropout(x, rows) - x) > 1);
  CHECK(norm(dropout(x) - x) > 1);  // rows that are no tokens
}

TEST_CASE("a linear layer without a bias lists none") {
  Linear layer(3, 2, {.bias = false});
  initialize(layer, Normal{1}, 1);
  const auto list = parameters(layer);
  REQUIRE(list.size() == 1);
  const Tensor x = random_normal({4, 3}, 1);
  CHECK(norm(layer(x) - matmul(x, transpose(layer.weight))) < 1e-6);
  Linear copy = clone(layer, DType::f64);
  CHECK(copy.weight.dtype() == DType::f64);
  CHECK_FALSE(copy.bias.defined());
}

namespace {
std::string shout(std::string_view name) { return name == "a.weight" ? "A!" : std::string(name); }
struct Renamed {
  Two inner;
  Linear last{1, 1};
  void parts(Parts& p) {
    p("inner", inner, shout);
    p("a", last);
  }
};
}  // namespace

TEST_CASE("a model may list a layer's parts under other names, below the layer alone") {
  Renamed model;
  std::vector<std::string> names;
  for (const Parameter& p : parameters(model)) names.push_back(p.name);
  CHECK(names == std::vector<std::string>{"inner.A!", "inner.a.bias", "inner.b.weight",
                                          "inner.b.bias", "a.weight", "a.bias"});
  CHECK(model.inner.a.weight.name() == "inner.A!");
  initialize(model, Normal{1}, 4);  // values follow from the names that it has
  const auto before = model.inner.a.weight.to_vector<float>();
  initialize(model.inner, Normal{1}, 4);
  CHECK(model.inner.a.weight.to_vector<float>() != before);
}

namespace {

// A part listed by a lambda, for the cases of a single tensor.
struct Lister {
  std::function<void(Parts&)> f;
  void parts(Parts& p) { f(p); }
};
std::vector<Parameter> listed(std::function<void(Parts&)> f) {
  Lister layer{std::move(f)};
  return parameters(layer);
}

// What a layer of one's own may hold.
struct Scaled {
  Tensor weight = zeros({4, 3}), gain = full({4}, 1e-4), forget = zeros({8}), gamma = zeros({4}),
         table = zeros({50, 40}), running_mean = full({4}, 0.5), order = arange(4);
  Scaled() { std::fill_n(forget.write<float>() + 4, 4, 1.0f); }
  Tensor operator()(const Tensor& x) const { return matmul(x, transpose(weight)) * gain; }
  void parts(Parts& p) {
    p("weight", weight);
    p("gain", gain, Init::keep);
    p("forget", forget);
    p("gamma", gamma, {.init = Init::ones, .decay = true});
    p("table", table, {.init = Normal{0.02}, .decay = false});
    p.buffer("running_mean", running_mean);
    p.buffer("order", order);
  }
};

}  // namespace

TEST_CASE("listing makes a leaf that is trained; frozen is a mark of its own") {
  Scaled layer;
  CHECK_FALSE(layer.weight.requires_grad());
  auto list = parameters(layer);
  for (const Parameter& p : list) CHECK(p.leaf.is_leaf() == !p.buffer);
  CHECK(count_parameters(list) == 12 + 4 + 8 + 4 + 2000);

  CHECK(freeze(layer, "gain") == 1);
  layer.gamma.set_requires_grad(false);
  for (const Tensor& x : {layer.gain, layer.gamma}) {
    CHECK(x.is_frozen());
    CHECK_MENTIONS(describe(x), "frozen");
  }
  list = parameters(layer);  // listing again does not thaw it
  CHECK_FALSE(layer.gain.requires_grad());
  CHECK_FALSE(layer.gamma.requires_grad());
  const Tensors reached = backward(sum(layer(ones({2, 3})))).reached;
  audit(list, reached, {"forget", "table"});  // neither the frozen ones nor the buffers are missed
  CHECK_MENTIONS(error_of([&] { audit(list, reached, {"forget"}); }), "'table' [50, 40] gets no");
  CHECK(unfreeze(layer) == 5);
  CHECK(layer.gain.is_leaf());
  CHECK_FALSE(layer.running_mean.requires_grad());
}

TEST_CASE("a listed tensor that is neither trained, frozen nor a buffer is an error") {
  Tensor w = ones({2, 2}).set_requires_grad(), made = w * 2.0, ids = arange(3), trained = w,
         undefined;
  CHECK_MENTIONS(error_of([&] { listed([&](Parts& p) { p("scaled", made); }); }),
                 "'scaled' was made by mul", "detach()");
  CHECK_MENTIONS(error_of([&] { listed([&](Parts& p) { p("ids", ids); }); }), "'ids' is i64",
                 "p.buffer(\"ids\"");
  CHECK_MENTIONS(error_of([&] { listed([&](Parts& p) { p.buffer("b", made); }); }),
                 "the buffer 'b'", "made by mul");
  CHECK_MENTIONS(error_of([&] { listed([&](Parts& p) { p.buffer("b", trained); }); }),
                 "the buffer 'b'", "leaf");
  CHECK_MENTIONS(error_of([&] { listed([&](Parts& p) { p("w", undefined); }); }), "undefined");
  CHECK_MENTIONS(error_of([&] { listed([&](Parts& p) { p.rows("w", w, 1, 3); }); }), "rows 1 to 3");
  const auto list = listed([&](Parts& p) {
    p.buffer("ids", ids);
    p.tied("same", ids);
  });
  CHECK(list[1].buffer);
  audit(list, {});
}

TEST_CASE("parts begin as the layer says; what a constructor set stays where it says so") {
  Scaled layer;
  initialize(layer, Normal{0.5}, 3);
  const auto values = [](const Tensor& x) { return x.to_vector<float>(); };
  CHECK(norm(layer.weight.detach()) > 0.5);
  CHECK(values(layer.gain) == std::vector<float>(4, 1e-4f));
  CHECK(values(layer.forget) == std::vector<float>{0, 0, 0, 0, 1, 1, 1, 1});
  CHECK(values(layer.gamma) == std::vector<float>(4, 1));
  CHECK(norm(layer.table.detach()) / std::sqrt(2000) == doctest::Approx(0.02).epsilon(0.05));
  CHECK(values(layer.running_mean) == std::vector<float>(4, 0.5));
  std::vector<std::string> decaying;
  for (const Parameter& p : parameters(layer))
    if (p.decays) decaying.push_back(p.name);
  CHECK(decaying == std::vector<std::string>{"weight", "gamma"});
  initialize(layer, Uniform{0.1}, 3);
  double largest = 0;
  for (const float x : values(layer.weight)) largest = std::max(largest, std::abs(double{x}));
  CHECK((largest > 0.05 && largest < 0.1));
  CHECK_MENTIONS(error_of([&] { initialize(layer, Init::drawn, 1); }), "distribution");
}

TEST_CASE("buffers are cloned and cast with the layer; frozen parts stay frozen in a clone") {
  Scaled layer;
  freeze(layer, "gain");
  Scaled copy = clone(layer, DType::f64);
  CHECK(copy.running_mean.dtype() == DType::f64);
  CHECK(copy.order.dtype() == DType::i64);
  CHECK_FALSE(copy.running_mean.same(layer.running_mean));
  CHECK(copy.gain.is_frozen());
  CHECK(copy.weight.is_leaf());
  CHECK(parameters(copy).size() == parameters(layer).size());
}

// What the rules by name were before layers declared it: the initial values, and which parameters
// decay.
TEST_CASE("BERT begins, to the last bit, and decays as it did by the rules of names") {
  BertConfig config = BertConfig::named("tiny", 600);
  BertForPreTraining model(config);
  const auto list = parameters(model);
  const auto old_value = [&](const Parameter& p, bool truncated, uint64_t seed) {
    std::vector<float> values;
    for (int64_t i = 0, block = 1 << 14; i < p.numel(); i += block) {
      Random random(hash_bytes(p.name, seed), static_cast<uint64_t>(i / block));
      for (int64_t j = i; j < std::min(i + block, p.numel()); ++j) {
        if (p.leaf.rank() < 2) {
          values.push_back(p.name.ends_with("weight") ? 1 : 0);
          continue;
        }
        double x = random.normal();
        while (truncated && std::abs(x) > 2) x = random.normal();
        values.push_back(static_cast<float>(config.initializer_range * x));
      }
    }
    return values;
  };
  for (const bool google : {false, true}) {
    for (const Parameter& p : list) {  // nothing of before may be left
      const NoGrad scope;
      Tensor view = p.view();
      std::fill_n(view.write<float>(), view.numel(), 7.0f);
    }
    initialize_bert(list, config,
                    google ? BertInitialization::google : BertInitialization::hugging_face, 11);
    for (const Parameter& p : list) {
      if (p.tied) continue;
      auto expected = old_value(p, google, 11);
      if (!google && p.name.ends_with("word_embeddings.weight"))
        std::fill_n(expected.begin() + config.pad_token_id * config.hidden_size, config.hidden_size,
                    0.0f);
      CHECK_MESSAGE(p.view().to_vector<float>() == expected, p.name);
    }
  }
  for (const Parameter& p : list) {
    if (p.tied) continue;
    bool decays = true;
    for (const char* pattern :
         {"*bias", "*LayerNorm*", "*layer_norm*", "*_norm.*", "*.norm.*", "norm.*"})
      decays = decays && !matches(p.name, pattern);
    CHECK_MESSAGE(p.decays == decays, p.name);
  }
}

TEST_CASE(
    "a pattern that matches nothing is an error that shows names; select takes those it does") {
  Scaled layer;
  for (const auto& f : std::vector<std::function<void()>>{[&] { freeze(layer, "gian"); },
                                                          [&] { unfreeze(layer, "gian"); },
                                                          [&] { select(layer, "gian"); }})
    CHECK_MENTIONS(error_of(f), "no parameter's name matches 'gian'; there are ", "gain");
  const ParameterList list = select(layer, "ga*");
  CHECK(list.size() == 2);
  for (const Parameter& p : list) CHECK(matches(p.name, "ga*"));
}

TEST_CASE("arrays of layers are parts, and repeat() makes layers that share nothing") {
  struct Stack {
    std::array<Linear, 2> pair{Linear(2, 2), Linear(2, 2)};
    std::vector<Linear> more = repeat(3, [] { return Linear(2, 2, {.bias = false}); });
    void parts(Parts& p) { p("pair", pair), p("more", more); }
  };
  Stack stack;
  const auto list = parameters(stack);
  CHECK(list.size() == 7);
  CHECK(list[2].name == "pair.1.weight");
  CHECK(list[6].name == "more.2.weight");
}

TEST_CASE("a buffer is changed in place by assign, by strides, where nothing depends on it") {
  Tensor mean = zeros({2, 3});
  const Tensor kept = mean;
  assign(mean, ones({2, 3}));
  CHECK(kept.to_vector<float>() == std::vector<float>(6, 1));
  assign(slice(mean, 1, 1, 2), tensor({{5}, {6}}));
  CHECK(kept.to_vector<float>() == std::vector<float>{1, 5, 1, 1, 6, 1});
  CHECK_MENTIONS(error_of([&] { assign(mean, ones({3, 2})); }), "[2, 3]", "[3, 2]");
  CHECK_MENTIONS(error_of([&] { assign(mean, ones({2, 3}, DType::f64)); }), "f32", "f64");
  const Tensor made = mean.set_requires_grad() * 2.0;
  CHECK_MENTIONS(error_of([&] { assign(made, ones({2, 3})); }), "assign", "made by mul");
}
