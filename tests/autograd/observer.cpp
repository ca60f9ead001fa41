// What a person sees: observers, module scopes and paths, the graph as text and DOT, tensors
// printed, literals, and what gradcheck says.
#include "gradus/autograd/observer.h"

#include <fmt/ranges.h>

#include "gradus/autograd/engine.h"
#include "gradus/autograd/gradcheck.h"
#include "gradus/autograd/graph.h"
#include "gradus/autograd/random.h"
#include "gradus/ops/ops.h"
#include "tests/support.h"

namespace gradus::testing {
namespace {

struct Recorder : Observer {
  std::vector<std::string> forwards, backwards, paths;
  bool outputs_defined = true;
  void forward(const Node& node, Inputs, const Tensors& outputs, double seconds) override {
    forwards.push_back(node.op());
    paths.push_back(node.path());
    outputs_defined = outputs_defined && !outputs.empty() && outputs[0].defined() && seconds >= 0;
  }
  void backward(const Node& node, const Tensors& dys, const Tensors& dxs, double) override {
    backwards.push_back(node.op());
    outputs_defined = outputs_defined && dys[0].defined() && !dxs.empty();
  }
};

std::string joined(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, " "));
}

Tensor named_graph() {
  const Tensor x = ones({2, 3}, DType::f64).set_requires_grad().set_name("x");
  const Scope model("model");
  Tensor h;
  {
    const Scope layer("layer", 3);
    h = tanh(x * 2.0);
  }
  return sum(h * x);
}

// y = x^2 with a backward that is wrong in a way of one's choice.
struct WrongSquare : Op<WrongSquare> {
  static constexpr const char* name = "wrong_square";
  double factor;
  explicit WrongSquare(double factor) : factor(factor) {}
  Tensors forward(Inputs in) override {
    save({in[0]});
    return {in[0] * in[0]};
  }
  Tensors backward(const Tensors& dys) override { return {dys[0] * saved(0) * factor}; }
};

}  // namespace

TEST_CASE(
    "observer: is told of every op and every step of a walk, inner ops too, on its thread, while "
    "it lives") {
  const Tensor x = ones({2, 3}).set_requires_grad();
  {
    Recorder recorder;
    backward(sum(tanh(x * 2.0)));
    CHECK(joined(recorder.forwards) ==
          "mul_scalar tanh sum reshape " /* and for their backward: */
          "reshape expand square mul_scalar add_scalar mul mul_scalar");
    CHECK(joined(recorder.backwards) == "reshape sum tanh mul_scalar");
    CHECK(recorder.outputs_defined);
  }
  CHECK(observers().empty());
}

TEST_CASE("scopes: nodes have the path of the module that made them") {
  Recorder recorder;
  const Tensor y = named_graph();
  CHECK(joined(recorder.paths) == "model.layer.3 model.layer.3 model model model");
  CHECK(*current_path() == "");
  CHECK(y.get().node->path() == "model");
}

TEST_CASE("graph: as text, a line a node, newest first") {
  const std::string text = graph_text(named_graph());
  for (const std::string part :
       {"f64 [] made by reshape at model", "#5", "#1", "sum", "axes=0,1", "mul_scalar", "tanh",
        "  model.layer.3\n", "f64 [2, 3]  x  ", "saved", "c=2", "f64 [2, 3]"})
    CHECK_MENTIONS(text, part);
  CHECK(std::count(text.begin(), text.end(), '\n') == 7);
  CHECK(text.find("\n#4") < text.find("\n#3"));
}

TEST_CASE("graph: as DOT, clusters by module path, leaves by name, edges with shapes") {
  const std::string dot = graph_dot(named_graph());
  for (const std::string part :
       {"digraph", "subgraph cluster_", "label=\"model.layer.3\"", "n1 -> n2", "leaf0 -> n1",
        "leaf0 -> n3", "label=\"x\\n[2, 3]\"", "[2, 3]"})
    CHECK_MENTIONS(dot, part);
  CHECK(std::count(dot.begin(), dot.end(), '{') == std::count(dot.begin(), dot.end(), '}'));
}

TEST_CASE("observers: an op's seconds are its own, those of ops inside of it are theirs") {
  struct Total : Observer {
    double seconds = 0;
    int64_t ops = 0;
    void forward(const Node&, Inputs, const Tensors&, double s) override { add(s); }
    void backward(const Node&, const Tensors&, const Tensors&, double s) override { add(s); }
    void add(double s) {
      CHECK(s >= 0);
      seconds += s, ++ops;
    }
  };
  // max's backward runs five ops, attention's forward many more
  const Tensor x = random_normal({256, 96}, 1).set_requires_grad();
  const double start = seconds_now();
  Total total;
  const Expand expand;
  backward(sum(square(max(attention(x, Ragged({128, 128}), {.heads = 4}), 1))));
  CHECK(total.ops > 50);
  CHECK(total.seconds <= seconds_now() - start);
}

TEST_CASE("outermost: attention becomes softmax and others, softmax alone exp and others") {
  const Tensor x = random_normal({6, 12}, 1);
  const auto ops_of = [](const auto& f) {
    const ExpandOutermost scope;
    Recorder recorder;
    f();
    return recorder.forwards;
  };
  const auto composed = ops_of([&] { attention(x, Ragged({3, 3}), {.heads = 2}); });
  CHECK(std::count(composed.begin(), composed.end(), "softmax") == 4);
  CHECK(std::count(composed.begin(), composed.end(), "exp") == 0);
  const auto alone = ops_of([&] { softmax(x); });
  CHECK(std::count(alone.begin(), alone.end(), "softmax") == 0);
  CHECK(std::count(alone.begin(), alone.end(), "exp") == 1);
}

