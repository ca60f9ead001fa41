// The walk: total derivatives, what runs and what does not, keeping and freeing, leaves and their
// gradients, orders above one.
#include "gradus/autograd/engine.h"

#include <fmt/ranges.h>

#include "gradus/autograd/observer.h"
#include "gradus/autograd/random.h"
#include "gradus/ops/ops.h"
#include "tests/support.h"

namespace gradus::testing {
namespace {

Tensor leaf(std::initializer_list<Nested> values) {
  return tensor(values, DType::f64).set_requires_grad();
}
std::vector<double> values(const Tensor& x) { return x.to_vector<double>(); }
using Values = std::vector<double>;

// Two outputs, a + b and a b; its backward takes undefined gradients as zeros.
struct SumAndProduct : Op<SumAndProduct> {
  static constexpr const char* name = "sum_and_product";
  Tensors forward(Inputs in) override {
    save({in[0], in[1]});
    return {in[0] + in[1], in[0] * in[1]};
  }
  Tensors backward(const Tensors& dys) override {
    Tensors dxs(2);
    for (size_t i = 0; i < 2; ++i) {
      if (dys[1].defined()) dxs[i] = dys[1] * saved(1 - i);
      if (dys[0].defined()) dxs[i] = dxs[i].defined() ? dxs[i] + dys[0] : dys[0];
    }
    return dxs;
  }
};

struct Wrong : Op<Wrong> {
  static constexpr const char* name = "wrong_op";
  Tensors forward(Inputs in) override { return {clone(in[0])}; }
  Tensors backward(const Tensors&) override { return {}; }
};

struct CountBackward : Observer {
  std::vector<std::string> ran;
  void backward(const Node& node, const Tensors&, const Tensors&, double) override {
    ran.push_back(node.op());
  }
};

// A model of the kind that has destinations: linear, gelu, embedding, in f32.
Tensor small_loss(const Tensor& table, const Tensor& weight, const Tensor& bias) {
  const Tensor x = take(table, tensor({0, 2, 2, 1}, DType::i32));
  return mean(square(bias_gelu(linear(x, weight, bias), bias)));
}

}  // namespace

TEST_CASE("grad: total derivatives, also when one x depends on another, and of intermediates") {
  const Tensor x = leaf({2, 3}), a = x * x, y = sum(a * x);  // y = sum x^3
  const Tensors dxs = grad(y, {x, a, y}, {.keep_graph = true});
  CHECK(values(dxs[0]) == Values{12, 27});
  CHECK(values(dxs[1]) == Values{2, 3});
  CHECK(values(dxs[2]) == Values{1});
  CHECK_FALSE(x.grad().defined());
  CHECK_FALSE(grad(y, {leaf({1})})[0].defined());  // y does not depend on it
}

TEST_CASE("grad: only nodes that lead to an x run") {
  const Tensor x = leaf({1, 2}), w = leaf({3, 4});
  const Tensor y = sum(mul(x, 2) + exp(w));
  CountBackward count;
  grad(y, {x});
  CHECK(fmt::format("{}", fmt::join(count.ran, " ")) == "reshape sum add mul_scalar");
}

TEST_CASE("grad: an x given twice gets its gradient twice; a detached one gets none") {
  const Tensor x = leaf({5}), y = sum(x * x);
  const Tensors dxs = grad(y, {x, x, x.detach()});
  CHECK(values(dxs[0]) == Values{10});
  CHECK(values(dxs[1]) == Values{10});
  CHECK_FALSE(dxs[2].defined());
}

TEST_CASE("outputs: gradients that nobody asked for arrive undefined, for every output of an op") {
  const Tensor a = leaf({2}), b = leaf({5});
  for (const size_t used : {0, 1}) {
    const Tensors ys = apply<SumAndProduct>({a, b});
    const Tensors dxs = grad(sum(ys[used]), {a, b});
    CHECK(values(dxs[0]) == Values{used == 0 ? 1.0 : 5.0});
    CHECK(values(dxs[1]) == Values{used == 0 ? 1.0 : 2.0});
  }
  const Tensors ys = apply<SumAndProduct>({a, b});
  CHECK(values(grad({ys[0], ys[1]}, {Tensor(), ones({1}, DType::f64)}, {a},
                    {.keep_graph = true})[0]) == Values{5});
  CHECK(values(grad(sum(ys[0] * ys[1]), {a}, {.create_graph = true})[0]) ==
        Values{(2 + 5) * 5 + 10});
}

TEST_CASE("walk: backward one node at a time, newest first") {
  const Tensor x = leaf({1, 2}), loss = sum(exp(x) * x);
  Walk walk(loss);
  std::vector<std::string> ops;
  while (auto step = walk.next()) {
    ops.push_back(step.op());
    CHECK(step.dys[0].defined());
    CHECK(step.dxs.size() == step.node->edges().size());
  }
  CHECK(fmt::format("{}", fmt::join(ops, " ")) == "reshape sum mul exp");
  REQUIRE(walk.reached().size() == 1);
  CHECK(walk.reached()[0].same(x));
}

TEST_CASE("keep_graph: what nodes saved is freed after they ran, unless it is kept") {
  const Tensor x = leaf({3}), squares = square(x), y = sum(squares);
  const Node& node = *squares.get().node;
  backward(y, {.keep_graph = true});
  CHECK(node.saved_bytes() == 8);
  CHECK_FALSE(node.released());
  backward(y);
  CHECK(node.saved_bytes() == 0);
  CHECK(node.released());
  CHECK(values(x.grad()) == Values{12});
  const std::string text = error_of([&] { backward(y); });
  CHECK_MENTIONS(text, "backward ran already");
  CHECK_MENTIONS(text, "keep_graph");
}

TEST_CASE("backward: needs one element, a history, and gradients of the right shape") {
  const Tensor x = leaf({1, 2});
  CHECK_MENTIONS(error_of([&] { backward(x * x); }), "[2]");
  CHECK_MENTIONS(error_of([&] { backward(sum(x.detach())); }), "no history");
  CHECK_MENTIONS(error_of([&] { backward({x * x}, {ones({3}, DType::f64)}); }), "[3]");
}

TEST_CASE("create_graph: orders 2 and 3 of x^3, exp and a quotient") {
  const Tensor x = leaf({2});
  const auto derivative = [&](Tensor y, int order) {
    for (int i = 0; i < order; ++i) y = sum(grad(y, {x}, {.create_graph = true})[0]);
    return y.item();
  };
  CHECK(derivative(sum(x * x * x), 1) == 12);
  CHECK(derivative(sum(x * x * x), 2) == 12);
  CHECK(derivative(sum(x * x * x), 3) == 6);
  CHECK(derivative(sum(pow(x, 4)), 3) == doctest::Approx(48));
  CHECK(derivative(sum(exp(x)), 3) == doctest::Approx(std::exp(2.0)));
  CHECK(derivative(sum(1 - x / (x * x)), 3) == doctest::Approx(6.0 / 16));  // -1/x
  CHECK(derivative(sum(softmax(concat({x, x * x}, 0)) * tensor({1, 3}, DType::f64)), 2) != 0);
}

TEST_CASE("detach and NoGrad cut the graph") {
  const Tensor x = leaf({3});
  CHECK(values(grad(sum(x * x.detach()), {x})[0]) == Values{3});
  Tensor y;
  {
    const NoGrad scope;
    y = x * x;
  }
  CHECK_FALSE(y.requires_grad());
  CHECK(values(y) == Values{9});
  CHECK(grad_enabled());
}

TEST_CASE(
    "saved tensors: writing one after it was saved is an error that names op, tensor and "
    "versions") {
  Tensor c = tensor({1, 2}, DType::f64);
  const Tensor x = leaf({3, 4}), y = sum(mul(x, c));
  c.set_name("coefficients").write<double>()[0] = 7;
  const std::string text = error_of([&] { backward(y); });
  for (const std::string part : {"mul", "coefficients", "overwritten", "[2]", "version", "clone()"})
    CHECK_MENTIONS(text, part);
  CHECK_MENTIONS(error_of([&] { y.detach(), (x * x).write<double>(); }), "detach()");
  CHECK_MENTIONS(error_of([&] { Tensor(x).write<double>(); }), "NoGrad");
}

TEST_CASE(
    "leaves: gradients accumulate, carry no history, and do not change under who holds them") {
  const Tensor x = leaf({2});
  backward(sum(x * x));
  const Tensor held = x.grad();
  CHECK(values(held) == Values{4});
  CHECK_FALSE(held.requires_grad());
  backward(sum(x * x), {.create_graph = true});
  CHECK(values(x.grad()) == Values{8});
  CHECK_FALSE(x.grad().requires_grad());
  CHECK(values(held) == Values{4});
  x.clear_grad();
  CHECK_FALSE(x.grad().defined());
  backward(x.detach().set_requires_grad() + x);  // a leaf that is nearly the loss itself
  CHECK(values(x.grad()) == Values{1});
}

TEST_CASE("leaves: a loss that is a leaf") {
  const Tensor x = leaf({2});
  backward(x);
  CHECK(values(x.grad()) == Values{1});
}

TEST_CASE("aliasing: a gradient handed to both sides of an add is not written through") {
  const Tensor x = leaf({1, 2}), w = leaf({10, 20});
  const Tensor h = x * 2, y = sum((h + h) * w + h * h);  // h gets four gradients
  const Tensors dxs = grad(y, {x, w, h});
  CHECK(values(dxs[2]) == Values{2 * 10 + 2 * 2, 2 * 20 + 2 * 4});
  CHECK(values(dxs[0]) == Values{2 * 24, 2 * 48});
  CHECK(values(dxs[1]) == Values{4, 8});
  const Tensor a = leaf({1}), b = leaf({1});
  const Tensor dy = ones({1}, DType::f64);
  backward({a + b, a + b}, {dy, dy});
  backward({a + b}, {dy});
  CHECK(values(a.grad()) == Values{3});
  CHECK(values(b.grad()) == Values{3});
  CHECK(values(dy) == Values{1});
}

TEST_CASE("broadcasting: undone once, by the engine, for every shape") {
  const Tensor a = random_normal({3, 1, 4}, 1, 0, DType::f64).set_requires_grad(),
               b = random_normal({5, 1}, 1, 1, DType::f64).set_requires_grad();
  const Tensor s = scalar(2, DType::f64).set_requires_grad();
  const Tensors dxs = grad(sum((a + b) * s), {a, b, s});
  CHECK(dxs[0].shape() == a.shape());
  CHECK(values(dxs[0])[0] == 10);
  CHECK(dxs[1].shape() == b.shape());
  CHECK(values(dxs[1])[0] == 24);
  CHECK(dxs[2].shape() == Shape{});
}

TEST_CASE("destination: gradients added straight into leaves have the bits of the ordinary path") {
  const auto gradients = [](bool observed) {
    const Tensor table = random_normal({3, 8}, 1).set_requires_grad(),
                 weight = random_normal({8, 8}, 2).set_requires_grad(),
                 bias = random_normal({8}, 3).set_requires_grad();
    std::unique_ptr<CountBackward> observer;
    if (observed) observer = std::make_unique<CountBackward>();
    const auto report = backward(small_loss(table, weight, bias));
    CHECK(report.reached.size() == 3);
    backward(small_loss(table, weight, bias));  // and added to what is there
    return Tensors{table.grad(), weight.grad(), bias.grad()};
  };
  const Tensors direct = gradients(false), ordinary = gradients(true);
  for (size_t i = 0; i < direct.size(); ++i)
    CHECK(direct[i].to_vector<float>() == ordinary[i].to_vector<float>());
}

TEST_CASE("reached: leaves that the loss reached, each once, and no others") {
  const Tensor x = leaf({1}), w = leaf({2}), unused = leaf({3});
  backward(sum(unused));  // has a gradient, from another loss
  const auto report = backward(sum(x * w + x));
  REQUIRE(report.reached.size() == 2);
  for (const Tensor& reached : report.reached) CHECK((reached.same(x) || reached.same(w)));
}

TEST_CASE("errors: a backward that returns the wrong number of gradients is named") {
  const Tensor x = leaf({1});
  CHECK_MENTIONS(error_of([&] { backward(apply<Wrong>({x})[0]); }),
                 "wrong_op: its backward returned 0 gradients for 1 inputs");
}

TEST_CASE("slices: the gradients of many are added in place, and are those of a recorded walk") {
  const int64_t n = 300;
  const auto loss = [&](const Tensor& x, const Tensor& u) {
    Tensor total = sum(x * x);
    for (int64_t i = 0; i < n; ++i)
      total = total + sum(slice(x, 0, i, i + 1) * slice(u, 0, i, i + 1));
    return total + sum(slice(x, 0, 0, n, 7) * slice(x, 0, 1, n, 7)) + sum(take(x, arange(5)));
  };
  const Tensor x = random_normal({n, 3}, 1, 1, DType::f64).set_requires_grad(),
               u = random_normal({n, 3}, 1, 2, DType::f64);
  for (const bool leaf_itself : {true, false}) {
    const auto of = [&] { return loss(leaf_itself ? x : x + x, u); };
    const Tensor y = of(), again = of();
    const uint64_t before = nodes_made();
    const Tensor dx = grad(y, {x})[0];
    // the backward of a term's sum, reshape and mul runs an op each; that of its slice runs none
    CHECK(nodes_made() - before <= 3 * static_cast<uint64_t>(n) + 20);
    x.clear_grad();
    backward(again);
    const Tensor recorded = grad(of(), {x}, {.create_graph = true})[0];
    CHECK(values(x.grad()) == values(dx));
    CHECK(norm(recorded.detach() - dx) <= 1e-13 * norm(dx));
    CHECK(norm(dx) > 1);
  }
}

TEST_CASE("slices: a gradient that somebody else holds is not written") {
  // add hands the same dy to both sides; the slice of one of them must not change the other's
  const Tensor a = leaf({1, 2, 3}), b = leaf({4, 5, 6}), p = a * 1.0, q = b * 1.0;
  const Tensor y = sum((p + q) * tensor({1, 10, 100}, DType::f64)) + sum(slice(p, 0, 1, 2));
  const Tensors dxs = grad(y, {a, b});
  CHECK(values(dxs[0]) == Values{1, 11, 100});
  CHECK(values(dxs[1]) == Values{1, 10, 100});
  // and a result that was handed out stays what it was
  const Tensor x = leaf({1, 2, 3});
  const Tensor first = grad(sum(slice(x, 0, 0, 2) * 2.0), {x})[0];
  const Tensor second = grad(sum(slice(x, 0, 0, 2) * 3.0), {x})[0];
  CHECK(values(first) == Values{2, 2, 0});
  CHECK(values(second) == Values{3, 3, 0});
}

TEST_CASE("a view that does not fit its memory is an error that says where it ends") {
  const Tensor x = zeros({8});
  CHECK(x.view({2, 4}, {4, 1}, 0).shape() == Shape{2, 4});
  CHECK(x.view({5, 8}, {0, 1}, 0).shape() == Shape{5, 8});
  CHECK(x.view({0, 9}, {9, 1}, 8).numel() == 0);
  CHECK_MENTIONS(error_of([&] { x.view({3, 4}, {4, 1}, 0); }), "[3, 4]", "element 11 of the 8");
  CHECK_MENTIONS(error_of([&] { x.view({4}, {1}, 5); }), "element 8 of the 8");
  CHECK_MENTIONS(error_of([&] { x.view({4}, {1}, -1); }), "offset -1");
}

}  // namespace gradus::testing
