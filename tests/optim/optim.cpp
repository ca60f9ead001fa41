#include <cmath>

#include "gradus/nn/layers.h"
#include "gradus/optim/optimizers.h"
#include "gradus/optim/schedule.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {
struct Model {
  Linear a{3, 2}, unused{2, 2};
  void parts(Parts& p) {
    p("a", a);
    p("unused", unused);
  }
};
// A loss whose gradient changes with the step, so that moments matter.
Tensor loss_of(const Model& model, int step) {
  return sum(square(model.a(random_normal({5, 3}, 3, static_cast<uint64_t>(step))) - 1.0));
}

// Runs `steps` steps with the optimizer and, beside it, update(p, g, t, decays) in double on the
// same gradients; returns the largest difference.
template <class Update>
double against(Model& model, Optimizer& optimizer, int steps, Update update) {
  std::vector<double> p = model.a.weight.to_vector<double>(), b = model.a.bias.to_vector<double>();
  for (int t = 1; t <= steps; ++t) {
    backward(loss_of(model, t));
    const auto g = model.a.weight.grad().to_vector<double>(),
               gb = model.a.bias.grad().to_vector<double>();
    for (size_t i = 0; i < p.size(); ++i) p[i] = update(p[i], g[i], t, true, i);
    for (size_t i = 0; i < b.size(); ++i) b[i] = update(b[i], gb[i], t, false, p.size() + i);
    optimizer.step();
  }
  double worst = 0;
  const auto now = model.a.weight.to_vector<double>(), now_b = model.a.bias.to_vector<double>();
  for (size_t i = 0; i < p.size(); ++i) worst = std::max(worst, std::abs(p[i] - now[i]));
  for (size_t i = 0; i < b.size(); ++i) worst = std::max(worst, std::abs(b[i] - now_b[i]));
  return worst;
}
}  // namespace

TEST_CASE("AdamW and Google's Adam follow their formulas over 100 steps") {
  for (const bool google : {false, true}) {
    Model model;
    initialize(model, Normal{0.5}, 1);
    AdamWOptions options = google ? AdamWOptions::google() : AdamWOptions{};
    options.learning_rate = 0.01, options.weight_decay = 0.1;
    AdamW optimizer(model, options);
    std::vector<double> m(8), v(8);
    const double worst =
        against(model, optimizer, 100, [&](double p, double g, int t, bool decays, size_t i) {
          m[i] = 0.9 * m[i] + 0.1 * g;
          v[i] = 0.999 * v[i] + 0.001 * g * g;
          const double step = google ? m[i] / (std::sqrt(v[i]) + 1e-6)
                                     : m[i] / (1 - std::pow(0.9, t)) /
                                           (std::sqrt(v[i] / (1 - std::pow(0.999, t))) + 1e-8);
          return p - 0.01 * (step + (decays ? 0.1 * p : 0));
        });
    CHECK(worst < 2e-6);
  }
}

TEST_CASE("SGD with momentum and decay follows its formula") {
  Model model;
  initialize(model, Normal{0.5}, 1);
  Sgd optimizer(model, {.learning_rate = 0.001, .momentum = 0.9, .weight_decay = 0.1});
  std::vector<double> u(8);
  CHECK(against(model, optimizer, 100, [&](double p, double g, int, bool decays, size_t i) {
          u[i] = 0.9 * u[i] + g + (decays ? 0.1 * p : 0);
          return p - 0.001 * u[i];
        }) < 2e-6);
}

TEST_CASE("what the loss does not reach, and what is frozen, is neither updated nor decayed") {
  Model model;
  initialize(model, Normal{0.5}, 1);
  const Tensor unused = clone(model.unused.weight.detach()), bias = clone(model.a.bias.detach());
  freeze(parameters(model), "a.bias");
  AdamW optimizer(model, {.learning_rate = 0.1, .weight_decay = 0.5});
  backward(loss_of(model, 1));
  optimizer.step();
  CHECK(norm(model.unused.weight.detach() - unused) == 0);
  CHECK(norm(model.a.bias.detach() - bias) == 0);
  CHECK_FALSE(model.a.weight.grad().defined());
}

