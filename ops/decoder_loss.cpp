// Cross-entropy over a vocabulary with the decoder in it: logits = x W^T + bias, of which only a
// chunk of rows exists at a time.
//   x [rows, hidden]  weight [V, hidden]  bias [V]  labels [rows] -> loss [], correct [] (i64, how
//   many rows' label has the highest logit)
//   p = (softmax(logits) - onehot(label)) / denominator:
//   dx = dy p W,  dweight = dy p^T x,  dbias = dy sum of p over rows
// While recording, a chunk's p is turned into the three unit gradients at once, in buffers of its
// own, and forgotten; backward multiplies them by dy. With rows gathered at the predicted positions
// and weight the word embeddings, this is BERT's masked-language-model loss. The idea of computing
// the gradient in the forward is Liger's fused linear cross-entropy (Hsu et al. 2024).
#include "gradus/kernels/gemm.h"
#include "gradus/kernels/kernels.h"
#include "gradus/ops/labels.h"
#include "gradus/ops/rows.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

constexpr int64_t chunk_elements = int64_t{1} << 23;  // logits held at once: 32 MB in f32

struct DecoderLossOp : Fused<DecoderLossOp> {
  static constexpr const char* name = "decoder_loss";
  double denominator;
  std::optional<int64_t> ignore_index;
  int64_t chunk_rows;
  DecoderLossOp(double denominator, std::optional<int64_t> ignore_index, int64_t chunk_rows)
      : denominator(denominator), ignore_index(ignore_index), chunk_rows(chunk_rows) {}
  std::string detail() const override { return fmt::format("denominator={}", denominator); }

  Tensors reference(Inputs in) const {
    const Tensor logits = linear(in[0], in[1], in[2]);
    return {
        cross_entropy(logits, in[3], {.denominator = denominator, .ignore_index = ignore_index}),
        sum_correct(logits.detach(), in[3])};
  }

  Tensors forward(Inputs in) override {
    const Tensor x = contiguous(in[0]), weight = contiguous(in[1]), bias = contiguous(in[2]);
    check_same_dtype(name, x, weight);
    check_same_dtype(name, x, bias);
    if (x.rank() != 2 || weight.rank() != 2 || x.shape()[1] != weight.shape()[1] ||
        bias.shape() != Shape{weight.shape()[0]})
      fail(
          "decoder_loss: x {}, weight {}, bias {}; they must be [rows, hidden], [vocabulary, "
          "hidden], [vocabulary]",
          x.shape(), weight.shape(), bias.shape());
    const int64_t rows = x.shape()[0], hidden = x.shape()[1], n = weight.shape()[0];
    const auto labels = checked_labels(name, in[3], rows, n, ignore_index);
    const int64_t chunk = std::min(
        rows, chunk_rows > 0
                  ? chunk_rows
                  : std::clamp<int64_t>(chunk_elements / std::max<int64_t>(n, 1), 64, 4096));
    Tensor logits = Tensor::empty({chunk, n}, x.dtype()), dx, dweight, dbias;
    if (recording())
      dx = Tensor::empty(x.shape(), x.dtype()), dweight = Tensor::empty(weight.shape(), x.dtype()),
      dbias = zeros({n}, x.dtype());
    if (recording() && rows == 0) dweight = zeros(weight.shape(), x.dtype());
    double loss = 0;
    int64_t correct = 0;
    dispatch_float(name, x.dtype(), [&]<class T>() {
      T* p = logits.write<T>();
      std::vector<T> losses(static_cast<size_t>(rows));
      std::vector<uint8_t> right(static_cast<size_t>(rows));
      for (int64_t begin = 0; begin < rows; begin += chunk) {
        const int64_t count = std::min(chunk, rows - begin);
        const T* from = x.data<T>() + begin * hidden;
        gemm<T>(false, true, count, n, hidden, 1, from, hidden, weight.data<T>(), hidden, 0, p, n);
        for_row_blocks(count, n, [&](int64_t first, int64_t block) {
          kernels<T>().cross_entropy(p + first * n, bias.data<T>(), labels.data() + begin + first,
                                     losses.data() + begin + first, right.data() + begin + first,
                                     block, n, static_cast<T>(1 / denominator), recording());
        });
        if (!recording()) continue;
        gemm<T>(false, false, count, hidden, n, 1, p, n, weight.data<T>(), hidden, 0,
                dx.write<T>() + begin * hidden, hidden);
        gemm<T>(true, false, n, hidden, count, 1, p, n, from, hidden, begin ? 1 : 0,
                dweight.write<T>(), hidden);
        T* sums = dbias.write<T>();
        parallel_for(n, 2048, [&](int64_t first, int64_t end) {  // columns shared, rows in order
          for (int64_t r = 0; r < count; ++r)
            kernels<T>().add(p + r * n + first, sums + first, end - first);
        });
      }
      for (const T row : losses) loss += static_cast<double>(row);
      for (const uint8_t row : right) correct += row;
    });
    if (recording()) save({dx, dweight, dbias});
    Tensor correct_count = Tensor::empty({}, DType::i64);
    *correct_count.write<int64_t>() = correct;
    return {scalar(loss / denominator, x.dtype()), correct_count};
  }

