// check_op on ops of a user's: a right one passes every part; of each kind of mistake, one that has
// it fails in that part, with words that say what is wrong.
#include "gradus/ops/check_op.h"

#include <omp.h>

#include <atomic>
#include <cmath>

#include "gradus/base/parallel.h"
#include "gradus/kernels/kernels.h"
#include "gradus/ops/elementwise.h"
#include "gradus/ops/ops.h"
#include "tests/ops/samples.h"
#include "tests/support.h"

namespace gradus::testing {
namespace {

// y = x sigmoid(x), written as a stranger would, with a switch for each mistake.
struct Mistakes {
  bool ignores_strides = false, wrong_reference = false, wrong_backward = false;
  bool reduces_by_threads = false, only_best_level = false, crashes_on_integers = false;
  bool float_inside = false, first_order_silent = false, writes_input = false;
  bool wrong_empty = false, ignores_dy_strides = false;
};

struct Swish : Fused<Swish> {
  static constexpr const char* name = "swish";
  Mistakes mistakes;
  explicit Swish(Mistakes mistakes) : mistakes(mistakes) {}

  Tensors reference(Inputs in) const {
    return {in[0] * sigmoid(mistakes.wrong_reference ? in[0] * 1.001 : in[0])};
  }

  Tensors forward(Inputs in) override {
    if (!is_float(in[0].dtype())) {
      if (mistakes.crashes_on_integers) fail("bad dtype");
      fail("swish: needs floats, got {}", to_string(in[0].dtype()));
    }
    const Tensor x = mistakes.ignores_strides ? in[0] : contiguous(in[0]);
    save({x});
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    dispatch_float(name, x.dtype(), [&]<class T>() {
      const T* from = x.data<T>();
      T* to = y.write<T>();
      for (int64_t i = 0; i < x.numel(); ++i) {
        const T s = mistakes.float_inside
                        ? static_cast<T>(1 / (1 + std::exp(-static_cast<float>(from[i]))))
                        : 1 / (1 + std::exp(-from[i]));
        to[i] = from[i] * s;
      }
      if (mistakes.only_best_level && std::is_same_v<T, float> && y.numel() > 0) {
        int count = 0;
        const auto* levels = kernel_levels(&count);
        if (&kernels<float>() != levels[count - 1]) to[0] += 1;
      }
      if (mistakes.reduces_by_threads && y.numel() > 0)
        to[0] += static_cast<T>(1e-3 * (omp_get_max_threads() - 1));
      if (mistakes.wrong_empty && y.shape()[0] == 1) to[0] = 7;
    });
    if (mistakes.writes_input && x.dtype() == DType::f64 && x.numel() > 0) {
      Tensor scratch = in[0].detach();
      *scratch.write<double>() = 0.5;
    }
    return {y};
  }

