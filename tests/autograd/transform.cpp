// vjp, jvp and hvp against plain formulas; checkpoint against the plain call: values, gradients of
// inputs and of what it captures, dropout, nesting, order 2.
#include "gradus/autograd/transform.h"

#include "gradus/autograd/engine.h"
#include "gradus/autograd/gradcheck.h"
#include "gradus/autograd/random.h"
#include "gradus/ops/ops.h"
#include "tests/support.h"

namespace gradus::testing {
namespace {

using Values = std::vector<double>;
Values values(const Tensor& x) { return x.defined() ? x.to_vector<double>() : Values{}; }
Tensor normal(const Shape& shape, uint64_t stream) {
  return random_normal(shape, 9, stream, DType::f64);
}
void check_close(const Tensor& a, const Tensor& b) {
  REQUIRE(a.defined());
  REQUIRE(b.defined());
  REQUIRE(a.shape() == b.shape());
  const Values u = values(a), v = values(b);
  for (size_t i = 0; i < u.size(); ++i) CHECK(u[i] == doctest::Approx(v[i]).epsilon(1e-12));
}

}  // namespace

TEST_CASE("vjp: dys^T J of a linear map and of tanh") {
  const Tensor a = normal({3, 4}, 1), x = normal({4, 1}, 2), dy = normal({3, 1}, 3);
  const Vjp linear = vjp([&](Inputs in) { return Tensors{matmul(a, in[0])}; }, {x}, {dy});
  check_close(linear.ys[0], matmul(a, x));
  check_close(linear.dxs[0], matmul(transpose(a), dy));
  const Vjp curved =
      vjp([](Inputs in) { return Tensors{tanh(in[0])}; }, {dy}, {ones({3, 1}, DType::f64)});
  check_close(curved.dxs[0], 1 - square(tanh(dy)));
  CHECK_FALSE(curved.ys[0].requires_grad());
}

TEST_CASE(
    "jvp: J dx, by plain formulas, with several inputs and outputs and one that does not depend") {
  const Tensor x = normal({3}, 1), y = normal({3}, 2), dx = normal({3}, 3), dy = normal({3}, 4);
  const Jvp result = jvp(
      [&](Inputs in) {
        return Tensors{in[0] * in[1], sin(in[0]), y * 2};
      },
      {x, y}, {dx, dy});
  check_close(result.dys[0], x * dy + y * dx);
  check_close(result.dys[1], cos(x) * dx);
  CHECK(values(result.dys[2]) == Values{0, 0, 0});
  const Jvp fused = jvp([](Inputs in) { return Tensors{softmax(in[0])}; }, {x}, {dx});
  const Tensor p = softmax(x);
  check_close(fused.dys[0], p * (dx - sum(p * dx)));
}

TEST_CASE("hvp: of a quadratic form, of x^4, of a linear function") {
  const Tensor a = normal({3, 3}, 1), x = normal({3, 1}, 2), v = normal({3, 1}, 3);
  check_close(hvp([&](Inputs in) { return sum(in[0] * matmul(a, in[0])); }, {x}, {v})[0],
              matmul(a + transpose(a), v));
  check_close(hvp([](Inputs in) { return sum(pow(in[0], 4)); }, {x}, {v})[0], square(x) * v * 12.0);
  check_close(hvp([](Inputs in) { return sum(in[0] * 3.0); }, {x}, {v})[0], x * 0.0);
}

TEST_CASE(
    "checkpoint: values and gradients of the plain call; captured leaves and activations get "
    "theirs") {
  const Tensor x = normal({2, 3}, 1).set_requires_grad(), w = normal({3, 3}, 2).set_requires_grad(),
               b = normal({3}, 3).set_requires_grad();
  const auto loss = [&](bool checkpointed) {
    // both captured, one made from the other
    const Tensor activation = tanh(w * 2.0), deeper = activation * b;
    const Function f = [=](Inputs in) {
      return Tensors{layer_norm(matmul(in[0], activation) + b, b, b, 1e-3) * sum(deeper),
                     in[0] * in[0]};
    };
    const Tensors ys = checkpointed ? checkpoint(f, {x * 3.0}) : f({x * 3.0});
    return sum(ys[0] * ys[0]) + sum(ys[1] * x);
  };
  CHECK(loss(true).item() == loss(false).item());
  const Tensors plain = grad(loss(false), {x, w, b}), checkpointed = grad(loss(true), {x, w, b});
  for (size_t i = 0; i < plain.size(); ++i) check_close(checkpointed[i], plain[i]);
  backward(loss(true));
  check_close(x.grad(), plain[0]);
  check_close(w.grad(), plain[1]);
  check_close(b.grad(), plain[2]);
}

TEST_CASE("checkpoint: an input that is captured as well, given twice, or returned") {
  const Tensor x = normal({3}, 1).set_requires_grad();
  const auto both = [&](auto&& call) {
    return sum(call(
                   [&](Inputs in) {
                     return Tensors{in[0] * in[1] * x, x, in[0]};
                   },
                   Tensors{x, x})[0] *
               x);
  };
  const auto plainly = [](const Function& f, Inputs xs) { return f(xs); };
  check_close(grad(both(checkpoint), {x})[0], grad(both(plainly), {x})[0]);
  const Tensors ys = checkpoint([&](Inputs in) { return Tensors{x, in[0]}; }, {x * 2.0});
  check_close(grad(sum(ys[0]) + sum(ys[1]), {x})[0], full({3}, 3, DType::f64));
  CHECK(x.is_leaf());
}

TEST_CASE("checkpoint: dropout draws the same again, also in modules of their own") {
  const Tensor x = normal({4, 8}, 1).set_requires_grad();
  const auto run = [&](bool checkpointed) {
    const RandomScope random(3, 5);
    const Scope outer("layer", 1);
    const Function f = [](Inputs in) {
      const Scope inner("output");
      return Tensors{dropout(tanh(dropout(in[0], 0.5)), 0.3)};
    };
    const Tensor y = sum(square((checkpointed ? checkpoint(f, {x}) : f({x}))[0]) * dropout(x, 0.4));
    const RandomScope elsewhere(8, 9);  // backward runs wherever it runs
    const Scope outside("somewhere");
    return std::pair(y.item(), grad(y, {x})[0]);
  };
  const auto [value, gradient] = run(false);
  const auto [value_again, gradient_again] = run(true);
  CHECK(value == value_again);
  CHECK(values(gradient) == values(gradient_again));
}

TEST_CASE("checkpoint: nested, and differentiated twice") {
  const Tensor w = normal({3}, 2).set_requires_grad();
  const Function inner = [&](Inputs in) { return Tensors{tanh(in[0] * w)}; };
  const Function outer = [&](Inputs in) {
    return Tensors{checkpoint(inner, {in[0] * in[0]})[0] * w};
  };
  const Function plain = [&](Inputs in) { return Tensors{inner({in[0] * in[0]})[0] * w}; };
  const Tensor x = normal({3}, 3).set_requires_grad();
  const auto second = [&](const Tensor& y) {
    const Tensors first = grad(sum(y), {x, w}, {.create_graph = true});
    Tensors all = grad(sum(square(first[0])) + sum(first[1]), {x, w});
    all.insert(all.end(), first.begin(), first.end());
    return all;
  };
  const Tensors expected = second(plain({x})[0]), found = second(checkpoint(outer, {x})[0]);
  for (size_t i = 0; i < expected.size(); ++i) check_close(found[i], expected[i]);
  const auto result =
      gradcheck([&](Inputs in) { return checkpoint(outer, in); }, {normal({3}, 4)}, {.order = 2});
  CHECK_MESSAGE(result.ok, result.log);
}

TEST_CASE("checkpoint: keeps its inputs only, and passes errors on") {
  const Tensor x = normal({100}, 1).set_requires_grad();
  const Tensor y =
      checkpoint([](Inputs in) { return Tensors{exp(tanh(exp(tanh(in[0]))))}; }, {x})[0];
  CHECK(y.get().node->saved_bytes() == 800);
  CHECK_THROWS_AS(checkpoint([](Inputs in) { return Tensors{in[0] + ones({7}, DType::f64)}; }, {x}),
                  Error);
  CHECK(values(grad(sum(x * x), {x})[0]).size() == 100);  // and leaves nothing switched
}

}  // namespace gradus::testing
