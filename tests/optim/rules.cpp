// Rules beyond their formulas: one of the user's own, by its name; Muon's iteration; who decays.
#include <omp.h>

#include <cmath>

#include "gradus/autograd/engine.h"
#include "gradus/nn/layers.h"
#include "gradus/optim/optimizers.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

struct Model {
  Embedding embedding{5, 4};
  Linear a{4, 3};
  LayerNorm norm{3};
  Tensor operator()(const Tensor& ids) const { return norm(a(embedding(ids))); }
  void parts(Parts& p) {
    p("embedding", embedding);
    p("a", a);
    p("norm", norm);
  }
};
void run_backward(const Model& model) {
  backward(sum(square(model(from_vector(std::vector<int32_t>{0, 3, 1}, {3})) - 0.5)));
}

// The largest gradient seen so far divides: AMSGrad's idea without its moments.
class LargestSeen : public ElementwiseOptimizer {
 public:
  explicit LargestSeen(const ParameterList& list, double rate)
      : ElementwiseOptimizer("largest-seen", list, rate, 0) {}

 private:
  void rule(const Elements& e) override {
    float* largest = largest_.of(e);
    for (int64_t i = 0; i < e.n; ++i) {
      const auto g = static_cast<float>(e.gradient_scale) * e.g[i];
      largest[i] = std::max(largest[i], std::abs(g));
      if (largest[i] > 0) e.p[i] -= static_cast<float>(e.learning_rate) * g / largest[i];
    }
  }
  StateBuffer& largest_ = state_buffer("largest");
};

}  // namespace

TEST_CASE("a rule of the user's own is found by its name") {
  register_optimizer("largest-seen", [](const ParameterList& list, OptimizerSettings settings) {
    return std::make_unique<LargestSeen>(list, settings.learning_rate);
  });
  Model model;
  initialize(model, Normal{0.5}, 1);
  const auto optimizer = make_optimizer("largest-seen", model, {.learning_rate = 0.25});
  run_backward(model);
  const Tensor before = clone(model.a.weight.detach()), g = clone(model.a.weight.grad());
  optimizer->step();
  const auto moved = (before - model.a.weight.detach()).to_vector<double>(),
             by = g.to_vector<double>();
  for (size_t i = 0; i < moved.size(); ++i)
    CHECK(moved[i] == doctest::Approx(std::copysign(0.25, by[i])));
  CHECK(optimizer->state().tensors[0].first == "embedding.weight.largest");
  CHECK_MENTIONS(error_of([] { register_optimizer("sgd", [](auto&&...) { return nullptr; }); }),
                 "called 'sgd' already");
  CHECK_MENTIONS(error_of([] { check_optimizer_name("adam"); }), "'adam'; there are adamw, ",
                 "largest-seen");
  CHECK_MENTIONS(error_of([&] { make_optimizer("lions", model); }), "there are lion, ");
}

TEST_CASE("options out of range are errors that name them") {
  Linear layer(2, 2);
  CHECK_MENTIONS(error_of([&] { AdamW a(layer, {.beta1 = 1}); }), "adamw: beta1 is 1");
  CHECK_MENTIONS(error_of([&] { Lamb a(layer, {.beta2 = -1}); }), "lamb: beta2 is -1");
  CHECK_MENTIONS(error_of([&] { Sgd a(layer, {.momentum = 1.5}); }), "sgd: momentum is 1.5");
  CHECK_MENTIONS(error_of([&] { Lion a(layer, {.beta2 = 2}); }), "lion: beta2 is 2");
  CHECK_MENTIONS(error_of([&] { Muon a(layer, {.iterations = 0}); }), "muon: 0 iterations");
  CHECK_MENTIONS(error_of([&] { Muon a(layer, {.adamw = {"haed.*"}}); }), "matches 'haed.*'");
  CHECK_MENTIONS(error_of([&] { Muon a(layer, {.learning_rate = 0}); }),
                 "muon: learning rates of 0");
  CHECK_MENTIONS(error_of([&] { Sgd a(layer, {.weight_decay = -1}); }),
                 "sgd: a weight decay of -1");
  AdamW optimizer(layer);  // those that failed hold no leaf
  CHECK_MENTIONS(error_of([&] { optimizer.set_learning_rate(std::nan("")); }), "learning rate");
}

TEST_CASE("every optimizer gives the same bits on one thread and on three") {
  struct Large {  // several blocks to a parameter
    Embedding embedding{400, 300};
    Linear a{300, 250};
    Tensor operator()(const Tensor& ids) const { return a(embedding(ids)); }
    void parts(Parts& p) {
      p("embedding", embedding);
      p("a", a);
    }
  };
  std::vector<int32_t> ids(400);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int32_t>((7 * i) % ids.size());
  const int before = omp_get_max_threads();
  for (const std::string& name : optimizer_names()) {
    std::vector<std::vector<float>> results;
    for (const int threads : {1, 3}) {
      omp_set_num_threads(threads);
      Large model;
      initialize(model, Normal{0.1}, 1);
      const auto optimizer = make_optimizer(name, model, {0.01, 0.1});
      for (int step = 0; step < 2; ++step) {
        backward(sum(square(model(from_vector(ids, {400})) - 0.5)));
        optimizer->step(1.0);
      }
      auto values = model.embedding.weight.to_vector<float>();
      const auto more = model.a.weight.to_vector<float>();
      values.insert(values.end(), more.begin(), more.end());
      results.push_back(std::move(values));
    }
    CHECK_MESSAGE(results[0] == results[1], name);
  }
  omp_set_num_threads(before);
}

