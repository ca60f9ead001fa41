// Optimizers and schedules against torch, transformers and transcribed formulas:
// tests/fixtures/optimizer_cases.json says which versions made it.
#include <cmath>
#include <cstring>
#include <functional>

#include "gradus/base/file.h"
#include "gradus/base/json.h"
#include "gradus/ops/ops.h"
#include "gradus/optim/optimizers.h"
#include "gradus/optim/schedule.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

const std::vector<std::string> shipped = optimizer_names();  // before a test registers its own

nlohmann::json cases() {
  return nlohmann::json::parse(read_file(std::filesystem::path(GRADUS_SOURCE_ROOT) / "tests" /
                                         "fixtures" / "optimizer_cases.json"));
}

// make_optimizer_cases.py's start() and gradient().
Tensor filled(const Shape& shape, const std::function<double(double)>& value) {
  std::vector<float> values;
  for (int64_t i = 0; i < shape.numel(); ++i)
    values.push_back(static_cast<float>(value(static_cast<double>(i))));
  return from_vector(values, shape);
}

struct Model {
  std::vector<std::pair<std::string, Tensor>> all;
  Model() {
    for (const auto& [name, shape] :
         {std::pair<const char*, Shape>{"a.weight", {3, 2}}, {"a.bias", {3}}, {"b.weight", {2, 4}}})
      all.emplace_back(name, filled(shape, [&, n = std::strlen(name)](double i) {
                               return 0.5 * std::cos(1.7 * i + static_cast<double>(n));
                             }).set_requires_grad());
  }
  void parts(Parts& p) {
    for (auto& [name, tensor] : all) p(name, tensor);
  }
};

}  // namespace

TEST_CASE("100 steps of every optimizer end where the reference ends, to 1e-6") {
  const auto expected = cases();
  for (const auto& [name, parameters_after] : expected.at("optimizers").items()) {
    Model model;
    const double rate = expected.at("learning_rate"), decay = expected.at("weight_decay");
    const std::unique_ptr<Optimizer> optimizer =
        name == "muon, original scale"
            ? std::make_unique<Muon>(model, MuonOptions{.learning_rate = rate,
                                                        .weight_decay = decay,
                                                        .adamw_learning_rate = rate / 10})
            : make_optimizer(name, model, {rate, decay});
    for (int step = 1; step <= expected.at("steps"); ++step) {
      // a linear function of the parameters, whose gradient is the wanted one
      Tensor loss = scalar(0);
      for (const auto& [parameter, tensor] : model.all) {
        const auto offset = 0.37 * step + static_cast<double>(parameter.size());
        loss = loss + sum(tensor * filled(tensor.shape(), [&](double i) {
                            return std::sin(0.9 * i + offset) * (1 + i) * 0.1;
                          }));
      }
      backward(loss);
      optimizer->step();
    }
    for (const auto& [parameter, tensor] : model.all) {
      const auto ours = tensor.to_vector<double>(),
                 theirs = parameters_after.at(parameter).get<std::vector<double>>();
      // a structured binding cannot go into the check's lambda (Clang 14)
      const std::string place = name + " " + parameter;
      for (size_t i = 0; i < ours.size(); ++i)
        CHECK_MESSAGE(std::abs(ours[i] - theirs[i]) < 1e-6, place, " ", i, ": ", ours[i], " ",
                      theirs[i]);
    }
  }
  for (const std::string& name : shipped) CHECK(expected.at("optimizers").contains(name));
}

TEST_CASE("every schedule gives the reference's rate at every step") {
  const auto expected = cases();
  for (const auto& schedule : expected.at("schedules").items())
    for (int64_t step = 0; step <= 110; ++step) {
      const double ours = Schedule{Schedule::shape_named(schedule.key()), 1.0, 10, 110}.at(step);
      CHECK_MESSAGE(
          std::abs(ours - schedule.value()[static_cast<size_t>(step)].get<double>()) < 1e-12,
          schedule.key(), " at ", step);
    }
}
