// Cross-entropy of rows of logits with one label each.  logits [rows, classes]  labels [rows]  ->  loss []
//   loss = sum over rows of (log sum exp(logits) - logits[label]) / denominator
//   dlogits = dy (softmax(logits) - onehot(label)) / denominator
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
  explicit CrossEntropy(double denominator) : denominator(denominator) {}
  std::string detail() const override { return fmt::format("denominator={}", denominator); }

  Tensors reference(Inputs in) const {
    return {sum(gather(log_softmax(in[0]), -1, reshape(in[1], {-1, 1}))) * (-1 / denominator)};
  }

  Tensors forward(Inputs in) override {
    if (in[0].rank() != 2)
      fail("cross_entropy: logits have shape {}; they must be [rows, classes]", in[0].shape());
    const int64_t rows = in[0].shape()[0], n = in[0].shape()[1];
    const auto labels = checked_labels(name, in[1], rows, n);
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

Tensor cross_entropy(const Tensor& logits, const Tensor& labels,
                     std::optional<double> denominator) {
  return apply<CrossEntropy>(
      {logits, labels},
      denominator.value_or(static_cast<double>(std::max<int64_t>(labels.numel(), 1))))[0];
}

OpInfos cross_entropy_ops() {
  const auto call = [](Inputs in) { return Tensors{cross_entropy(in[0], in[1])}; };
  OpInfo info{"cross_entropy", "-log softmax(logits)[label]", "cross_entropy",
              [=]() -> std::vector<Sample> {
                return {
                    {"matrix", {sample_normal({3, 4}, 1), sample_indices({3}, 4, 1)}, call},
                    {"a denominator",
                     {sample_normal({4, 3}, 2), sample_indices({4}, 3, 2)},
                     [](Inputs in) { return Tensors{cross_entropy(in[0], in[1], 7.0)}; }},
                    {"vector tail", {sample_normal({2, 19}, 3), sample_indices({2}, 19, 3)}, call},
                    {"logits of a product",
                     {sample_normal({3, 4}, 4), sample_indices({3}, 4, 4)},
                     [](Inputs in) { return Tensors{cross_entropy(in[0] * tanh(in[0]), in[1])}; }}};
              }};
  info.errors = []() -> std::vector<ErrorSample> {
    return {{"label",
             [] {
               cross_entropy(ones({2, 3}), tensor({0, 3}, DType::i32));
             },
             {"cross_entropy", "label 3", "row 1", "0..2"}},
            {"rows",
             [] {
               cross_entropy(ones({2, 3}), tensor({0}, DType::i32));
             },
             {"cross_entropy", "[1]", "2 rows"}}};
  };
  return {info};
}

}  // namespace gradus