TEST_CASE("the arena moves the bytes and keeps identity; handles taken before stay good") {
  Model model;
  initialize(model, Normal{0.5}, 1);
  const Tensor handle = model.a.weight, view = slice(model.a.weight.detach(), 0, 1, 2);
  const auto before = handle.to_vector<float>();
  AdamW optimizer(model, {.learning_rate = 0.1});
  CHECK(handle.to_vector<float>() == before);
  backward(loss_of(model, 1));
  optimizer.step();
  CHECK(handle.to_vector<float>() != before);
  CHECK(view.to_vector<float>()[0] == handle.to_vector<float>()[3]);
  CHECK_MENTIONS(error_of([&] { AdamW second(model); }), "'a.weight' belongs to another optimizer");
}

TEST_CASE("a leaf written by the optimizer is noticed by a graph that saved it") {
  Model model;
  initialize(model, Normal{0.5}, 1);
  AdamW optimizer(model, {.learning_rate = 0.1});
  const Tensor old = loss_of(model, 1);
  backward(loss_of(model, 2));
  optimizer.step();
  CHECK_MENTIONS(error_of([&] { backward(old); }), "was overwritten since");
}

TEST_CASE("clipping: the step is that of the scaled gradient; the norm is returned") {
  Model clipped, scaled;
  initialize(clipped, Normal{0.5}, 1);
  initialize(scaled, Normal{0.5}, 1);
  Sgd one(clipped, {.learning_rate = 0.1}), two(scaled, {.learning_rate = 0.1});
  backward(loss_of(clipped, 1));
  const double full = one.step(0.5);
  backward(loss_of(scaled, 1) * (0.5 / full));
  CHECK(two.step() == doctest::Approx(0.5).epsilon(1e-4));
  CHECK(norm(clipped.a.weight.detach() - scaled.a.weight.detach()) < 1e-6);
}

TEST_CASE("a gradient that is not finite changes nothing and names the parameter") {
  Model model;
  initialize(model, Normal{0.5}, 1);
  AdamW optimizer(model);
  const auto before = model.a.weight.to_vector<float>();
  backward(sum(log(model.a(zeros({1, 3})) * 0.0)));
  try {
    optimizer.step(1.0);
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.exit_code == 1);
    CHECK_MENTIONS(error.what(), "a.");
  }
  CHECK_MENTIONS(error_of([&] { optimizer.require_finite(std::nan("")); }),
                 "the loss is not finite at step 1");
  optimizer.require_finite(1);
  CHECK(model.a.weight.to_vector<float>() == before);
}

TEST_CASE("schedules") {
  const auto at = [](Schedule::Shape shape, int64_t t) {
    return Schedule{shape, 1.0, 10, 110}.at(t);
  };
  for (const auto shape : {Schedule::Shape::linear, Schedule::Shape::constant,
                           Schedule::Shape::cosine, Schedule::Shape::google}) {
    CHECK(at(shape, 0) == 0);
    CHECK(at(shape, 5) == doctest::Approx(0.5));
  }
  CHECK(at(Schedule::Shape::linear, 10) == 1);
  CHECK(at(Schedule::Shape::linear, 60) == doctest::Approx(0.5));
  CHECK(at(Schedule::Shape::linear, 110) == 0);
  CHECK(at(Schedule::Shape::constant, 100) == 1);
  CHECK(at(Schedule::Shape::cosine, 60) == doctest::Approx(0.5));
  CHECK(at(Schedule::Shape::google, 10) == doctest::Approx(1 - 10.0 / 110));
  // Google's MRPC run: 343 steps, 34 of them warm-up, 2e-5 (optimization.py).
  const Schedule mrpc{Schedule::Shape::google, 2e-5, 34, 343};
  CHECK(mrpc.at(33) == doctest::Approx(1.94e-5).epsilon(0.01));
  CHECK(mrpc.at(34) == doctest::Approx(1.80e-5).epsilon(0.01));
  CHECK_MENTIONS(error_of([] { Schedule::shape_named("step"); }), "cosine");
}
