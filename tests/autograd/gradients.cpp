// Where gradients go: one place for each leaf, whoever walks and whoever watches; and what does not
// fit there is an Error, never reshaped.
#include <cstring>
#include <memory>
#include <thread>

#include "gradus/autograd/graph.h"
#include "gradus/autograd/leaf_gradients.h"
#include "gradus/autograd/observer.h"
#include "gradus/ops/ops.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

// y = x w^T, of which the backward returns a dw of the shape that it is told.
struct MisshapenLinear : Op<MisshapenLinear> {
  static constexpr const char* name = "misshapen_linear";
  Shape shape;
  explicit MisshapenLinear(Shape shape) : shape(shape) {}
  Tensors forward(Inputs in) override { return {matmul(in[0], transpose(in[1]))}; }
  Tensors backward(const Tensors& dys) override { return {Tensor(), zeros(shape, dys[0].dtype())}; }
};

struct Watcher : Observer {
  Tensors shown;
  void backward(const Node&, const Tensors&, const Tensors& dxs, double) override {
    for (const Tensor& dx : dxs) shown.push_back(dx);
  }
};

// Three micro-batches whose gradients add up in the same leaves. The table is read in every batch
// and is the decoder too, the bias is used twice, and the sizes are such that a product that adds
// into what is there rounds otherwise than one that is added to it.
struct Accumulation {
  Tensor table = random_normal({40, 96}, 1).set_requires_grad();
  Tensor weight = random_normal({96, 96}, 2).set_requires_grad();
  Tensor bias = random_normal({96}, 3).set_requires_grad();
  Tensor decoder_bias = random_normal({40}, 4).set_requires_grad();

  Tensor loss(int64_t batch) const {
    std::vector<int32_t> ids, labels;
    for (int64_t i = 0; i < 700; ++i) {
      ids.push_back(static_cast<int32_t>((i * 7 + batch) % 40));
      labels.push_back(static_cast<int32_t>((i * 3 + batch) % 40));
    }
    const Tensor x = take(table, from_vector(ids, {700}));
    const Tensor h = bias_gelu(linear(x, weight, bias), bias);
    return decoder_loss(h, table, decoder_bias, from_vector(labels, {700})).loss;
  }
  Tensors leaves() const { return {table, weight, bias, decoder_bias}; }
  Tensors gradients() const {
    return {table.grad(), weight.grad(), bias.grad(), decoder_bias.grad()};
  }
};

bool same_bits(const Tensors& a, const Tensors& b) {
  for (size_t i = 0; i < a.size(); ++i)
    if (std::memcmp(a[i].data<float>(), b[i].data<float>(),
                    static_cast<size_t>(a[i].numel()) * sizeof(float)) != 0)
      return false;
  return a.size() == b.size();
}

}  // namespace

TEST_CASE("gradients: one of the wrong shape is an Error that names op, input and both shapes") {
  const Tensor x = random_normal({2, 3}, 1), w = random_normal({5, 3}, 2).set_requires_grad();
  for (const Shape& wrong : {Shape{3, 5}, Shape{15}, Shape{3}, Shape{5, 1}, Shape{1, 3}, Shape{}}) {
    const Scope scope("head.dense");
    const Tensor y = apply<MisshapenLinear>({x, w}, wrong)[0];
    const std::string text = error_of([&] { backward(sum(y)); });
    CHECK_MENTIONS(text, "misshapen_linear at head.dense");
    CHECK_MENTIONS(text, "input 1");
    CHECK_MENTIONS(text, to_string(wrong));
    CHECK_MENTIONS(text, "[5, 3]");
    CHECK_FALSE(w.grad().defined());
  }
  const Tensor y = apply<MisshapenLinear>({x, w}, Shape{4, 5, 3})[0];  // the engine sums this one
  backward(sum(y));
  CHECK(w.grad().shape() == Shape{5, 3});
  CHECK_MENTIONS(error_of([] { sum_to(ones({3, 5}), {5, 3}); }), "[5, 3] does not broadcast");
  CHECK_MENTIONS(error_of([] { sum_to(ones({3}), {1, 3}); }), "sum_to");
  CHECK(sum_to(ones({2, 4, 3}), {4, 1}).to_vector<float>() == std::vector<float>{6, 6, 6, 6});
}

