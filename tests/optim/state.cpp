// Optimizers one after another, beside each other, and on leaves that others hold; states that do
// not fit. (tests/io/optimizer_file.cpp has their states in files.)
#include <cmath>

#include "gradus/autograd/engine.h"
#include "gradus/nn/layers.h"
#include "gradus/nn/transformer.h"
#include "gradus/optim/optimizers.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

// Query, key and value are ranges of one leaf here; with `backwards`, the parts are listed in
// another order.
struct Model {
  TransformerLayer layer{{.hidden = 4, .layers = 1, .heads = 2, .intermediate = 6}};
  Linear head{4, 2};
  bool backwards = false;
  Tensor operator()(const Tensor& x) const { return head(layer(x, Ragged({x.shape()[0] - 1, 1}))); }
  void parts(Parts& p) {
    if (backwards) p("head", head);
    p("layer", layer);
    if (!backwards) p("head", head);
  }
};

void run_backward(const Model& model, int64_t step) {
  backward(sum(square(model(random_normal({3, 4}, 3, static_cast<uint64_t>(step))) - 1.0)));
}

std::vector<std::vector<float>> values_of(Model& model) {
  std::map<std::string, std::vector<float>> by_name;
  for (const Parameter& p : parameters(model)) by_name[p.name] = p.view().to_vector<float>();
  std::vector<std::vector<float>> values;
  for (auto& [name, value] : by_name) values.push_back(std::move(value));
  return values;
}

Model made(uint64_t seed) {
  Model model;
  initialize(model, Normal{0.5}, seed);
  return model;
}

}  // namespace

TEST_CASE("a state that does not fit is an error, and nothing is changed") {
  Model model = made(1);
  AdamW optimizer(model);
  run_backward(model, 0);
  optimizer.step();
  OptimizerState good = optimizer.state();
  for (auto& [name, tensor] : good.tensors) tensor = clone(tensor);
  const auto refused = [&](const OptimizerState& bad) {
    std::string text = error_of([&] { optimizer.load_state(bad); });
    CHECK(optimizer.steps() == 1);
    for (size_t i = 0; i < good.tensors.size(); ++i)
      CHECK(norm(optimizer.state().tensors[i].second - good.tensors[i].second) == 0);
    return text;
  };
  OptimizerState bad = good;
  for (auto& [name, tensor] : bad.tensors) tensor = tensor * 2.0;
  OptimizerState missing = bad, shape = bad, more = bad, twice = bad;
  missing.tensors.pop_back();
  CHECK_MENTIONS(refused(missing), "has no '" + good.tensors.back().first + "'");
  shape.tensors.back().second = ones({7});
  CHECK_MENTIONS(refused(shape), "[7]");
  more.tensors.emplace_back("nobody.m", ones({1}));
  CHECK_MENTIONS(refused(more), "'nobody.m', which belongs to no parameter");
  twice.tensors.push_back(twice.tensors[0]);
  CHECK_MENTIONS(refused(twice), "twice");
  optimizer.load_state(bad);
  CHECK(norm(optimizer.state().tensors[0].second - bad.tensors[0].second) == 0);
}

TEST_CASE("an optimizer may end: leaves keep their values and another takes them") {
  Model model = made(1), other = made(1);
  {
    AdamW first(model, {.learning_rate = 0.1});
    run_backward(model, 0);
    first.step();
  }
  const auto after = values_of(model);
  run_backward(model, 1);  // without any optimizer
  CHECK(values_of(model) == after);
  const Tensor g = model.head.weight.grad();
  CHECK(norm(g) > 0);
  run_backward(model, 1);
  CHECK(norm(model.head.weight.grad() - g * 2.0) < 1e-4 * norm(g));
  Sgd second(model, {.learning_rate = 0.1});  // takes the gradients that are there with the leaves
  second.step();

  // the same without the first's memory
  AdamW first(other, {.learning_rate = 0.1});
  run_backward(other, 0);
  first.step();
  Model fresh = clone(other);
  run_backward(fresh, 1);
  run_backward(fresh, 1);
  Sgd alone(fresh, {.learning_rate = 0.1});
  alone.step();
  CHECK(values_of(fresh) == values_of(model));
}

