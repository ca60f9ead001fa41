// vjp, jvp, hvp and grad of functions that capture a layer: its parameters count as constants, and
// every derivative by the arguments is right.
#include "gradus/autograd/engine.h"
#include "gradus/autograd/transform.h"
#include "gradus/nn/layers.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

struct Net {
  Linear a{3, 4}, b{4, 2};
  LayerNorm norm{4};
  Tensor operator()(const Tensor& x) const { return b(tanh(norm(a(x)))); }
  void parts(Parts& p) {
    p("a", a);
    p("b", b);
    p("norm", norm);
  }
};
Net net() {
  Net made;
  initialize(made, Normal{0.7}, 4);
  return clone(made, DType::f64);
}
Tensor normal(const Shape& shape, uint64_t stream) {
  return random_normal(shape, 3, stream, DType::f64);
}
void check_near(const Tensor& a, const Tensor& b, double within) {
  REQUIRE(a.defined());
  REQUIRE(a.shape() == b.shape());
  CHECK(norm(a.detach() - b.detach()) < within * (1 + norm(b.detach())));
  CHECK_FALSE(a.requires_grad());
}
const double h = 1e-5;

}  // namespace

TEST_CASE("vjp, jvp and hvp of a function that captures a layer agree with differences") {
  Net layer = net();
  const Function f = [&](Inputs in) { return Tensors{layer(in[0])}; };
  const Tensor x = normal({5, 3}, 1), dx = normal({5, 3}, 2), dy = normal({5, 2}, 3);
  const auto difference = [&](const auto& of) {
    return (of(x + dx * h) - of(x - dx * h)) / (2 * h);
  };
  const NoGrad outside;  // they record by themselves

  const Jvp forward = jvp(f, {x}, {dx});
  check_near(forward.ys[0], layer(x), 1e-14);
  check_near(forward.dys[0], difference([&](const Tensor& at) { return layer(at); }), 1e-8);
  const Vjp backwards = vjp(f, {x}, {dy});
  CHECK(sum(backwards.dxs[0] * dx).item() == doctest::Approx(sum(forward.dys[0] * dy).item()));
  const auto loss = [&](Inputs in) { return sum(layer(in[0]) * dy); };
  check_near(hvp(loss, {x}, {dx})[0],
             difference([&](const Tensor& at) { return vjp(f, {at}, {dy}).dxs[0]; }), 1e-8);
  for (const Parameter& p : parameters(layer)) CHECK_FALSE(p.leaf.grad().defined());
}

TEST_CASE("the derivative by what is captured as well is that by the argument alone") {
  const Tensor w = normal({3}, 1).set_requires_grad(), v = normal({3}, 2), dy = normal({3}, 3);
  // w twice: as the argument, and captured
  const Function f = [&](Inputs in) { return Tensors{in[0] * in[0] * w}; };
  check_near(vjp(f, {w}, {dy}).dxs[0], dy * w * w * 2.0, 1e-14);
  check_near(jvp(f, {w}, {v}).dys[0], v * w * w * 2.0, 1e-14);
  check_near(hvp([&](Inputs in) { return sum(f(in)[0]); }, {w}, {v})[0], v * w * 2.0, 1e-14);
  CHECK_FALSE(w.grad().defined());
}

TEST_CASE("a function that is linear in its argument, or does not depend on it, has zeros") {
  Net layer = net();
  const Tensor x = normal({2, 3}, 1), v = normal({2, 3}, 2), dy = normal({2, 4}, 3);
  // the gradient by x is made from parameters that want one, and does not depend on x
  check_near(hvp([&](Inputs in) { return sum(layer.a(in[0]) * dy); }, {x}, {v})[0], x * 0.0, 1e-14);
  const auto constant = [&](Inputs) { return Tensors{layer.a(x)}; };
  check_near(vjp(constant, {x}, {dy}).dxs[0], x * 0.0, 1e-14);
  check_near(jvp(constant, {x}, {v}).dys[0], dy * 0.0, 1e-14);
  check_near(hvp([&](Inputs) { return sum(layer.a(x)); }, {x}, {v})[0], x * 0.0, 1e-14);
  const auto itself = [&](Inputs) { return Tensors{layer.a.weight}; };
  check_near(jvp(itself, {x}, {v}).dys[0], layer.a.weight.detach() * 0.0, 1e-14);
}

TEST_CASE("what is captured may have a history, even one that was freed, and FirstOrderOnly hold") {
  Net layer = net();
  const Tensor x = normal({2, 3}, 1), v = normal({2, 3}, 2), w = normal({2, 3}, 5);
  const Tensor leaf = normal({2, 3}, 3).set_requires_grad(), captured = tanh(leaf);
  backward(sum(captured));  // frees what tanh saved
  const FirstOrderOnly first_order;
  const auto f = [&](Inputs in) { return sum(layer.norm(layer.a(in[0])) * sum(captured * w)); };
  const double factor = sum(tanh(leaf.detach()) * w).item();
  const auto alone = [&](Inputs in) { return sum(layer.norm(layer.a(in[0])) * factor); };
  check_near(hvp(f, {x}, {v})[0], hvp(alone, {x}, {v})[0], 1e-12);
}

TEST_CASE("grad by an input and by a parameter that a layer holds") {
  Net layer = net();
  const Tensor x = normal({2, 3}, 1).set_requires_grad();
  const Tensor y = sum(square(layer(x)));
  const Tensors found = grad(y, {x, layer.b.bias}, {.keep_graph = true});
  check_near(found[1], sum(layer(x).detach() * 2.0, {0}), 1e-12);
  backward(y);
  CHECK(norm(found[0] - x.grad()) == 0);
  CHECK(norm(found[1] - layer.b.bias.grad()) == 0);
}

TEST_CASE("directions that do not fit are errors that say so") {
  const Tensor x = ones({2, 3}), v = ones({3, 2});
  const Function f = [](Inputs in) { return Tensors{in[0] * 2.0}; };
  CHECK_MENTIONS(error_of([&] { jvp(f, {x}, {}); }), "jvp", "1 inputs, and 0");
  CHECK_MENTIONS(error_of([&] { jvp(f, {x}, {v}); }), "jvp", "[2, 3]", "[3, 2]");
  CHECK_MENTIONS(error_of([&] { vjp(f, {x}, {v}); }), "vjp", "[3, 2]");
  CHECK_MENTIONS(error_of([&] { hvp([&](Inputs in) { return f(in)[0]; }, {x}, {x}); }), "scalar",
                 "[2, 3]");
}
