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