TEST_CASE("gradients: Walk, backward() and a watched backward() leave the same bits") {
  Accumulation plain, walked, watched;
  for (int64_t batch = 0; batch < 3; ++batch) {
    backward(plain.loss(batch));
    Walk walk(walked.loss(batch));
    while (const auto step = walk.next())
      for (size_t i = 0; i < step.dxs.size(); ++i)
        CHECK(step.dxs[i].defined() == step.node->edges()[i].wanted());
    const Tensor loss = watched.loss(batch);
    const Watcher watcher;
    backward(loss);
    CHECK(watcher.shown.size() >= 9);
    CHECK(same_bits(plain.gradients(), walked.gradients()));
    CHECK(same_bits(plain.gradients(), watched.gradients()));
  }
}

TEST_CASE("gradients: one that the caller holds does not change, and that changes no bit") {
  Accumulation plain, held;
  backward(plain.loss(0));
  backward(held.loss(0));
  const Tensors kept = held.gradients();
  const auto before = kept[0].to_vector<float>();
  backward(plain.loss(1));
  backward(held.loss(1));
  CHECK(kept[0].to_vector<float>() == before);
  CHECK(same_bits(plain.gradients(), held.gradients()));
}

TEST_CASE("gradients: losses into gradients of their own, side by side, then added in order") {
  Accumulation one_by_one, side_by_side;
  LeafGradients second, third;
  backward(one_by_one.loss(0));
  backward(one_by_one.loss(1), {.into = &second});
  CHECK(second.has(one_by_one.table.impl().get()));
  backward(one_by_one.loss(2), {.into = &third});
  second.add_to_leaves();
  third.add_to_leaves();
  CHECK_FALSE(second.has(one_by_one.table.impl().get()));

  std::vector<LeafGradients> own(3);
  for (int round = 0; round < 2; ++round) {  // the memory of the first round is used again
    for (const Tensor& leaf : side_by_side.leaves()) leaf.clear_grad();
    std::vector<std::thread> threads;
    for (int64_t i = 0; i < 3; ++i)
      threads.emplace_back(
          [&, i] { backward(side_by_side.loss(i), {.into = &own[static_cast<size_t>(i)]}); });
    for (std::thread& thread : threads) thread.join();
    CHECK_FALSE(side_by_side.table.grad().defined());
    for (LeafGradients& gradients : own) gradients.add_to_leaves();
    CHECK(same_bits(one_by_one.gradients(), side_by_side.gradients()));
  }
  // where somebody watches, too
  Accumulation watched;
  const Watcher watcher;
  backward(watched.loss(0), {.into = own.data()});
  for (size_t i = 1; i < 3; ++i) backward(watched.loss(static_cast<int64_t>(i)), {.into = &own[i]});
  for (LeafGradients& gradients : own) gradients.add_to_leaves();
  CHECK(same_bits(one_by_one.gradients(), watched.gradients()));
}

TEST_CASE("gradients: set_grad() writes where the leaf's gradient lies") {
  Tensor x = ones({3}).set_requires_grad();
  const Tensor arena = zeros({3});
  x.get().grad_slot = arena.impl();
  x.set_grad(tensor({1, 2, 3}));
  CHECK(arena.to_vector<float>() == std::vector<float>{1, 2, 3});
  backward(sum(x * 10));
  CHECK(arena.to_vector<float>() == std::vector<float>{11, 12, 13});
  CHECK(x.grad().same(arena));
}

TEST_CASE("gradients: what was never computed prints as such") {
  CHECK(fmt::format("|dy| {:.2e}", norm(Tensor())) == "|dy| not computed");
  CHECK(fmt::format("|dy| {:.2e}", norm(tensor({3, 4}))) == "|dy| 5.00e+00");
  CHECK(norm(tensor({3, 4})) + norm(Tensor()) == 5);
}

