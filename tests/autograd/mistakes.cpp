// gradcheck as a teacher: each mistake that people make in a backward, built the way they build it,
// is found, and called by its name.
#include <cmath>

#include "tests/autograd/student.h"

namespace gradus::testing {
namespace {

struct InPlace : Op<InPlace> {
  static constexpr const char* name = "in_place";
  Tensors forward(Inputs in) override { return {in[0] * 3.0}; }
  Tensors backward(const Tensors& dys) override {
    Tensor dy = dys[0].detach();
    auto* g = dy.write<double>();
    for (int64_t i = 0; i < dy.numel(); ++i) g[i] *= 3;
    return {dy};
  }
};

struct Overwrites : Op<Overwrites> {
  static constexpr const char* name = "overwrites";
  Tensors forward(Inputs in) override {
    save({in[0]});
    Tensor x = in[0].detach(), y = clone(x);
    x.write<double>()[0] = 0;  // "scratch"
    return {y * 2.0};
  }
  Tensors backward(const Tensors& dys) override { return {dys[0] * 2.0}; }
};

}  // namespace

TEST_CASE("gradcheck: sign, factor, and both") {
  const auto by = [](double factor) {
    return check(
        [](Inputs in) { return square(in[0]); },
        [=](Inputs in, const Tensor&, const Tensor& dy) { return Tensors{dy * in[0] * factor}; },
        {normal({2, 3})});
  };
  CHECK(by(2));
  check_says(by(-2), {"the likeliest mistake: the sign: it is -1 times"});
  check_says(by(1), {"the likeliest mistake: a factor: it is 0.5 times"});
  check_says(by(-6), {"the likeliest mistake: sign and factor: it is -3 times"});
}

TEST_CASE("gradcheck: the worst entry is told by its index, with its shape and both values") {
  const auto result = check([](Inputs in) { return in[0] * 2.0; },
                            [](Inputs, const Tensor&, const Tensor& dy) {
                              auto values = (dy * 2.0).to_vector<double>();
                              values[5] += 1;
                              return Tensors{from_vector(values, dy.shape())};
                            },
                            {normal({2, 4}).set_name("x")});
  check_says(result, {"d/d x", "[2, 4]", "WRONG: 1 of 8 entries", "the worst at [1, 1]", "analytic",
                      "numeric", "none that is simple", "in the backward of student"});
}

TEST_CASE("gradcheck: transposed, W for its transpose, exchanged inputs") {
  const Formula product = [](Inputs in) { return matmul(in[0], in[1]); };
  const Tensor x = normal({3, 3}, 1), w = normal({3, 3}, 2);
  check_says(check(product,
                   [](Inputs in, const Tensor&, const Tensor& dy) {
                     return Tensors{matmul(dy, transpose(in[1])), matmul(transpose(dy), in[0])};
                   },
                   {x, w}),
             {"d/d input 1: the likeliest mistake: transposed", "axes 0 and 1 exchanged"});
  check_says(
      check(product,
            [](Inputs in, const Tensor&, const Tensor& dy) {
              return Tensors{matmul(dy, in[1]), matmul(transpose(in[0]), dy)};
            },
            {x, w}),
      {"d/d input 0: the likeliest mistake: W for its transpose", "input 1 [3, 3] transposed"});
  // from the left, and in the middle of a graph
  check_says(gradcheck(
                 [&](Inputs in) {
                   return Tensors{
                       tanh(student([](Inputs a) { return matmul(a[1], a[0]); },
                                    [](Inputs a, const Tensor&, const Tensor& dy) {
                                      return Tensors{matmul(a[1], dy), matmul(dy, transpose(a[0]))};
                                    })({sin(in[0]), in[1]})[0])};
                 },
                 {normal({3, 2}, 1), w}),
             {"the backward of student is wrong by its input 0", "W for its transpose"});
  // a wrong layout in memory, of the right shape
  check_says(check([](Inputs in) { return matmul(in[0], in[1]); },
                   [](Inputs in, const Tensor&, const Tensor& dy) {
                     return Tensors{matmul(dy, transpose(in[1])),
                                    reshape(matmul(transpose(dy), in[0]), in[1].shape())};
                   },
                   {normal({4, 3}, 1), normal({3, 2}, 2)}),
             {"transposed", "[2, 3] laid out in the memory of [3, 2]"});
  check_says(check([](Inputs in) { return in[0] * in[1]; },
                   [](Inputs in, const Tensor&, const Tensor& dy) {
                     return Tensors{dy * in[0], dy * in[1]};
                   },
                   {normal({4}, 1), normal({4}, 2)}),
             {"exchanged: it is the gradient by input 1"});
}

TEST_CASE("gradcheck: a missing sum over the broadcast axis") {
  const Formula with_bias = [](Inputs in) { return in[0] + in[1]; };
  const Tensor x = normal({4, 3}, 1), b = normal({3}, 2);
  const auto bias_gradient = [&](const std::function<Tensor(const Tensor&)>& db) {
    return check(with_bias,
                 [=](Inputs, const Tensor&, const Tensor& dy) {
                   return Tensors{dy, db(dy)};
                 },
                 {x, b});
  };
  CHECK(bias_gradient([](const Tensor& dy) { return dy; }));  // the engine sums
  CHECK(bias_gradient([](const Tensor& dy) { return sum(dy, {0}); }));
  check_says(bias_gradient([](const Tensor& dy) { return reshape(slice(dy, 0, 0, 1), {3}); }),
             {"d/d input 1", "a missing sum over the broadcast axis 0 of dy [4, 3]",
              "the engine sums over broadcast axes by itself"});
  check_says(bias_gradient([](const Tensor& dy) { return mean(dy, 0); }),
             {"the mean over the 4 rows", "0.25 times", "return dy as it is"});
  // a gradient that does not fit is an Error of the engine's, and the check fails with its words
  check_says(bias_gradient([](const Tensor& dy) { return sum(dy, {1}); }),
             {"backward throws", "student", "[4]", "[3]", "the engine sums over broadcast axes"});
}

TEST_CASE("gradcheck: a gradient of the transposed shape, and one that is summed too far") {
  check_says(check([](Inputs in) { return matmul(in[0], transpose(in[1])); },
                   [](Inputs in, const Tensor&, const Tensor& dy) {
                     return Tensors{matmul(dy, in[1]), matmul(transpose(in[0]), dy)};
                   },
                   {normal({4, 3}, 1), normal({2, 3}, 2)}),
             {"backward throws", "[3, 2]", "its input 1 [2, 3]", "transposed"});
  check_says(
      check(triple,
            [](Inputs, const Tensor&, const Tensor& dy) { return Tensors{sum(dy * 3.0, {0})}; },
            {normal({4, 3})}),
      {"backward throws", "[3]", "[4, 3]", "summed too far"});
}

TEST_CASE("gradcheck: masks: zero where the truth is not, the other way round, and forgotten") {
  const auto relu_with = [](const std::function<Tensor(const Tensor& x, const Tensor& dy)>& dx) {
    return check([](Inputs in) { return relu(in[0]); },
                 [=](Inputs in, const Tensor&, const Tensor& dy) { return Tensors{dx(in[0], dy)}; },
                 {tensor({-2, -1.5, -0.5, 0.25, 0.5, 1.5, 2.5}, DType::f64)});
  };
  const Tensor zero = zeros({}, DType::f64), one = ones({}, DType::f64);
  CHECK(
      relu_with([=](const Tensor& x, const Tensor& dy) { return where(less(zero, x), dy, zero); }));
  check_says(
      relu_with([=](const Tensor& x, const Tensor& dy) { return where(less(one, x), dy, zero); }),
      {"WRONG: 2 of 7", "a mask: 2 entries are zero where the truth is not"});
  check_says(
      relu_with([=](const Tensor& x, const Tensor& dy) { return where(less(x, zero), dy, zero); }),
      {"the mask is the other way round"});
  check_says(relu_with([=](const Tensor&, const Tensor& dy) { return dy; }),
             {"a missing mask: the truth is zero at 3 entries"});
}

TEST_CASE("gradcheck: a missing mean subtraction, as of softmax, log_softmax and layer_norm") {
  const Tensor x = normal({3, 4});
  check_says(check([](Inputs in) { return softmax(in[0]); },
                   [](Inputs, const Tensor& y, const Tensor& dy) { return Tensors{y * dy}; }, {x}),
             {"a missing mean subtraction", "along axis 1", "softmax's - y sum(dy y)"});
  check_says(check([](Inputs in) { return log_softmax(in[0]); },
                   [](Inputs, const Tensor&, const Tensor& dy) { return Tensors{dy}; }, {x}),
             {"a missing mean subtraction", "log_softmax's - exp(y) sum(dy)"});
  check_says(check([](Inputs in) { return in[0] - mean(in[0], -1, {.keep_axes = true}); },
                   [](Inputs, const Tensor&, const Tensor& dy) { return Tensors{dy}; }, {x}),
             {"a missing mean subtraction", "one constant", "mean (or sum) of dy"});
  const auto row_mean = [](const Tensor& t) { return mean(t, -1, {.keep_axes = true}); };
  const auto norm_with = [&](bool subtract_mean, bool subtract_slope) {
    return check(
        [=](Inputs in) {
          const Tensor c = in[0] - row_mean(in[0]);
          return c * rsqrt(row_mean(square(c)) + 1e-5);
        },
        [=](Inputs in, const Tensor& y, const Tensor& dy) {
          const Tensor c = in[0] - row_mean(in[0]), rstd = rsqrt(row_mean(square(c)) + 1e-5);
          Tensor g = dy;
          if (subtract_mean) g = g - row_mean(dy);
          if (subtract_slope) g = g - y * row_mean(dy * y);
          return Tensors{g * rstd};
        },
        {x});
  };
  CHECK(norm_with(true, true));
  check_says(norm_with(false, true), {"a missing mean subtraction", "one constant"});
  check_says(norm_with(true, false), {"a missing mean subtraction", "a multiple of y"});
}

TEST_CASE("gradcheck: y was saved where x was meant, and the other way round; a forgotten factor") {
  const Tensor x = normal({5});
  check_says(
      check([](Inputs in) { return sin(in[0]); },
            [](Inputs, const Tensor& y, const Tensor& dy) { return Tensors{dy * cos(y)}; }, {x}),
      {"y for x: it is the derivative at y = f(x)"});
  check_says(check([](Inputs in) { return tanh(in[0]); },
                   [](Inputs in, const Tensor&, const Tensor& dy) {
                     return Tensors{dy * (1 - square(in[0]))};
                   },
                   {x}),
             {"x for y", "was x saved for y?"});
  check_says(check([](Inputs in) { return exp(in[0]); },
                   [](Inputs, const Tensor&, const Tensor& dy) { return Tensors{dy}; }, {x}),
             {"a factor: the right one is it, times the output y"});
  check_says(
      check([](Inputs in) { return sin(in[0]); },
            [](Inputs in, const Tensor&, const Tensor&) { return Tensors{cos(in[0])}; }, {x}),
      {"dy is missing"});
}

TEST_CASE("gradcheck: a backward that writes into dy, also where the gradient comes out right") {
  check_says(gradcheck([](Inputs in) { return apply<InPlace>(in); }, {normal({4})}),
             {"the backward of in_place writes into the dy", "in place on dy"});
  // the residual, whose dy it spoils for the other side
  check_says(gradcheck([](Inputs in) { return Tensors{apply<InPlace>(in)[0] + sin(in[0])}; },
                       {normal({4})}),
             {"in place on dy", "WRONG: 4 of 4"});
}

TEST_CASE("gradcheck: an op that writes into its input") {
  check_says(gradcheck([](Inputs in) { return apply<Overwrites>(in); }, {normal({4})}),
             {"the forward of overwrites writes into its input 0 [4]"});
  check_says(gradcheck([](Inputs in) { return apply<Overwrites>({in[0] * 2.0}); }, {normal({4})}),
             {"the forward of overwrites writes into its input 0 [4]"});
}

TEST_CASE("gradcheck: a cut path: detach, an undefined gradient, a backward of loops at order 2") {
  check_says(
      gradcheck(
          [](Inputs in) {
            return Tensors{sin(in[0].detach()), in[1]};
          },
          {normal({3}), normal({2})}),
      {"d/d input 0: the likeliest mistake: the path is cut: nothing leads from the outputs"});
  check_says(check([](Inputs in) { return in[0] * in[1]; },
                   [](Inputs in, const Tensor&, const Tensor& dy) {
                     return Tensors{dy * in[1], Tensor()};
                   },
                   {normal({3}), normal({3}, 1)}),
             {"d/d input 1: the likeliest mistake: the path is cut: it returned no gradient",
              "in the backward of student"});
  const auto loops = [](int order) {
    return check([](Inputs in) { return sin(in[0]); },
                 [](Inputs in, const Tensor&, const Tensor& dy) {
                   auto g = dy.to_vector<double>();
                   const auto x = in[0].to_vector<double>();
                   for (size_t i = 0; i < g.size(); ++i) g[i] *= std::cos(x[i]);
                   return Tensors{from_vector(g, dy.shape())};
                 },
                 {normal({3})}, {.order = order});
  };
  CHECK(loops(1));
  check_says(loops(2), {"order 2  d/d input 0", "the path is cut: what the backward of student",
                        "no history", "`reference`"});
}

TEST_CASE("gradcheck: f32 rounding, by a cast, in a forward's loop, and in a backward's") {
  check_says(
      gradcheck([](Inputs in) { return Tensors{cast(cast(in[0], DType::f32) * 3.0, DType::f64)}; },
                {normal({5})}),
      {"f32 rounding: the outputs move in steps", "cast runs in f32"});
  const auto rounded = [](const Tensor& x) {
    auto values = x.to_vector<double>();
    for (double& v : values) v = static_cast<double>(static_cast<float>(v));
    return from_vector(values, x.shape());
  };
  check_says(
      check([=](Inputs in) { return rounded(sin(in[0])); },
            [](Inputs in, const Tensor&, const Tensor& dy) { return Tensors{dy * cos(in[0])}; },
            {normal({5})}),
      {"f32 rounding: the outputs move in steps"});
  check_says(check([=](Inputs in) { return sin(in[0]); },
                   [=](Inputs in, const Tensor&, const Tensor& dy) {
                     return Tensors{rounded(dy * cos(in[0]))};
                   },
                   {normal({5})}),
             {"WRONG", "f32 rounding: all its values are numbers of f32"});
}

}  // namespace gradus::testing
