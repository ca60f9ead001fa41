// Attention and the feed-forward network alone, as a stranger's layers use them.
#include "gradus/nn/transformer.h"

#include <map>

#include "gradus/nn/gradcheck.h"
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
      {.hidden = 6, .intermediate = 8, .kind = FeedForwardKind::swiglu, .bias = false}};
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

template <class Layer, class Call>
void check_gradients(const Layer& layer, const Tensor& x, const Call& call) {
  const auto result = gradcheck(layer, [&](const Layer& l, Inputs in) { return call(l, in[0]); },
                                {x}, {.order = 2});
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
  check_gradients(block, random_normal({5, 6}, 3), [](const auto& b, const Tensor& x) {
    return b(x, Ragged({2, 3}));
  });
}

TEST_CASE("the encoder's layer: derivatives to second order") {
  TransformerLayer layer({.hidden = 4, .layers = 1, .heads = 2, .intermediate = 6});
  initialize(layer, Normal{0.5}, 3);
  check_gradients(layer, random_normal({4, 4}, 5), [](const auto& l, const Tensor& x) {
    return l(x, Ragged({3, 1}));
  });
}

TEST_CASE("grouped queries: a shared head of keys and values is that head repeated") {
  MultiHeadAttention grouped({.hidden = 6, .heads = 4, .kv_heads = 2, .head_size = 3});
  initialize(grouped, Normal{0.6}, 5);
  CHECK(parameters(grouped)[2].view().shape() == Shape{6, 6});  // key.weight
  MultiHeadAttention full({.hidden = 6, .heads = 4, .head_size = 3});
  {
    const NoGrad scope;
    const Tensor& w = grouped.qkv.weight;
    const auto head = [&](int64_t row) { return slice(w, 0, row, row + 3); };
    full.qkv.weight = concat({slice(w, 0, 0, 12), head(12), head(12), head(15), head(15), head(18),
                              head(18), head(21), head(21)},
                             0);
    full.output = grouped.output;
  }
  const Tensor x = random_normal({5, 6}, 6);
  const Ragged sequences({2, 3});
  CHECK(norm(grouped(x, sequences) - full(x, sequences)) < 1e-6 * norm(full(x, sequences)));
}

TEST_CASE("attention to oneself as to a memory is self-attention") {
  for (const std::optional<double> base : {std::optional<double>(), std::optional(100.0)}) {
    MultiHeadAttention attention({.hidden = 8, .heads = 2, .causal = true, .rotary_base = base});
    initialize(attention, Normal{0.6}, 7);
    const Tensor x = random_normal({5, 8}, 8);
    const Ragged sequences({2, 3});
    CHECK(norm(attention(x, sequences, x, sequences) - attention(x, sequences)) < 1e-5);
  }
}

TEST_CASE("rows asked for are those of the whole, with its gradients, in every form") {
  const Ragged sequences({3, 1, 4});
  const AskedRows asked({1, 3, 4, 7}, sequences);
  CHECK(asked.sequences.length(0) == 1);
  CHECK(asked.sequences.length(2) == 2);
  const TransformerOptions post{.hidden = 8,
                                .layers = 3,
                                .heads = 2,
                                .intermediate = 6,
                                .hidden_dropout = 0,
                                .attention_dropout = 0};
  TransformerOptions modern = post;
  modern.pre_norm = true, modern.attention_bias = modern.norm_bias = false;
  modern.feed_forward = FeedForwardKind::geglu;
  modern.rotary_base = 50.0;
  TransformerOptions local = modern, causal = post;
  local.global_every = 2, local.local_window = 1, local.layers = 2;  // the last layer is local
  causal.causal = true;
  for (const TransformerOptions& options : {post, modern, local, causal}) {
    Encoder source(options);
    initialize(source, Normal{0.5}, 21);
    Encoder encoder = clone(source, DType::f64);
    Tensor x = random_normal({8, 8}, 22, 0, DType::f64).set_requires_grad();
    Tensors leaves{x};
    for (const Parameter& p : parameters(encoder)) leaves.push_back(p.leaf);
    const Tensor whole = take(encoder(x, sequences), asked.rows),
                 some = encoder(x, sequences, asked);
    CHECK(norm(whole - some) < 1e-12 * norm(whole));
    const Tensor dy = random_normal({4, 8}, 23, 0, DType::f64);
    const Tensors expected = grad({whole}, {dy}, leaves), got = grad({some}, {dy}, leaves);
    for (size_t i = 0; i < leaves.size(); ++i) {
      CHECK(norm(expected[i]) > 0);
      CHECK_MESSAGE(norm(expected[i] - got[i]) < 1e-11 * norm(expected[i]), "leaf ", i);
    }
  }
  CHECK_MENTIONS(error_of([&] { AskedRows({0, 4}, sequences); }), "sequence 1 has none");
  CHECK_MENTIONS(error_of([&] { AskedRows({1, 1, 3, 4}, sequences); }), "1 is not after");
  CHECK_MENTIONS(error_of([&] { AskedRows({-1, 3, 4}, sequences); }), "-1 is not after");
  CHECK_MENTIONS(error_of([&] { AskedRows({0, 3, 4, 8}, sequences); }), "beyond the batch's 8");
}