  Tensors backward(const Tensors& dys) override {
    const Tensor x = saved(0), s = sigmoid(x);
    const Tensor dy =
        mistakes.ignores_dy_strides
            ? dys[0].view(dys[0].shape(), contiguous_strides(dys[0].shape()), dys[0].offset())
            : dys[0];
    const Tensor dx = dy * s * (1 + x * (1 - s));
    return {mistakes.wrong_backward ? dx * 2.0 : dx};
  }
};

OpInfo swish_info(Mistakes mistakes = {}) {
  const Function call = [=](Inputs in) { return apply<Swish>(in, mistakes); };
  return {
      .name = "swish",
      .formula = "x sigmoid(x)",
      .samples = {{"matrix", {sample::normal({3, 4})}, call},
                  {"three axes", {sample::normal({2, 3, 2})}, call}},
      .errors = {{"integers", [=] { call({arange(3)}); }, {"swish", "i64"}}},
  };
}

// Runs one part; the log must hold the words.
void check_notices(const std::string& part, const OpInfo& info,
                   const std::vector<std::string>& words) {
  const OpReport report = check_op(info, {part});
  CHECK_FALSE(report);
  for (const std::string& word : words) CHECK_MENTIONS(report.log, word);
}

// z = x y, whose second gradient is wrong by a factor, and a silent one that no sample shows.
struct Product : Op<Product> {
  static constexpr const char* name = "product";
  double factor;
  bool by_identity;
  Product(double factor, bool by_identity) : factor(factor), by_identity(by_identity) {}
  bool same = false;
  Tensors forward(Inputs in) override {
    save({in[0], in[1]});
    same = by_identity && in[0].get().storage == in[1].get().storage;
    return {in[0] * in[1]};
  }
  Tensors backward(const Tensors& dys) override {
    return {dys[0] * saved(1) * (same ? 2.0 : 1.0), dys[0] * saved(0) * factor};
  }
};

OpInfo product_info(double factor, bool by_identity, const SampleInputs& inputs) {
  return {.name = "product", .formula = "x y", .samples = {{"sample", inputs, [=](Inputs in) {
                                                              return apply<Product>(in, factor,
                                                                                    by_identity);
                                                            }}}};
}

// y = 2 x, whose gradient is put straight into the leaf's where there is a place for it.
struct Placing : Op<Placing> {
  static constexpr const char* name = "placing";
  bool overwrites;
  explicit Placing(bool overwrites) : overwrites(overwrites) {}
  Tensors forward(Inputs in) override { return {in[0] * 2.0}; }
  Tensors backward(const Tensors& dys) override {
    const Tensor dx = dys[0] * 2.0;
    GradientSlot place = slot(0);
    copy_into(dx, place.into, place.add && !overwrites);
    return {place.gradient()};
  }
};

OpInfo placing_info(bool overwrites) {
  return {.name = "placing",
          .formula = "2 x",
          .samples = {{"sample", {sample::normal({2, 3})}, [=](Inputs in) {
                         return apply<Placing>(in, overwrites);
                       }}}};
}

}  // namespace

TEST_CASE("check_op: a right op of a stranger's passes, and the report says what was compared") {
  const OpReport report = check_op(swish_info());
  CHECK_MESSAGE(report.ok, report.log);
  for (const std::string& part : check_op_parts()) {
    CHECK_MENTIONS(report.log, part);
    if (part != "inputs") CHECK_MESSAGE(report.counts.at(part) > 0, part);  // it has one input
  }
  CHECK_MENTIONS(report.log, "(worst error");
  CHECK(report.counts.at("mutants") == 3);
  CHECK_MENTIONS(error_of([] { check_op(swish_info(), {"derivative"}); }), "derivatives, layouts");
}

TEST_CASE("check_op: no samples, another name, an op that writes into its input") {
  check_notices("samples", {.name = "swish", .formula = "x", .samples = {}},
                {"there are no samples"});
  OpInfo renamed = swish_info();
  renamed.name = "swosh";
  check_notices("samples", renamed, {"makes no node named 'swosh'"});
  check_notices("samples", swish_info({.writes_input = true}), {"writes into its input 0"});
  OpInfo single = swish_info();
  single.samples = {{"single", {Tensor(ones({3}))}, single.samples[0].call}};
  check_notices("samples", single, {"must be f64"});
}

TEST_CASE("check_op: each mistake is noticed in its part") {
  check_notices(
      "derivatives", swish_info({.wrong_backward = true}),
      {"sample 'matrix', contiguous", "it is 2 times the right one", "its own backward()"});
  check_notices("layouts", swish_info({.ignores_strides = true}),
                {"'matrix', transposed, f64", "not those of the contiguous copy"});
  check_notices("fused", swish_info({.ignores_dy_strides = true}), {"recorded gradients differ"});
  check_notices("dtypes", swish_info({.crashes_on_integers = true}),
                {"i32: the Error 'bad dtype' should begin with 'swish:'"});
  OpInfo strict = swish_info();
  strict.f32_tolerance = 1e-9;
  check_notices("dtypes", strict, {"from f64, more than f32_tolerance 1.0e-09"});
  check_notices("sizes", swish_info({.wrong_empty = true}), {"not the reference's"});
  check_notices("fused", swish_info({.wrong_reference = true}),
                {"values or gradients differ", "from the reference's"});
  check_notices("threads", swish_info({.reduces_by_threads = true}),
                {"other bits on 2 to 4 threads"});
  check_notices("derivatives", swish_info({.float_inside = true}), {"f32 rounding"});
  int count = 0;
  kernel_levels(&count);
  if (count > 1)
    check_notices("levels", swish_info({.only_best_level = true}), {"level baseline: f32 is"});
  else MESSAGE("SKIPPED: this processor has one level");
  OpInfo silent = swish_info();
  silent.errors = {{"shapes", [] {}, {"swish"}}, {"words", [] { fail("swish: no"); }, {"[2, 3]"}}};
  check_notices("errors", silent,
                {"'shapes' throws no Error", "'swish: no' should mention '[2, 3]'"});
}

TEST_CASE("check_op: inputs by identity, gradients in leaves, and samples that show too little") {
  const SampleInputs two{sample::normal({2, 3}), sample::normal({2, 3})};
  CHECK(check_op(product_info(1, false, two), {"inputs"}));
  check_notices("inputs", product_info(1, true, two), {"input 1 = x of input 0", "WRONG"});
  // a sample whose second input is zero where it counts hides the first one's mutants
  check_notices(
      "mutants",
      product_info(1, false, {Tensor(ones({2, 3}, DType::f64)), Tensor(zeros({2, 3}, DType::f64))}),
      {"the gradient of input 0 zeroed is noticed by no sample"});
  OpInfo declared = product_info(1, false, two);
  declared.zero_gradients = {1};
  check_notices("mutants", declared, {"declared zero (zero_gradients), but zeroed is noticed"});
  check_notices("threads",
                {.name = "product",
                 .formula = "x y",
                 .samples = {{"fixed", two,
                              [](Inputs in) {
                                if (in[0].numel() != 6) fail("product: six elements");
                                return apply<Product>(in, 1.0, false);
                              }}}},
                {"give such calls in OpInfo::large"});
}

TEST_CASE("check_op: a gradient put into a leaf beside what is there, not added, is noticed") {
  check_notices("leaves", placing_info(true), {"a second backward() does not add"});
  const OpReport right = check_op(placing_info(false), {"leaves"});
  CHECK_MESSAGE(right.ok, right.log);
}

}  // namespace gradus::testing
