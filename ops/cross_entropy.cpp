// Cross-entropy of rows of logits with one label each.
//   logits [rows, classes]  labels [rows], i32 or i64  ->  loss []
//   loss = sum over rows of (log sum exp(logits) - logits[label]) / denominator
//   dlogits = dy (softmax(logits) - onehot(label)) / denominator
// Rows whose label is ignore_index have no part in it, nor in the default denominator, the number
// of the others.
// The unit gradient (dy = 1) is computed in the forward, while the row is in cache, and only while
// recording; backward multiplies it by dy.
#include "gradus/kernels/kernels.h"
#include "gradus/ops/labels.h"
#include "gradus/ops/rows.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

struct CrossEntropy : Fused<CrossEntropy> {
  static constexpr const char* name = "cross_entropy";
  double denominator;
  std::optional<int64_t> ignore_index;
  CrossEntropy(double denominator, std::optional<int64_t> ignore_index)
      : denominator(denominator), ignore_index(ignore_index) {}
  std::string detail() const override { return fmt::format("denominator={}", denominator); }

  Tensors reference(Inputs in) const {
    const Tensor logs = log_softmax(in[0]), labels = reshape(in[1], {-1, 1});
    if (!ignore_index) return {sum(gather(logs, -1, labels)) * (-1 / denominator)};
    const Tensor ignored = equal(labels, full({}, *ignore_index, labels.dtype()));
    const Tensor any = where(ignored, zeros({}, labels.dtype()), labels);
    const Tensor picked = where(ignored, zeros({}, logs.dtype()), gather(logs, -1, any));
    return {sum(picked) * (-1 / denominator)};
  }

  Tensors forward(Inputs in) override {
    if (in[0].rank() != 2)
      fail("cross_entropy: logits have shape {}; they must be [rows, classes]", in[0].shape());
    const int64_t rows = in[0].shape()[0], n = in[0].shape()[1];
    const auto labels = checked_labels(name, in[1], rows, n, ignore_index);
    const Tensor logits = contiguous(in[0]);
    // becomes the gradient, or scratch
    Tensor unit = Tensor::empty(logits.shape(), logits.dtype());
    double loss = 0;
    dispatch_float(name, logits.dtype(), [&]<class T>() {
      T* to = unit.write<T>();
      std::vector<T> losses(static_cast<size_t>(rows));
      for_row_blocks(rows, n, [&](int64_t first, int64_t count) {
        std::copy_n(logits.data<T>() + first * n, count * n, to + first * n);
        kernels<T>().cross_entropy(to + first * n, nullptr, labels.data() + first,
                                   losses.data() + first, nullptr, count, n,
                                   static_cast<T>(1 / denominator), recording());
      });
      for (const T row : losses) loss += static_cast<double>(row);
    });
    save({unit});
    return {scalar(loss / denominator, logits.dtype())};
  }
  Tensors backward(const Tensors& dys) override { return {saved(0) * dys[0], Tensor()}; }
};

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& labels, LossOptions options) {
  return apply<CrossEntropy>({logits, labels}, loss_denominator(options, labels),
                             options.ignore_index)[0];
}
Tensor cross_entropy(const Tensor& logits, const Tensor& labels,
                     std::optional<double> denominator) {
  return cross_entropy(logits, labels, LossOptions{.denominator = denominator});
}

OpInfos cross_entropy_ops() {
  const auto call = [](Inputs in) { return Tensors{cross_entropy(in[0], in[1])}; };
  const auto with = [](LossOptions options) {
    return [=](Inputs in) { return Tensors{cross_entropy(in[0], in[1], options)}; };
  };
  return {
      {.name = "cross_entropy",
       .formula = "-log softmax(logits)[label]",
       .samples = {{"matrix", {sample::normal({3, 4}), sample::indices({3}, 4)}, call},
                   {"i64 labels",
                    {sample::normal({3, 4}), sample::indices({3}, 4, DType::i64)},
                    call},
                   {"a denominator",
                    {sample::normal({4, 3}), sample::indices({4}, 3)},
                    [](Inputs in) { return Tensors{cross_entropy(in[0], in[1], 7.0)}; }},
                   {"ignored labels",
                    {sample::normal({4, 3}), tensor({1, -100, 2, -100}, DType::i64)},
                    with({.ignore_index = -100})},
                   {"an ignored class",
                    {sample::normal({5, 3}), tensor({1, 0, 2, 0, 1}, DType::i32)},
                    with({.denominator = 4.0, .ignore_index = 0})},
                   {"vector tail", {sample::normal({2, 19}), sample::indices({2}, 19)}, call},
                   {"logits of a product",
                    {sample::normal({3, 4}), sample::indices({3}, 4)},
                    [](Inputs in) { return Tensors{cross_entropy(in[0] * tanh(in[0]), in[1])}; }}},
       .errors = {
           {"label",
            [] {
              cross_entropy(ones({2, 3}), tensor({0, 3}, DType::i32));
            },
            {"cross_entropy", "label 3", "row 1", "0..2"}},
           {"label past i32",
            [] {
              cross_entropy(ones({1, 3}),
                            from_vector(std::vector<int64_t>{(int64_t{1} << 32) + 1}, {1}));
            },
            {"cross_entropy", "label 4294967297", "row 0"}},
           {"ignored label that nobody ignores",
            [] {
              cross_entropy(ones({1, 3}), tensor({-100}, DType::i32));
            },
            {"cross_entropy", "label -100", "row 0"}},
           {"label beside the ignored",
            [] {
              cross_entropy(ones({2, 3}), tensor({-100, -1}, DType::i32), {.ignore_index = -100});
            },
            {"cross_entropy", "label -1", "row 1", "ignored -100"}},
           {"float labels",
            [] {
              cross_entropy(ones({2, 3}), ones({2}));
            },
            {"cross_entropy", "i32 or i64", "f32"}},
           {"rows",
            [] {
              cross_entropy(ones({2, 3}), tensor({0}, DType::i32));
            },
            {"cross_entropy", "[1]", "2 rows"}}}}};
}

}  // namespace gradus
