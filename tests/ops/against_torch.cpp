// Values and gradients of ops against PyTorch's, in f64: that an op computes what the field means
// by its name, conventions included (tests/fixtures/make_op_cases.py says how each case was made).
#include <cmath>
#include <limits>

#include "gradus/base/file.h"
#include "gradus/base/json.h"
#include "tests/ops/samples.h"

namespace gradus::testing {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

// make_op_cases.py's wave().
Tensor wave(const Shape& shape, double phase, double low = -1.5, double high = 1.5) {
  std::vector<double> values;
  for (int64_t i = 0; i < shape.numel(); ++i)
    values.push_back(low +
                     (high - low) * (0.5 + 0.5 * std::sin(0.7 * static_cast<double>(i) + phase)));
  return from_vector(values, shape).set_requires_grad();
}

class Cases {
 public:
  Cases()
      : cases_(nlohmann::json::parse(read_file(std::filesystem::path(GRADUS_SOURCE_ROOT) / "tests" /
                                               "fixtures" / "op_cases.json"))) {
    cases_.erase("made by");
  }
  ~Cases() { CHECK_MESSAGE(cases_.empty(), "not asked for: ", cases_.dump()); }

  // y and its gradients by xs are the case's; the cotangent is case()'s of the script.
  void check(const std::string& name, const Tensor& y, const Tensors& xs) {
    CAPTURE(name);
    std::vector<double> u;
    for (int64_t i = 0; i < y.numel(); ++i)
      u.push_back(std::cos(1.3 * static_cast<double>(i) + 0.2));
    Tensors results = {y};
    if (!xs.empty())
      for (const Tensor& dx : grad({y}, {from_vector(u, y.shape())}, xs)) results.push_back(dx);
    const auto expected = cases_.at(name).get<std::vector<std::vector<double>>>();
    REQUIRE(expected.size() == results.size());
    for (size_t i = 0; i < results.size(); ++i) {
      CAPTURE(i);
      REQUIRE(static_cast<size_t>(results[i].numel()) == expected[i].size());
      // twelve digits are in the file
      CHECK(distance(results[i], from_vector(expected[i], results[i].shape())) < 1e-11);
    }
    cases_.erase(name);
  }

 private:
  nlohmann::json cases_;
};

std::vector<double> values(const Tensor& x) { return x.to_vector<double>(); }

}  // namespace

TEST_CASE("against torch: values and gradients of ops are PyTorch's") {
  Cases cases;
  const Tensor x = wave({2, 5}, 0.1), p = wave({2, 5}, 0.4, 0.1, 2), b = wave({2, 5}, 0.9);
  cases.check("silu", silu(x), {x});
  cases.check("elu", elu(x, 1.3), {x});
  cases.check("leaky_relu", leaky_relu(x, 0.2), {x});
  cases.check("clamp", clamp(x, -0.5, 0.7), {x});
  cases.check("clamp min", clamp(x, -0.5), {x});
  cases.check("log1p", log1p(p), {p});
  cases.check("expm1", expm1(x), {x});
  cases.check("quotient", 2.5 / p, {p});
  cases.check("pow", pow(p, b), {p, b});
  cases.check("softmax", softmax(x, 0), {x});
  cases.check("logsumexp", logsumexp(x, -1), {x});
  const Tensor log_q = wave({2, 5}, 0.2), q = wave({2, 5}, 0.6, 0.05, 1);
  cases.check("kl_div", kl_div(log_q, q), {log_q, q});
  cases.check("cross_entropy",
              cross_entropy(x, tensor({-100, 4}, DType::i64), {.ignore_index = -100}), {x});
  const Tensor weight = wave({5}, 2.0);
  cases.check("rms_norm", rms_norm(x, weight, 1e-5), {x, weight});
  const Tensor gates = wave({2, 6}, 0.3);
  cases.check("swiglu", swiglu(gates), {gates});
  cases.check("geglu", geglu(x, b, Gelu::tanh), {x, b});

  const Ragged sequences({3, 2});
  const Tensor rows = wave({5, 8}, 0.5), far = wave({3000, 4}, 0.5);
  cases.check("rotary", rotary(rows, sequences, {.heads = 2}), {rows});
  cases.check("rotary interleaved",
              rotary(rows, sequences, {.heads = 2, .base = 500, .interleaved = true}), {rows});
  cases.check("rotary far", slice(rotary(far, Ragged({3000})), 0, 2999, 3000), {});
  const Tensor channels = wave({5, 2}, 0.3), w3 = wave({3, 2, 3}, 0.8), w4 = wave({3, 2, 4}, 0.8),
               bias = wave({3}, 1.1);
  cases.check("conv1d", conv1d(channels, w4, bias, sequences), {channels, w4, bias});
  cases.check("conv1d stride", conv1d(channels, w3, bias, sequences, {.stride = 2}),
              {channels, w3, bias});
  cases.check("conv1d dilation", conv1d(channels, w3, bias, sequences, {.dilation = 2}),
              {channels, w3, bias});
  cases.check("conv1d causal", conv1d(channels, w3, bias, sequences, {.causal = true}),
              {channels, w3, bias});

  const Tensor query = wave({5, 8}, 0.1), key = wave({5, 4}, 0.7), value = wave({5, 4}, 1.9),
               added = wave({4, 5, 5}, 0.3), more = wave({7, 4}, 0.7), values = wave({7, 4}, 1.9);
  const auto attend = [&](const std::string& name, AttentionOptions options, Tensors also = {}) {
    options.heads = 4;
    options.kv_heads = 2;
    Tensors leaves = {query, key, value};
    leaves.insert(leaves.end(), also.begin(), also.end());
    cases.check(name, attention(query, key, value, Ragged({5}), options), leaves);
  };
  attend("attention", {});
  attend("attention causal", {.causal = true});
  attend("attention window", {.window = 1, .query_block = 2});
  attend("attention causal window", {.causal = true, .window = 2, .query_block = 2});
  attend("attention alibi", {.causal = true, .alibi_slopes = alibi_slopes(4)});
  attend("attention bias", {.bias = added, .query_block = 3}, {added});
  cases.check("attention cross",
              attention(query, more, values, Ragged({5}),
                        {.heads = 4, .kv_heads = 2, .key_sequences = Ragged({7})}),
              {query, more, values});
}