TEST_CASE("a model may end before its optimizer, and a failed one leaves the leaves free") {
  std::optional<AdamW> optimizer;
  {
    Model model = made(1);
    optimizer.emplace(model);
    run_backward(model, 0);
  }
  optimizer->step();
  Model model = made(1);
  Linear wide = clone(Linear(2, 2), DType::f64);
  auto list = parameters(model);
  for (const Parameter& p : parameters(wide)) list.push_back(p);
  CHECK_MENTIONS(error_of([&] { AdamW failed(list); }), "f32", "f64");
  AdamW works(model);
}

TEST_CASE(
    "two optimizers on one leaf are an error by its name; on parts of a model they share a norm") {
  Model apart = made(1), together = made(1);
  Sgd body(apart.layer, {.learning_rate = 0.1}), head(apart.head, {.learning_rate = 0.1});
  CHECK_MENTIONS(error_of([&] { AdamW third(apart); }), "belongs to another optimizer already");
  Sgd one(together, {.learning_rate = 0.1});
  run_backward(apart, 0);
  run_backward(together, 0);
  const double norm_apart = Optimizer::step({&body, &head}, 0.5), norm_together = one.step(0.5);
  CHECK(norm_together > 0.5);
  CHECK(norm_apart == doctest::Approx(norm_together));
  const auto a = values_of(apart), b = values_of(together);
  for (size_t i = 0; i < a.size(); ++i)
    for (size_t j = 0; j < a[i].size(); ++j)
      CHECK(a[i][j] == doctest::Approx(b[i][j]).epsilon(1e-6));
  CHECK(body.steps() == 1);
  CHECK(head.steps() == 1);
  CHECK_FALSE(apart.head.weight.grad().defined());

  const auto before = values_of(apart);  // one that is not finite stops both
  run_backward(apart, 1);
  apart.head.bias.set_grad(full({2}, std::nan("")));
  CHECK_MENTIONS(error_of([&] { Optimizer::step({&body, &head}, 0.5); }), "not finite", "bias");
  CHECK(values_of(apart) == before);
  CHECK(body.steps() == 1);
  CHECK_MENTIONS(error_of([&] { Optimizer::step({&body, &body}); }), "twice");
}

TEST_CASE("a gradient that was set by hand is the one that is used") {
  Model model = made(1);
  Sgd optimizer(model, {.learning_rate = 0.5});
  run_backward(model, 0);
  const auto before = model.head.bias.to_vector<float>();
  model.head.bias.set_grad(tensor({1, -2}));
  optimizer.step();
  const auto after = model.head.bias.to_vector<float>();
  CHECK(after[0] == before[0] - 0.5f);
  CHECK(after[1] == before[1] + 1.0f);
}

TEST_CASE(
    "what is frozen after the optimizer was made is left alone; what is unfrozen is an error") {
  Model model = made(1);
  freeze(model, "head.bias");
  Sgd optimizer(model, {.learning_rate = 0.5, .weight_decay = 0.5});
  run_backward(model, 0);
  freeze(model, "head.weight");
  const auto weight = model.head.weight.to_vector<float>();
  optimizer.step();
  CHECK(model.head.weight.to_vector<float>() == weight);
  unfreeze(model, "head.bias");
  run_backward(model, 1);
  CHECK_MENTIONS(error_of([&] { optimizer.step(); }), "'head.bias' was frozen when");
  Linear thawed = model.head;
  freeze(thawed, "weight");
  Sgd second(thawed, {.learning_rate = 0.5});  // one that knows it: no error
  optimizer.step();
}

TEST_CASE("leaves that an arena cannot move are errors that say why") {
  const Tensor whole = ones({4, 2});
  Tensor part = slice(whole, 0, 0, 2), one = ones({2, 2}), same = one.detach();
  struct Holder {
    std::vector<std::pair<const char*, Tensor*>> held;
    void parts(Parts& p) {
      for (auto& [name, tensor] : held) p(name, *tensor);
    }
  };
  Holder view{{{"part", &part}}}, shared{{{"one", &one}, {"same", &same}}}, none;
  CHECK_MENTIONS(error_of([&] { Sgd optimizer(view); }), "'part' is a view of a larger tensor");
  CHECK_MENTIONS(error_of([&] { Sgd optimizer(shared); }), "'one' and 'same'", "same memory");
  CHECK_MENTIONS(error_of([&] { Sgd optimizer(none); }), "no parameter that wants a gradient");
  CHECK_MENTIONS(error_of([&] {
                   Linear layer(2, 2);
                   AdamW optimizer(layer, {.learning_rate = -1});
                 }),
                 "adamw: a learning rate of -1");
}
