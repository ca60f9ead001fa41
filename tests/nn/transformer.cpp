// Attention and the feed-forward network alone, as a stranger's layers use them.
#include "gradus/nn/transformer.h"

#include "gradus/autograd/gradcheck.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

// A block that Gradus does not have: pre-norm, causal, without biases.
struct PreNormBlock {
  LayerNorm first{6, 1e-5}, second{6, 1e-5};
  MultiHeadAttention attention{
      {.hidden = 6, .heads = 2, .head_size = 4, .dropout = 0.2, .causal = true, .bias = false}};
  FeedForward feed_forward{
      {.hidden = 6, .intermediate = 8, .activation = Gelu::tanh, .bias = false}};
  Tensor operator()(const Tensor& x, const Ragged& sequences) const {
    const Tensor h = x + attention(first(x), sequences);
    return h + feed_forward(second(h));
  }
  void parts(Parts& p) {
    p("first", first);
    p("attention", attention);
    p("second", second);
    p("feed_forward", feed_forward);
  }
};

// The layer's derivatives by x and by each of its parameters, to second order.
template <class Layer>
void check_gradients(const Layer& layer, const Tensor& x, const Ragged& sequences) {
  Layer exact = clone(layer, DType::f64);
  const auto places = [](Layer& l) {
    Parts parts;
    l.parts(parts);
    std::vector<Tensor*> result;
    for (size_t i = 0; i < parts.list.size(); ++i)
      if (parts.list[i].begin == 0) result.push_back(parts.places[i]);
    return result;
  };
  Tensors inputs{cast(x, DType::f64)};
  for (const Tensor* place : places(exact)) inputs.push_back(place->detach());
  const auto result = gradcheck(
      [&](Inputs in) {
        Layer copy = exact;
        const auto into = places(copy);
        for (size_t i = 0; i < into.size(); ++i) *into[i] = in[i + 1];
        return Tensors{copy(in[0], sequences)};
      },
      inputs, {.order = 2});
  CHECK_MESSAGE(result.ok, result.log);
}

}  // namespace

TEST_CASE("attention lists query, key, value and output, with options of its own") {
  MultiHeadAttention attention({.hidden = 6, .heads = 2});
  const auto list = parameters(attention);
  CHECK(list.size() == 8);
  CHECK(list[2].name == "key.weight");
  CHECK(list[2].view().shape() == Shape{6, 6});
  CHECK(attention.qkv.weight.name() == "*.weight");
  CHECK(count_parameters(list) == 4 * (36 + 6));

  MultiHeadAttention wide({.hidden = 6, .heads = 2, .head_size = 5, .bias = false});
  CHECK(parameters(wide).size() == 4);
  CHECK(parameters(wide)[1].view().shape() == Shape{10, 6});
  CHECK(wide.output.weight.shape() == Shape{6, 10});
  CHECK_MENTIONS(error_of([] { MultiHeadAttention({.hidden = 6, .heads = 4}); }),
                 "a hidden size of 6 cannot be divided among 4 attention heads");
  CHECK_MENTIONS(error_of([] { MultiHeadAttention({.hidden = 6, .heads = 0}); }), "0 heads");
}

TEST_CASE("probabilities sum to one; a causal token sees none that follow") {
  MultiHeadAttention attention({.hidden = 6, .heads = 3, .dropout = 0.5, .causal = true});
  initialize(attention, Normal{1}, 1);
  const Training training;  // drops nothing here
  const Tensors all = attention.probabilities(random_normal({5, 6}, 2), Ragged({2, 3}));
  REQUIRE(all.size() == 2);
  CHECK(all[1].shape() == Shape{3, 3, 3});
  CHECK(norm(sum(all[1], {-1}) - ones({3, 3})) < 1e-6);
  CHECK(slice(slice(all[1], 1, 0, 1), 2, 1, 3).to_vector<float>() == std::vector<float>(6));
}

TEST_CASE(
    "a stranger's decoder block: its derivatives, by x and every parameter, to second order") {
  PreNormBlock block;
  initialize(block, Normal{0.4}, 1);
  const Training training;
  check_gradients(block, random_normal({5, 6}, 3), Ragged({2, 3}));
}

TEST_CASE("attention and the encoder's layer as they come: derivatives to second order") {
  MultiHeadAttention attention({.hidden = 4, .heads = 2});
  initialize(attention, Normal{0.5}, 2);
  check_gradients(attention, random_normal({4, 4}, 4), Ragged({3, 1}));
  TransformerLayer layer({.hidden = 4, .layers = 1, .heads = 2, .intermediate = 6});
  initialize(layer, Normal{0.5}, 3);
  check_gradients(layer, random_normal({4, 4}, 5), Ragged({3, 1}));
}