TEST_CASE("values: functions at their edges, as PyTorch has them") {
  const double nan = std::nan("");
  const Tensor x = tensor({-kInf, -1, -0.5, 0, 0.5, kInf}, DType::f64).set_requires_grad();
  CHECK(values(sign(x)) == std::vector<double>{-1, -1, -1, 0, 1, 1});
  CHECK(values(floor(x)) == std::vector<double>{-kInf, -1, -1, 0, 0, kInf});
  CHECK(!grad(sum(sign(x)), {x})[0].defined());
  // a bound belongs to what passes
  CHECK(values(grad(sum(clamp(x, -0.5, 0.5)), {x})[0]) == std::vector<double>{0, 0, 1, 1, 1, 0});
  for (const Tensor& y : {clamp(tensor({nan}), 0, 1), sign(tensor({nan})), floor(tensor({nan})),
                          leaky_relu(tensor({nan})), elu(tensor({nan})), softplus(tensor({nan})),
                          log1p(tensor({nan})), expm1(tensor({nan})), silu(tensor({nan}))})
    CHECK(std::isnan(y.item()));

  // x^0 is 1 with derivative 0 everywhere, x^1 has derivative 1 at 0 and no second one
  const Tensor zero = zeros({1}, DType::f64).set_requires_grad();
  CHECK(grad(pow(zero, 0.0), {zero})[0].defined() == false);
  const Tensor slope = grad(sum(pow(zero, 1)), {zero})[0];
  CHECK(slope.item() == 1);
  const Tensor a = tensor({0, 0, 0, 2}, DType::f64).set_requires_grad(),
               b = tensor({0, 1, 2, 0}, DType::f64).set_requires_grad();
  const Tensors dab = grad(sum(pow(a, b)), {a, b});
  CHECK(values(pow(a, b)) == std::vector<double>{1, 0, 0, 1});
  CHECK(values(dab[0]) == std::vector<double>{0, 1, 0, 0});
  CHECK(values(dab[1]) == std::vector<double>{0, 0, 0, std::log(2.0)});

  const Tensor infinite = tensor({{-kInf, -kInf}, {kInf, 0}, {-kInf, 1}}, DType::f64);
  CHECK(values(logsumexp(infinite)) == std::vector<double>{-kInf, kInf, 1});
  const Expand expand;
  CHECK(values(logsumexp(infinite)) == std::vector<double>{-kInf, kInf, 1});
}

TEST_CASE("values: labels that do not count, and probabilities of zero") {
  const Tensor logits = wave({3, 4}, 0.1), labels = tensor({2, -100, 3}, DType::i64);
  const Tensor two = concat({slice(logits, 0, 0, 1), slice(logits, 0, 2, 3)}, 0);
  const double loss = cross_entropy(logits, labels, {.ignore_index = -100}).item();
  CHECK(loss == doctest::Approx(cross_entropy(two, tensor({2, 3}, DType::i64)).item()));
  CHECK(cross_entropy(logits, full({3}, -1, DType::i32), {.ignore_index = -1}).item() == 0);
  const Tensor weight = wave({4, 4}, 0.5), bias = wave({4}, 0.2);
  const DecoderLoss all = decoder_loss(logits, weight, bias, labels, {.ignore_index = -100});
  const DecoderLoss some = decoder_loss(two, weight, bias, tensor({2, 3}, DType::i64));
  CHECK(all.loss.item() == doctest::Approx(some.loss.item()));
  CHECK(all.correct == some.correct);

  const Tensor log_q = tensor({-1, -2}, DType::f64), p = tensor({0, 1}, DType::f64);
  CHECK(kl_div(log_q, p, 1.0).item() == 2);
}

TEST_CASE("values: attention_probabilities are what attention() multiplies V with") {
  const Tensor q = wave({5, 8}, 0.1), k = wave({5, 4}, 0.7), v = wave({5, 4}, 1.9);
  const Ragged sequences({3, 2});
  const AttentionOptions options{
      .heads = 4, .kv_heads = 2, .window = 1, .alibi_slopes = alibi_slopes(4)};
  const Tensors p = attention_probabilities(q, k, sequences, options);
  REQUIRE(p.size() == 2);
  CHECK(p[0].shape() == Shape{4, 3, 3});
  CHECK(values(slice(slice(slice(p[0], 0, 1, 2), 1, 0, 1), 2, 2, 3)) == std::vector<double>{0});
  const Tensor context = attention(q, k, v, sequences, options);
  const Tensor head =
      matmul(reshape(slice(p[1], 0, 3, 4), {2, 2}), slice(slice(v, 0, 3, 5), 1, 2, 4));
  CHECK(distance(slice(slice(context, 0, 3, 5), 1, 6, 8), head) < 1e-12);
  const Tensor six = from_vector(alibi_slopes(6), {6});
  const Tensor expected = tensor({0.25, 0.0625, 0.015625, 0.00390625, 0.5, 0.125}, DType::f64);
  CHECK(distance(six, expected) < 1e-15);
}

}  // namespace gradus::testing