  Tensors backward(const Tensors& dys) override {
    Tensors dxs(4);
    for (size_t i = 0; i < 3; ++i) {
      if (!wants(i)) continue;
      GradientSlot dx = slot(i);
      dispatch_float(name, dys[0].dtype(), [&]<class T>() {
        const T dy = static_cast<T>(dys[0].item());
        const T* unit = saved(i).data<T>();
        T* to = dx.into.write<T>();
        const auto loop = dx.add ? kernels<T>().axpy : kernels<T>().scale;
        parallel_for(dx.into.numel(), element_block, [&](int64_t begin, int64_t end) {
          loop(dy, unit + begin, to + begin, end - begin);
        });
      });
      dxs[i] = dx.gradient();
    }
    return dxs;
  }

 private:
  Tensor sum_correct(const Tensor& logits, const Tensor& labels) const {
    const auto best = argmax(logits, -1).to_vector<int64_t>();
    const auto wanted =
        checked_labels(name, labels, logits.shape()[0], logits.shape()[1], ignore_index);
    Tensor count = zeros({}, DType::i64);
    for (size_t i = 0; i < best.size(); ++i) *count.write<int64_t>() += best[i] == wanted[i];
    return count;
  }
};

}  // namespace

DecoderLoss decoder_loss(const Tensor& x, const Tensor& weight, const Tensor& bias,
                         const Tensor& labels, LossOptions options, int64_t chunk_rows) {
  const Tensors y =
      apply<DecoderLossOp>({x, weight, bias, labels}, loss_denominator(options, labels),
                           options.ignore_index, chunk_rows);
  return {y[0], static_cast<int64_t>(y[1].item())};
}
DecoderLoss decoder_loss(const Tensor& x, const Tensor& weight, const Tensor& bias,
                         const Tensor& labels, std::optional<double> denominator,
                         int64_t chunk_rows) {
  return decoder_loss(x, weight, bias, labels, LossOptions{.denominator = denominator}, chunk_rows);
}

OpInfos decoder_loss_ops() {
  const auto call = [](int64_t chunk, std::optional<int64_t> ignore_index = {}) {
    return [=](Inputs in) {
      const LossOptions options{.denominator = 2.5, .ignore_index = ignore_index};
      return Tensors{decoder_loss(in[0], in[1], in[2], in[3], options, chunk).loss};
    };
  };
  return {
      {.name = "decoder_loss",
       .formula = "cross_entropy(x W^T + b)",
       .samples = {{"one chunk",
                    {sample::normal({3, 2}), sample::normal({5, 2}), sample::normal({5}),
                     sample::indices({3}, 5)},
                    call(0)},
                   {"chunks of 2 rows",
                    {sample::normal({5, 2}), sample::normal({4, 2}), sample::normal({4}),
                     sample::indices({5}, 4)},
                    call(2)},
                   {"ignored labels",
                    {sample::normal({5, 2}), sample::normal({4, 2}), sample::normal({4}),
                     tensor({-100, 3, -100, 0, 1}, DType::i64)},
                    call(2, -100)},
                   {"vector tail",
                    {sample::normal({2, 3}), sample::normal({19, 3}), sample::normal({19}),
                     sample::indices({2}, 19)},
                    call(1)},
                   {"x taken from the weight",
                    {sample::normal({5, 3}), sample::normal({5}), sample::indices({4}, 5)},
                    [](Inputs in) {
                      return Tensors{decoder_loss(take(in[0], in[2]), in[0], in[1], in[2]).loss};
                    }}},
       .errors = {{"shapes",
                   [] {
                     decoder_loss(ones({2, 3}), ones({4, 2}), ones({4}), zeros({2}, DType::i32));
                   },
                   {"decoder_loss", "[2, 3]", "[4, 2]"}},
                  {"label",
                   [] {
                     decoder_loss(ones({1, 3}), ones({4, 3}), ones({4}), tensor({4}, DType::i32));
                   },
                   {"decoder_loss", "label 4", "0..3"}}},
       .f32_tolerance = 1e-5}};
}

}  // namespace gradus