TEST_CASE("Muon makes matrices orthogonal: tall, wide and square ones") {
  for (const Shape& shape : {Shape{40, 12}, {12, 40}, {16, 16}}) {
    // singular values of about 0.3 to 11
    const Tensor x = random_normal(shape, 5) * 1.0;
    const Tensor y = orthogonalize(x);
    CHECK(y.shape() == shape);
    const bool tall = shape[0] > shape[1];
    const Tensor square = tall ? matmul(transpose(y), y) : matmul(y, transpose(y));
    const int64_t n = square.shape()[0];
    // Trace of the Gram matrix: the mean of the squared singular values; those are in [0.7, 1.2]
    // apart from the very small ones.
    double trace = 0, off = 0;
    const auto values = square.to_vector<double>();
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < n; ++j) {
        const double value = values[static_cast<size_t>(i * n + j)];
        if (i == j) trace += value;
        else off = std::max(off, std::abs(value));
      }
    CHECK(trace / static_cast<double>(n) == doctest::Approx(0.85).epsilon(0.25));
    if (shape[0] != shape[1]) CHECK(off < 0.35);
  }
  CHECK_MENTIONS(error_of([] { orthogonalize(ones({3})); }), "a matrix is wanted", "[3]");
}

// Three square matrices that one leaf holds, under a name each or stacked under one.
struct Stack {
  Tensor weight = random_normal({12, 4}, 1, 0, DType::f32).set_requires_grad();
  void parts(Parts& p) {
    for (const int64_t i : {0, 1, 2}) p.rows(fmt::format("{}", i), weight, 4 * i, 4 * i + 4);
  }
};
struct Whole {
  Stack stack;
  bool renamed;
  void parts(Parts& p) {
    if (renamed)
      p(
          "stack", stack, +[](std::string_view) { return std::string("all"); });
    else p("stack", stack);
  }
};

TEST_CASE("Muon makes each of several stacked matrices orthogonal, as if each had its own name") {
  Whole apart{{}, false}, stacked{{}, true};
  CHECK(parameters(stacked).size() == 1);
  CHECK(parameters(stacked)[0].name == "stack.all");
  CHECK(parameters(stacked)[0].stacked == 3);
  for (Whole* model : {&apart, &stacked}) {
    Muon optimizer(*model, {.learning_rate = 0.1});
    for (int step = 0; step < 3; ++step) {
      backward(sum(square(model->stack.weight) * random_normal({12, 4}, 2, 0, DType::f32)));
      optimizer.step();
    }
  }
  CHECK(apart.stack.weight.to_vector<float>() == stacked.stack.weight.to_vector<float>());
}

TEST_CASE("Muon gives embeddings and vectors to AdamW, in the same step and with its own rate") {
  Model by_muon, by_adam;
  initialize(by_muon, Normal{0.5}, 1);
  initialize(by_adam, Normal{0.5}, 1);
  Muon muon(by_muon, {.learning_rate = 0.02, .adamw_learning_rate = 0.005});
  AdamW adam(by_adam, {.learning_rate = 0.005});
  for (int step = 0; step < 2; ++step) {
    run_backward(by_muon);
    run_backward(by_adam);
    if (step == 1) {  // a schedule moves both
      muon.set_learning_rate(0.01);
      adam.set_learning_rate(0.0025);
    }
    muon.step();
    adam.step();
    if (step == 0)
      for (const auto& [ours, theirs] :
           {std::pair(by_muon.embedding.weight, by_adam.embedding.weight),
            {by_muon.a.bias, by_adam.a.bias},
            {by_muon.norm.weight, by_adam.norm.weight}})
        CHECK(norm(ours.detach() - theirs.detach()) < 1e-7);
    CHECK(norm(by_muon.a.weight.detach() - by_adam.a.weight.detach()) > 1e-3);
  }
  std::vector<std::string> kept;
  for (const auto& [name, tensor] : muon.state().tensors) kept.push_back(name);
  CHECK(kept == std::vector<std::string>{"embedding.weight.m", "embedding.weight.v", "a.weight.u",
                                         "a.bias.m", "a.bias.v", "norm.weight.m", "norm.weight.v",
                                         "norm.bias.m", "norm.bias.v"});
}

TEST_CASE("decay is as the layer declares it, whatever the name, unless the arena is told") {
  struct Named {
    LayerNorm norm1{3};
    Tensor gain = full({3}, 2), bias = full({2, 3}, 2);
    void parts(Parts& p) {
      p("norm1", norm1);
      p("gain", gain, {.init = Init::keep, .decay = true});
      p("bias", bias);
    }
  } model;
  const auto decaying = [](Optimizer& optimizer) {
    std::string names;
    for (const auto& range : optimizer.arena().ranges())
      if (range.decays) names += range.name + " ";
    return names;
  };
  Sgd optimizer(model, {.learning_rate = 0.5, .weight_decay = 0.1});
  CHECK(decaying(optimizer) == "gain bias ");
  CHECK(optimizer.arena().set_decay("*", true) == 4);
  CHECK(optimizer.arena().set_decay("norm1.*", false) == 2);
  CHECK(decaying(optimizer) == "gain bias ");
  backward(sum(model.gain * 0.0) + sum(model.norm1.weight * 0.0));
  optimizer.step();
  CHECK(model.gain.to_vector<float>()[0] == doctest::Approx(2 * (1 - 0.05)));
  CHECK(model.norm1.weight.to_vector<float>()[0] == 1);
  CHECK(model.bias.to_vector<float>()[0] == 2);  // not reached
}
