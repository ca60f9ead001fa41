// What gradcheck checks and what it refuses: where nothing was checked, nothing is ok.
// (mistakes.cpp has what it says of wrong backwards.)
#include <omp.h>

#include <cmath>

#include "gradus/autograd/engine.h"
#include "gradus/base/parallel.h"
#include "tests/autograd/student.h"

namespace gradus::testing {
namespace {

struct ByIdentity : Op<ByIdentity> {
  static constexpr const char* name = "by_identity";
  bool same = false;
  Tensors forward(Inputs in) override {
    same = in[0].same(in[1]);
    save({in[0], in[1]});
    return {in[0] * in[1]};
  }
  Tensors backward(const Tensors& dys) override {
    if (same) return {dys[0] * saved(0) * 2.0, dys[0] * saved(0) * 2.0};
    return {dys[0] * saved(1), dys[0] * saved(0)};
  }
};

struct Swish : Fused<Swish> {
  static constexpr const char* name = "swish";
  double forward_factor, backward_factor;
  Swish(double f, double b) : forward_factor(f), backward_factor(b) {}
  Tensors reference(Inputs in) const { return {in[0] * sigmoid(in[0])}; }
  Tensors forward(Inputs in) override {
    save({in[0]});
    return {in[0] * sigmoid(in[0]) * forward_factor};
  }
  Tensors backward(const Tensors& dys) override {
    const Tensor s = sigmoid(saved(0));
    return {dys[0] * s * (1 + saved(0) * (1 - s)) * backward_factor};
  }
};

}  // namespace

TEST_CASE("gradcheck: the op that is wrong by 5/3 is found in f64, in f32 and by default") {
  const Function wrong = student(triple, times_five);
  for (const DType dtype : {DType::f64, DType::f32}) {
    const auto result = gradcheck(wrong, {random_normal({3}, 1, 0, dtype)}, {.order = 2});
    check_says(result, {"WRONG: 3 of 3 entries", "1.667 times", "student"});
  }
  check_says(gradcheck(wrong, {tensor({1, 2, 3})}), {"input 0 [3] is f32; it is checked in f64"});
  // on the f32 one of two inputs
  check_says(gradcheck([&](Inputs in) { return Tensors{wrong({in[1]})[0] * in[0]}; },
                       {normal({3}), tensor({1, 2, 3})}),
             {"d/d input 1", "1.667 times"});
  const auto right = gradcheck([](Inputs in) { return Tensors{in[0] * in[0]}; },
                               {tensor({1, 2, 3})}, {.order = 2});
  CHECK_MESSAGE(right.ok, right.log);
  CHECK(right.checked == 9);  // order 2: by x and by dy
}

TEST_CASE("gradcheck: where nothing was checked, nothing is ok, and the log says what is missing") {
  const auto nothing = [](const Function& f, Inputs xs, const std::string& why) {
    const auto result = gradcheck(f, xs, {.order = 2});
    check_says(result, {"nothing was checked", why});
    CHECK(result.checked == 0);
  };
  nothing([](Inputs) { return Tensors{scalar(1, DType::f64)}; }, {}, "there is no input");
  nothing([](Inputs in) { return Tensors{cast(in[0], DType::f64)}; }, {arange(3)},
          "no input is a float tensor (given: i64 [3])");
  nothing([](Inputs in) { return Tensors{argmax(in[0], 0)}; }, {normal({3})}, "no f64 output");
  nothing([](Inputs in) { return Tensors{in[0] * 2.0}; }, {normal({0, 3})},
          "no input has an element");
  nothing([](Inputs in) { return Tensors{slice(in[0], 0, 0, 0)}; }, {normal({3})},
          "no output has an element");
  const Tensor c = normal({2});
  nothing([=](Inputs) { return Tensors{c * 2.0}; }, {normal({3})}, "no output depends on anything");
  check_says(
      gradcheck([](Inputs in) { return Tensors{cast(in[0], DType::f32) * 2.0}; }, {normal({3})}),
      {"output 0 [3] is f32", "leave out the cast"});
}

TEST_CASE("gradcheck: a captured leaf is checked in place and put back; in f32 it is refused") {
  Tensor w = normal({2, 3}, 1).set_requires_grad().set_name("w");
  const auto before = w.to_vector<double>();
  const Tensor saver = sum(w * w);  // saved w for a backward that comes later
  // dW wrong by a factor of -3, dx right
  const Function f = [&](Inputs in) {
    return student([](Inputs a) { return matmul(a[0], transpose(a[1])); },
                   [](Inputs a, const Tensor&, const Tensor& dy) {
                     return Tensors{matmul(dy, a[1]), matmul(transpose(dy), a[0]) * -3.0};
                   })({in[0], w});
  };
  for (const int order : {1, 2}) {
    const auto result = gradcheck(f, {normal({4, 3}, 2)}, {.order = order});
    check_says(result, {"captures w [2, 3]", "d/d w", "WRONG: 6 of 6", "sign and factor",
                        "-3 times the right one", "in the backward of student"});
    CHECK(result.log.find("d/d input 0      [4, 3]     max") != std::string::npos);
    CHECK(w.to_vector<double>() == before);
  }
  CHECK_NOTHROW(backward(saver));
  // one of its evaluations throws: the leaf is put back
  int calls = 0;
  CHECK_THROWS_AS(gradcheck(
                      [&](Inputs in) {
                        if (++calls == 9) fail("enough");
                        return Tensors{matmul(in[0], transpose(w))};
                      },
                      {normal({4, 3}, 2)}),
                  Error);
  CHECK(w.to_vector<double>() == before);
  const auto right = gradcheck([&](Inputs in) { return Tensors{linear(in[0], w)}; },
                               {normal({4, 3}, 2)}, {.order = 2});
  CHECK_MESSAGE(right.ok, right.log);
  // captured activations count as given
  const Tensor activation = tanh(w * 2.0);
  const auto made =
      gradcheck([&](Inputs in) { return Tensors{linear(in[0], activation) * sum(w)}; },
                {normal({4, 3}, 2)}, {.order = 2});
  CHECK_MESSAGE(made.ok, made.log);
  CHECK_MENTIONS(made.log, "made by tanh");

  Tensor single = random_normal({2, 3}, 1).set_requires_grad().set_name("weight");
  for (const DType dtype : {DType::f32, DType::f64})
    check_says(
        gradcheck([&](Inputs in) { return Tensors{linear(in[0], single)}; },
                  {random_normal({4, 3}, 1, 0, dtype)}),
        {"captures a leaf that wants a gradient, f32 [2, 3] 'weight'", "gradcheck(layer, {x})"});
  check_says(gradcheck(
                 [&](Inputs in) {
                   return Tensors{cast(linear(cast(in[0], DType::f32), single), DType::f64)};
                 },
                 {normal({4, 3})}),
             {"cannot be checked in f32"});
}

TEST_CASE("gradcheck: at a kink a one-sided derivative is right, and the log says so") {
  const Tensor x = tensor({0, 1, -1, 1e-3}, DType::f64);
  for (const auto& f : std::vector<std::pair<std::string, Tensor (*)(const Tensor&)>>{
           {"relu", relu}, {"abs", abs}}) {
    const auto result =
        gradcheck([&](Inputs in) { return Tensors{f.second(in[0])}; }, {x}, {.order = 2});
    CHECK_MESSAGE(result.ok, f.first, "\n", result.log);
    CHECK_MENTIONS(result.log, " at a kink: the one-sided differences disagree");
  }
  check_says(
      check([](Inputs in) { return relu(in[0]); },
            [](Inputs in, const Tensor&, const Tensor& dy) {
              return Tensors{dy * where(less(abs(in[0]), full({}, 0.5, DType::f64)),
                                        full({}, 7, DType::f64),
                                        cast(less(zeros({}, DType::f64), in[0]), DType::f64))};
            },
            {tensor({0, 1, -1}, DType::f64)}),
      {"WRONG: 1 of 3", "the input lies on a kink", "neither"});
  // a small mistake of a smooth function is no kink
  check_says(check([](Inputs in) { return sin(in[0]); },
                   [](Inputs in, const Tensor&, const Tensor& dy) {
                     return Tensors{dy * cos(in[0]) * (1 + 1e-6)};
                   },
                   {normal({4})}),
             {"WRONG"});
}

TEST_CASE("gradcheck: a function of two results, one that is not finite, one that throws") {
  int calls = 0;
  check_says(gradcheck([&](Inputs in) { return Tensors{in[0] * double(++calls)}; }, {normal({3})}),
             {"two calls with the same inputs give two results", "not deterministic"});
  check_says(
      gradcheck([](Inputs in) { return Tensors{sqrt(in[0])}; }, {tensor({0, 1, 4}, DType::f64)}),
      {"WRONG: 1 of 3", "not finite"});
  CHECK_MENTIONS(error_of([] {
                   gradcheck(
                       [](Inputs in) {
                         return Tensors{in[0] + ones({2, 2})};
                       },
                       {tensor({{1, 2}, {3, 4}})});
                 }),
                 "gradcheck calls with f64");
}

TEST_CASE("gradcheck: one input given twice is tried with two, and two as one") {
  const Tensor x = normal({4});
  // with equal values the exchange would not show
  check_says(check([](Inputs in) { return in[0] * in[1]; },
                   [](Inputs in, const Tensor&, const Tensor& dy) {
                     return Tensors{dy * in[0], dy * in[1]};
                   },
                   {x, x}),
             {"input 1 is input 0 given twice", "exchanged"});
  // counts by identity: right for two, twice too much for one
  check_says(gradcheck([](Inputs in) { return apply<ByIdentity>(in); }, {x, normal({4}, 1)}),
             {"one tensor given as input 0 and as input 1", "by identity"});
}

TEST_CASE("gradcheck: a fused op whose forward, or backward, is not its reference") {
  const auto with = [](double f, double b, int order = 1) {
    return gradcheck([=](Inputs in) { return apply<Swish>(in, f, b); }, {normal({2, 3})},
                     {.order = order});
  };
  CHECK(with(1, 1, 2));
  check_says(with(1.5, 1), {"the forward of swish is not its reference", "6 of 6 entries",
                            "by the forward", "by the reference"});
  check_says(with(1, 2), {"a factor: it is 2 times", "its reference gives the right one",
                          "its own backward()"});
  check_says(with(1, 2, 2), {"a fused op's own backward and the derivative of its reference"});
}

TEST_CASE("gradcheck: runs on one thread, and leaves the number of threads as it was") {
  const Threads three(3);
  int inside = 0;
  CHECK(gradcheck(
      [&](Inputs in) {
        inside = omp_get_max_threads();
        return Tensors{in[0] * in[0]};
      },
      {normal({3})}));
  CHECK(inside == 1);
  CHECK(omp_get_max_threads() == 3);
}

TEST_CASE("gradcheck: of large inputs some entries, drawn by the seed; all where one is wrong") {
  const Tensor x = normal({40, 10});
  const auto some =
      gradcheck([](Inputs in) { return Tensors{tanh(in[0])}; }, x, {.order = 2, .max_entries = 25});
  CHECK(some);
  CHECK(some.checked == 3 * 25);
  CHECK_MENTIONS(some.log, "(25 of 400 entries)");
  CHECK_MENTIONS(some.summary(), "3 derivatives to order 2, 75 entries, worst ");
  CHECK_MENTIONS(some.summary(), ": ok");
  // wrong in every row
  const auto wrong =
      check([](Inputs in) { return in[0] * 3.0; },
            [](Inputs, const Tensor&, const Tensor& dy) { return Tensors{dy * 5.0}; }, {x},
            {.max_entries = 25});
  check_says(wrong, {"WRONG: 400 of 400 entries", "a factor: it is 1.667 times the right one"});
  CHECK(wrong.summary() == wrong.log);
}

TEST_CASE("gradcheck: a sharp function is differenced again with half the step, not called wrong") {
  // The first differences of sin(25 x) are off by (2e-3 25)^4 / 30, twice the tolerance; with half
  // the step by a sixteenth of that.
  const auto result =
      gradcheck([](Inputs in) { return Tensors{sin(in[0] * 25.0)}; }, tensor({0.1, 0.2, 0.3}));
  CHECK(result);
  CHECK(result.worst < 6e-8);
  const auto off = check([](Inputs in) { return sin(in[0] * 25.0); },
                         [](Inputs in, const Tensor&, const Tensor& dy) {
                           return Tensors{dy * cos(in[0] * 25.0) * 25.00001};
                         },
                         {normal({4})});
  CHECK_FALSE(off);
}

TEST_CASE("gradcheck: a derivative that is zero throughout is told; columns fit the longest name") {
  Tensor weight = zeros({3, 2}, DType::f64).set_requires_grad().set_name("attention.query.weight");
  const auto result =
      gradcheck([&](Inputs in) { return Tensors{matmul(in[0], weight)}; }, normal({2, 3}));
  CHECK(result);
  CHECK_MENTIONS(result.log, "d/d input 0                [2, 3]     max error");
  CHECK_MENTIONS(result.log, "d/d attention.query.weight [3, 2]     max error");
  CHECK_MENTIONS(result.log, "ok  (zero throughout: is the layer initialised?)");
}

}  // namespace gradus::testing