TEST_CASE("views: copy_into goes by strides, both ways") {
  const Tensor w = zeros({4, 3}, DType::f64);
  Tensor column = slice(w, 1, 1, 2);
  copy_into(tensor({{1}, {2}, {3}, {4}}, DType::f64), column, false);
  CHECK(w.to_vector<double>() == std::vector<double>{0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0});
  Tensor flipped = transpose(w);
  copy_into(transpose(w), flipped, true);
  CHECK(w.to_vector<double>() == std::vector<double>{0, 2, 0, 0, 4, 0, 0, 6, 0, 0, 8, 0});
  Tensor repeated = expand(zeros({1, 3}, DType::f64), {4, 3});
  CHECK_MENTIONS(error_of([&] { copy_into(w, repeated, false); }), "repeats");
  CHECK_MENTIONS(error_of([&] { copy_into(ones({4}, DType::f64), column, false); }), "[4, 1]");
  CHECK_MENTIONS(error_of([&] { copy_into(ones({4, 1}), column, false); }), "f64");
}

TEST_CASE("views: a pointer for writing is refused where elements do not follow each other") {
  Tensor w = zeros({4, 3});
  for (Tensor view : {slice(w, 1, 1, 2), transpose(w), expand(zeros({1, 3}), {4, 3})}) {
    const std::string text = error_of([&] { view.write<float>(); });
    CHECK_MENTIONS(text, "view");
    CHECK_MENTIONS(text, "copy_into");
  }
  Tensor rows = slice(w, 0, 1, 3);
  rows.write<float>()[0] = 7;
  CHECK(w.to_vector<float>()[3] == 7);
}

TEST_CASE("views: writing through one is noticed by what was saved for backward") {
  const Tensor x = ones({2, 2}, DType::f64).set_requires_grad(), y = sum(square(x));
  const NoGrad scope;
  Tensor column = slice(x.detach(), 1, 0, 1);
  copy_into(zeros({2, 1}, DType::f64), column, false);
  const RecordingScope recording(true);
  CHECK_MENTIONS(error_of([&] { backward(y); }), "overwritten");
}

TEST_CASE("saved: memory that is saved twice counts once, and a reference's inputs count") {
  const Tensor x = ones({10}, DType::f64).set_requires_grad();
  CHECK((x * x).get().node->saved_bytes() == 80);
  const Tensor rows = ones({4, 8}).set_requires_grad(), weight = ones({8}), bias = zeros({8});
  const size_t in = 4 * 8 * 4, statistics = 2 * 4 * 4;
  CHECK(layer_norm(rows, weight, bias, 1e-5).get().node->saved_bytes() ==
        in + 8 * 4 + 8 * 4 + statistics);
  const FirstOrderOnly scope;
  CHECK(layer_norm(rows, weight, bias, 1e-5).get().node->saved_bytes() == in + 8 * 4 + statistics);
}

namespace {
struct Forgetful : Op<Forgetful> {
  static constexpr const char* name = "forgetful";
  Tensors forward(Inputs in) override { return {square(in[0])}; }
  Tensors backward(const Tensors& dys) override { return {dys[0] * saved(0) * 2}; }
};
}  // namespace

TEST_CASE("saved: a forward that forgot to save is told so") {
  const Tensor x = ones({2}).set_requires_grad();
  const std::string text = error_of([&] { backward(sum(apply<Forgetful>({x})[0])); });
  CHECK_MENTIONS(text, "forgetful");
  CHECK_MENTIONS(text, "save()");
}

TEST_CASE("graph: columns of the text are aligned, clusters of the DOT lie in each other") {
  const Tensor x = random_normal({12, 3}, 1).set_requires_grad().set_name("a.very.long.name");
  Tensor y;
  {
    const Scope layer("layer", 0);
    const Scope attention("attention");
    y = sum(softmax(matmul(x, transpose(x)))) + sum(x);
  }
  const std::string text = graph_text(y);
  size_t column = 0, lines = 0;
  for (size_t at = text.find('\n') + 1; at < text.size(); at = text.find('\n', at) + 1, ++lines) {
    const std::string line = text.substr(at, text.find('\n', at) - at);
    if (lines == 0) column = line.find("module");
    else CHECK(line.substr(column) == "layer.0.attention");
  }
  CHECK(lines == 9);
  const std::string dot = graph_dot(y);
  const size_t layer = dot.find("label=\"layer\""), first = dot.find("label=\"layer.0\""),
               attention = dot.find("label=\"layer.0.attention\"");
  CHECK(layer < first);
  CHECK(first < attention);
  CHECK(attention < dot.find('}', layer));  // none was closed before the next was opened
}
