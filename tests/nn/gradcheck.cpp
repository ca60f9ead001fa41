// gradcheck of layers: every parameter by its path, in f64, whatever dtype the layer has; wrong
// ones are found and named, and what is not checked is said.
#include "gradus/nn/gradcheck.h"

#include "gradus/nn/layers.h"
#include "gradus/nn/transformer.h"
#include "tests/support.h"

namespace gradus::testing {
namespace {

// y = x W^T whose dW is wrong by a factor.
struct WrongLinear : Op<WrongLinear> {
  static constexpr const char* name = "wrong_linear";
  double factor;
  explicit WrongLinear(double factor) : factor(factor) {}
  Tensors forward(Inputs in) override {
    save({in[0], in[1]});
    return {matmul(in[0], transpose(in[1]))};
  }
  Tensors backward(const Tensors& dys) override {
    return {matmul(dys[0], saved(1)), matmul(transpose(dys[0]), saved(0)) * factor};
  }
};

struct Gated {
  Linear value, gate;
  double factor = 1;
  Gated(int64_t in, int64_t out) : value(in, out), gate(in, out) {}
  Tensor operator()(const Tensor& x) const {
    const Scope scope("gated");
    return (apply<WrongLinear>({x, value.weight}, factor)[0] + value.bias) * sigmoid(gate(x));
  }
  void parts(Parts& p) {
    p("value", value);
    p("gate", gate);
  }
};

Gated gated(double factor = 1) {
  Gated layer(3, 4);
  initialize(layer, Normal{0.5}, 3);
  layer.factor = factor;
  return layer;
}

struct Tied {
  Embedding embedding{7, 3};
  Linear unused{2, 2};
  Tensor operator()(const Tensor& ids) const {
    return matmul(tanh(embedding(ids)), transpose(embedding.weight));
  }
  void parts(Parts& p) {
    p("embedding", embedding);
    p.tied("decoder.weight", embedding.weight);
    p("unused", unused);
  }
};

// Lists its weight, and forgets its scale.
struct Forgetful {
  Linear inner{3, 3};
  Tensor scale = ones({3}).set_requires_grad();
  Tensor operator()(const Tensor& x) const { return inner(x) * scale; }
  void parts(Parts& p) { p("inner", inner); }
};

// Scales by a table that is saved with it and never trained.
struct Buffered {
  Linear inner{3, 3};
  Tensor table = tensor({1, 2, 3});
  Tensor operator()(const Tensor& x) const { return inner(x) * table; }
  void parts(Parts& p) {
    p("inner", inner);
    p.buffer("table", table);
  }
};

struct Pair {
  Linear a{3, 2}, b{4, 2};
  Tensor operator()(const Tensor& x, const Tensor& y) const { return a(x) * b(y); }
  void parts(Parts& p) {
    p("a", a);
    p("b", b);
  }
};

}  // namespace

TEST_CASE(
    "gradcheck of a layer: f32 or f64, every parameter by its path, and the layer unchanged") {
  const Gated layer = gated();
  const auto before = layer.value.weight.to_vector<float>();
  for (const DType dtype : {DType::f32, DType::f64}) {
    const auto result = gradcheck(layer, {random_normal({2, 3}, 1, 0, dtype)}, {.order = 2});
    CHECK_MESSAGE(result.ok, result.log);
    for (const char* name : {"input 0", "value.weight", "value.bias", "gate.weight", "gate.bias"})
      for (const char* order : {"order 1  d/d ", "order 2  d/d "})
        CHECK_MENTIONS(result.log, order + std::string(name));
  }
  CHECK(layer.value.weight.to_vector<float>() == before);
  CHECK(layer.value.weight.dtype() == DType::f32);
}

TEST_CASE("gradcheck of a layer: a dW that is wrong by -3 is found at orders 1 and 2, and named") {
  for (const int order : {1, 2}) {
    const auto result = gradcheck(gated(-3), {random_normal({2, 3}, 1)}, {.order = order});
    CHECK_FALSE(result);
    CHECK_MENTIONS(result.log, "d/d value.weight [4, 3]");
    CHECK_MENTIONS(result.log, "WRONG: 12 of 12 entries");
    CHECK_MENTIONS(result.log, "sign and factor: it is -3 times the right one");
    CHECK_MENTIONS(result.log, "in the backward of wrong_linear at gated");
    CHECK_MENTIONS(result.log, "d/d gate.weight  [4, 3]     max error");
  }
}

TEST_CASE("gradcheck of a layer: tied, unused, frozen and forgotten parameters") {
  Tied tied;
  initialize(tied, Normal{0.5}, 1);
  const auto result = gradcheck(tied, {tensor({1, 5, 5}, DType::i64)}, {.order = 2});
  CHECK_MESSAGE(result.ok, result.log);
  CHECK_MENTIONS(result.log, "decoder.weight is tied to embedding.weight; it is checked there");
  CHECK_MENTIONS(result.log, "order 2  d/d embedding.weight");
  CHECK_MENTIONS(result.log, "d/d unused.weight");
  CHECK_MENTIONS(result.log, "(no output depends on it)");

  Gated layer = gated();
  freeze(parameters(layer), "value.*");
  const auto frozen = gradcheck(layer, {random_normal({2, 3}, 1)});
  CHECK_MESSAGE(frozen.ok, frozen.log);
  CHECK_MENTIONS(frozen.log, "value.weight [4, 3] is frozen: it is not differentiated by");
  CHECK(frozen.log.find("d/d value.weight") == std::string::npos);

  Buffered buffered;
  initialize(buffered, Normal{0.5}, 1);
  const auto with_buffer = gradcheck(buffered, {random_normal({2, 3}, 1)}, {.order = 2});
  CHECK_MESSAGE(with_buffer.ok, with_buffer.log);
  CHECK_MENTIONS(with_buffer.log, "table [3] is a buffer");

  Forgetful forgetful;
  initialize(forgetful, Normal{0.5}, 1);
  const auto refused = gradcheck(forgetful, {random_normal({2, 3}, 1)});
  CHECK_FALSE(refused);
  CHECK_MENTIONS(refused.log, "captures a leaf that wants a gradient, f32 [3] leaf");
  CHECK_MENTIONS(refused.log, "parts() should list it");
}

TEST_CASE("gradcheck of a layer: ranges of a leaf have a line each; how it is called may be said") {
  const TransformerOptions options{.hidden = 4,
                                   .layers = 1,
                                   .heads = 2,
                                   .intermediate = 6,
                                   .hidden_dropout = 0.3,
                                   .attention_dropout = 0.3};
  TransformerLayer layer(options);
  initialize(layer, Normal{0.4}, 3);
  const Ragged sequences({3, 2});
  const Training training;  // dropout draws the same in every evaluation
  const auto result =
      gradcheck(layer, [&](TransformerLayer& l, Inputs in) { return l(in[0], sequences); },
                {random_normal({5, 4}, 2)}, {.order = 2});
  CHECK_MESSAGE(result.ok, result.log);
  for (const char* name : {"attention.query.weight   [4, 4]", "attention.key.bias       [4]",
                           "attention_norm.weight", "feed_forward.down.weight [4, 6]"})
    CHECK_MENTIONS(result.log, name);

  Pair pair;
  initialize(pair, Normal{0.5}, 1);
  const Tensor x = random_normal({2, 3}, 1), y = random_normal({2, 4}, 2);
  CHECK(gradcheck(pair, {x, y}));
  CHECK_MENTIONS(error_of([&] { gradcheck(pair, {x}); }), "cannot be called with 1 tensors");
  const auto several = gradcheck(pair,
                                 [](auto& l, Inputs in) {
                                   return Tensors{l(in[0], in[1]), l.a(in[0])};
                                 },
                                 {x, y});
  CHECK_MESSAGE(several.ok, several.log);
}

}  // namespace gradus::testing