TEST_CASE("rotary positions: scores know distances alone") {
  MultiHeadAttention attention({.hidden = 8, .heads = 2, .rotary_base = 100.0});
  initialize(attention, Normal{0.6}, 9);
  const Tensor x = expand(random_normal({1, 8}, 10), {4, 8});  // four equal tokens
  const Tensor log_p = log(attention.probabilities(x, Ragged({4}))[0]);
  const auto score = [&](int64_t query, int64_t key) {  // but for a constant of the query
    return slice(slice(log_p, 1, query, query + 1), 2, key, key + 1);
  };
  const Tensor one = score(1, 2) - score(1, 1), two = score(2, 3) - score(2, 2);
  CHECK(norm(one - two) < 1e-5);
  CHECK(norm(one) > 1e-3);
}

TEST_CASE("every form of attention and of the feed-forward network: derivatives to second order") {
  const Tensor x = random_normal({4, 4}, 11);
  const Ragged sequences({3, 1});
  const MultiHeadAttentionOptions forms[] = {
      {.hidden = 4, .heads = 2, .kv_heads = 1, .causal = true, .rotary_base = 50.0},
      {.hidden = 4, .heads = 2, .window = 1, .alibi = true, .bias = false},
      {.hidden = 4, .heads = 2, .kv_heads = 1, .dropout = 0.3}};
  const Training training;
  for (const MultiHeadAttentionOptions& form : forms) {
    MultiHeadAttention attention(form);
    initialize(attention, Normal{0.5}, 12);
    check_gradients(attention, x,
                    [&](const auto& a, const Tensor& in) { return a(in, sequences); });
    check_gradients(attention, x, [&](const auto& a, const Tensor& in) {
      const Tensor memory = tanh(concat({in, in}, 0));
      const Tensor bias = reshape(slice(in, 1, 0, 3), {1, 3, 4}) * 0.5;
      return a(in, sequences, memory, Ragged({3, 5}),
               expand(concat({bias, slice(bias, 2, 0, 1)}, 2), {2, 3, 5}));
    });
  }
  using enum FeedForwardKind;
  for (const FeedForwardKind kind : {relu, gelu, gelu_tanh, silu, reglu, geglu, geglu_tanh, swiglu})
    for (const bool bias : {true, false}) {
      FeedForward network({.hidden = 4, .intermediate = 5, .kind = kind, .bias = bias});
      initialize(network, Normal{0.5}, 16);  // no unit lies near the kink of relu
      check_gradients(network, x, [](const auto& f, const Tensor& in) { return f(in); });
    }
}

TEST_CASE("a gated network is what its names say") {
  FeedForward network({.hidden = 3, .intermediate = 5, .kind = FeedForwardKind::swiglu});
  initialize(network, Normal{0.7}, 14);
  const auto list = parameters(network);
  std::map<std::string, Tensor> of;
  for (const Parameter& p : list) of[p.name] = p.view();
  CHECK(of.size() == 6);
  const Tensor x = random_normal({4, 3}, 15);
  const Tensor gate = linear(x, of["gate.weight"], of["gate.bias"]);
  const Tensor h = gate * sigmoid(gate) * linear(x, of["up.weight"], of["up.bias"]);
  CHECK(norm(network(x) - linear(h, of["down.weight"], of["down.bias"])) < 1e-5);
}

TEST_CASE("impossible attentions are refused by name") {
  const auto refused = [](MultiHeadAttentionOptions options, const char* mentions) {
    CHECK_MENTIONS(error_of([&] { MultiHeadAttention attention(options); }), mentions);
  };
  refused({.hidden = 6, .heads = 4}, "6 cannot be divided among 4 attention heads");
  refused({.hidden = 6, .heads = 0}, "0 heads");
  refused({.hidden = 8, .heads = 4, .kv_heads = 3}, "4 heads cannot share 3 heads");
  refused({.hidden = 6, .heads = 2, .rotary_base = 10000}, "pairs of columns, and a head has 3");
  CHECK_MENTIONS(error_of([] { FeedForward({.hidden = 4, .intermediate = 0}); }),
                 "an intermediate size of 0");
}

TEST_CASE("RmsNorm and Conv1d as layers") {
  RmsNorm norm_layer(3, 1e-5);
  Conv1d conv(3, 2, 3, {.stride = 2}, {.bias = false});
  CHECK(parameters(norm_layer)[0].name == "weight");
  CHECK(parameters(conv).size() == 1);
  initialize(conv, Normal{0.5}, 1);
  const Ragged sequences({4, 1});
  CHECK(conv.after(sequences).tokens() == 3);
  check_gradients(conv, random_normal({5, 3}, 2),
                  [&](const auto& c, const Tensor& in) { return c(in, sequences); });
  check_gradients(norm_layer, random_normal({5, 3}, 3),
                  [](const auto& n, const Tensor& in) { return n(in); });
}
