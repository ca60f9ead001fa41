// Losses against PyTorch 2.13's numbers (torch.nn.functional, float64), their options and their
// gradients; the plain cases of every head are in tests/parity.
#include "gradus/nn/losses.h"

#include "gradus/autograd/gradcheck.h"
#include "tests/support.h"

using namespace gradus;
using namespace gradus::testing;

namespace {
const Tensor logits =
    tensor({{1.0, -0.5, 2.0}, {0.2, 0.1, -1.0}, {-2.0, 3.0, 0.5}, {0.0, 0.0, 1.5}}, DType::f64);
const std::vector<int32_t> labels{2, 0, 0, 1};

double value(const CrossEntropyOptions& options) {
  return weighted_cross_entropy(logits, labels, options).item();
}
}  // namespace

TEST_CASE("cross-entropy with class weights and label smoothing is PyTorch's") {
  // F.cross_entropy(logits, labels, weight=torch.tensor([1., 2., .5]), label_smoothing=0.1) and
  // with one of them
  CHECK(value({}) == doctest::Approx(2.02920316812299).epsilon(1e-12));
  CHECK(value({.class_weights = {1, 2, 0.5}}) == doctest::Approx(2.17778317599265).epsilon(1e-12));
  CHECK(value({.label_smoothing = 0.1}) == doctest::Approx(1.99420316812299).epsilon(1e-12));
  CHECK(value({.class_weights = {1, 2, 0.5}, .label_smoothing = 0.1}) ==
        doctest::Approx(2.13192222397651).epsilon(1e-12));
  // (((1 - p) ** 2) * F.cross_entropy(logits, labels, reduction="none")).mean(), p =
  // softmax(logits)[label]
  CHECK(value({.focal_gamma = 2}) == doctest::Approx(1.65784479825259).epsilon(1e-12));
}

TEST_CASE("their gradients are right to second order") {
  for (const CrossEntropyOptions& options :
       {CrossEntropyOptions{},
        {.class_weights = {1, 2, 0.5}},
        {.label_smoothing = 0.1},
        {.class_weights = {1, 2, 0.5}, .label_smoothing = 0.1, .focal_gamma = 2}}) {
    const auto report = gradcheck(
        [&](Inputs in) { return Tensors{weighted_cross_entropy(in[0], labels, options)}; },
        {logits}, {.order = 2});
    CHECK_MESSAGE(report.ok, report.log);
  }
  const Tensor targets = tensor({{1, 0, 1}, {0, 0, 1}, {1, 1, 0}, {0, 1, 0}}, DType::f64);
  CHECK(gradcheck(
            [&](Inputs in) {
              return Tensors{binary_cross_entropy(in[0], targets),
                             mean_squared_error(in[0], targets)};
            },
            {logits}, {.order = 2})
            .ok);
  const Tensor span = tensor({{1, 0.5}, {-1, 2}, {0.3, -0.2}, {0, 1}, {0.7, 0.1}}, DType::f64);
  CHECK(gradcheck(
            [&](Inputs in) {
              return Tensors{span_loss(in[0], Ragged({2, 3}), {1, 0}, {1, 2})};
            },
            {span}, {.order = 2})
            .ok);
}

TEST_CASE("a big batch is the sum of its parts, divided by the denominator of the whole") {
  const CrossEntropyOptions options{.class_weights = {1, 2, 0.5}};
  const double whole = total_weight(labels, options);
  const double parts =
      weighted_cross_entropy(slice(logits, 0, 0, 3), {2, 0, 0}, options, whole).item() +
      weighted_cross_entropy(slice(logits, 0, 3, 4), {1}, options, whole).item();
  CHECK(parts == doctest::Approx(value(options)).epsilon(1e-12));
}

TEST_CASE("wrong losses are refused") {
  CHECK_MENTIONS(error_of([] { value({.class_weights = {1, 2}}); }), "2");
  CHECK_MENTIONS(error_of([] { value({.focal_gamma = 0.5}); }), "focal gamma of 0.5");
  CHECK_MENTIONS(error_of([] {
                   span_loss(ones({5, 2}), Ragged({2, 3}), {2, 0}, {1, 2});
                 }),
                 "the position 2 of sequence 0 is outside its 2 tokens");
  CHECK_MENTIONS(error_of([] {
                   span_loss(ones({5, 3}), Ragged({2, 3}), {1, 0}, {1, 2});
                 }),
                 "[5, 2]");
  // a label without a class, with and without weights
  for (const CrossEntropyOptions& options : {CrossEntropyOptions{}, {.label_smoothing = 0.1}})
    CHECK_MENTIONS(error_of([&] {
                     weighted_cross_entropy(logits, {2, 0, 3, 1}, options);
                   }),
                   "the label 3 of row 2 is outside 0..2");
  // [4] against [4, 1] would broadcast to [4, 4]
  const Tensor column = ones({4, 1}), row = ones({4});
  CHECK_MENTIONS(error_of([&] { mean_squared_error(column, row); }),
                 "predictions have shape [4, 1], the targets [4]");
  CHECK_MENTIONS(error_of([&] { binary_cross_entropy(row, column); }),
                 "logits have shape [4], the targets [4, 1]");
}

TEST_CASE("labels may be a tensor, of either width") {
  const CrossEntropyOptions smooth{.class_weights = {1, 2, 0.5}, .label_smoothing = 0.1};
  for (const CrossEntropyOptions& options : {CrossEntropyOptions{}, smooth})
    for (const DType dtype : {DType::i32, DType::i64})
      CHECK(weighted_cross_entropy(logits, tensor({2, 0, 0, 1}, dtype), options).item() ==
            value(options));
}

TEST_CASE("rows with the ignored label do not count, whatever the options") {
  const Tensor more =
      concat({slice(logits, 0, 0, 2), ones({1, 3}, DType::f64) * 7, slice(logits, 0, 2, 4)}, 0);
  for (CrossEntropyOptions options :
       {CrossEntropyOptions{}, {.label_smoothing = 0.1}, {.class_weights = {1, 2, 0.5}}}) {
    const double wanted = value(options);
    options.ignore_index = -100;
    const std::vector<int32_t> with_ignored{2, 0, -100, 0, 1};
    CHECK(weighted_cross_entropy(more, with_ignored, options).item() ==
          doctest::Approx(wanted).epsilon(1e-14));
    CHECK(total_weight(with_ignored, options) == total_weight(labels, options));
    CHECK_MENTIONS(error_of([&] {
                     weighted_cross_entropy(more, {2, 0, -1, 0, 1}, options);
                   }),
                   "the label -1 of row 2");
    CHECK(weighted_cross_entropy(more, {-100, -100, -100, -100, -100}, options).item() == 0);
  }
}

TEST_CASE("accuracy is the share of rows whose largest logit is the label's") {
  const Tensor logits = tensor({{1, 2, 0}, {3, 2, 1}, {0, 0, 1}, {1, 0, 0}});
  CHECK(accuracy(logits, from_vector(std::vector<int32_t>{1, 0, 1, 2})) == 0.5);
  CHECK(accuracy(logits, from_vector(std::vector<int64_t>{1, 0, 2, 0})) == 1);
  CHECK_MENTIONS(error_of([&] { accuracy(logits, arange(3)); }), "accuracy", "[4, 3]", "[3]");
}