TEST_CASE("graph: a fused op is one node, and its expression under Expand") {
  const Tensor x = ones({2, 3}).set_requires_grad();
  CHECK(nodes_of(softmax(x)).size() == 1);
  const Expand scope;
  CHECK(nodes_of(softmax(x)).size() > 3);
}

TEST_CASE("printing: shape, dtype, what made it, values") {
  Tensor x = tensor({{1, 2.5}, {-3, 4}});
  CHECK(to_string(x) == "f32 [2, 2]\n[[1, 2.5],\n [-3, 4]]");
  x.set_name("weight").set_requires_grad();
  CHECK_MENTIONS(to_string(x), "f32 [2, 2] 'weight' leaf");
  const Scope scope("head");
  CHECK_MENTIONS(fmt::format("{}", x + x), "f32 [2, 2] made by add at head");
  CHECK(to_string(arange(12)) == "i64 [12]\n[0, 1, 2, …, 9, 10, 11]");
  CHECK(to_string(Tensor()) == "undefined");
  CHECK_MENTIONS(to_string(scalar(7, DType::f64)), "f64 []\n7");
  CHECK(to_string(transpose(tensor({{1, 2}, {3, 4}})).detach()) ==
        "f32 [2, 2]\n[[1, 3],\n [2, 4]]");
}

TEST_CASE("literals: nested lists give the shape; ragged ones are an error") {
  CHECK(tensor({1, 2, 3}).shape() == Shape{3});
  CHECK(tensor({{0, 1}, {2, 3}, {4, 5}}).shape() == Shape{3, 2});
  CHECK(tensor({{0}, {1}}).shape() == Shape{2, 1});
  CHECK(tensor({{1, 2}}).shape() == Shape{1, 2});
  CHECK(tensor({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}}).to_vector<int64_t>() ==
        std::vector<int64_t>{1, 2, 3, 4, 5, 6, 7, 8});
  CHECK(tensor({0, 3}, DType::i32).dtype() == DType::i32);
  CHECK_MENTIONS(error_of([] { tensor({{1, 2}, {3}}); }), "differ in length");
  CHECK_MENTIONS(error_of([] { tensor({{1, 2}, 3}); }), "differ in length");
  CHECK_MENTIONS(error_of([] { tensor({{1}, {{2}}}); }), "deeper");
}

TEST_CASE("tensors: errors name what was wrong and what would be right") {
  CHECK_MENTIONS(error_of([] { ones({2}).data<double>(); }), "f32 was read as f64");
  CHECK_MENTIONS(error_of([] { arange(3).set_requires_grad(); }), "i64");
  CHECK_MENTIONS(error_of([] { ones({2, 2}).item(); }), "4 elements, shape [2, 2]");
  CHECK_MENTIONS(error_of([] { Tensor().shape(); }), "undefined");
  CHECK_MENTIONS(error_of([] { ones({3}).set_grad(ones({4})); }), "[4]");
  CHECK_MENTIONS(error_of([] { Tensor::empty({2, -1}); }), "[2, -1]");
  CHECK_MENTIONS(error_of([] { Shape{1, 1, 1, 1, 1, 1, 1, 1, 1}; }), "8 axes");
  CHECK_MENTIONS(error_of([] { from_vector(std::vector<float>(5), {2, 3}); }), "5 values");
}

TEST_CASE("gradcheck: passes what is right, finds what is wrong, and says what it looks like") {
  const Tensor x = random_normal({3, 2}, 1, 0, DType::f64).set_name("x");
  const auto of = [&](double factor, int order = 1) {
    return gradcheck([=](Inputs in) { return apply<WrongSquare>({in[0]}, factor); }, {x},
                     {.order = order});
  };
  CHECK(of(2));
  CHECK(of(2, 2));
  CHECK_MENTIONS(of(2, 2).log, "order 2  d/d x");
  const std::pair<double, const char*> mistakes[] = {
      {1, "0.5 times"}, {-2, "sign"}, {0, "the path is cut"}};
  for (const auto& mistake : mistakes) {
    const auto result = of(mistake.first);
    CHECK_FALSE(result);
    CHECK_MENTIONS(result.log, "WRONG");
    CHECK_MENTIONS(result.log, "analytic");
    CHECK_MENTIONS(result.log, mistake.second);
  }
  // sum(softmax(x)) has no gradient: a backward of zeros is caught only because the cotangent is
  // random.
  CHECK_FALSE(
      gradcheck([](Inputs in) { return Tensors{softmax(in[0]).detach() + in[0] * 0.0}; }, {x}));
}

TEST_CASE("gradcheck: a single NaN is wrong, wherever it stands") {
  for (const size_t place : {size_t{0}, size_t{5}}) {
    backward_interceptor() = [place](const Node&, Tensors& dxs) {
      auto values = dxs[0].to_vector<double>();
      values[place] = std::nan("");
      dxs[0] = from_vector(values, dxs[0].shape());
    };
    const auto result = gradcheck([](Inputs in) { return Tensors{square(in[0])}; },
                                  {random_normal({6}, 1, 0, DType::f64)});
    backward_interceptor() = nullptr;
    CHECK_FALSE(result);
    CHECK_MENTIONS(result.log, "nan");
  }
}

TEST_CASE(
    "gradcheck: a function of the user's with several inputs, integer ones, dropout and captured "
    "constants") {
  const Tensor w = random_normal({4, 3}, 2, 0, DType::f64), rows = tensor({0, 1, 1}, DType::i32),
               c = random_normal({3}, 3, 0, DType::f64);
  const auto result = gradcheck(
      [=](Inputs in) {
        return Tensors{dropout(tanh(take(in[0], in[1])) * c, 0.4), sum(in[0])};
      },
      {w, rows}, {.order = 2});
  CHECK_MESSAGE(result.ok, result.log);
}

}  // namespace gradus::testing
