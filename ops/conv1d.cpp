// Convolution along ragged sequences: each row's neighbourhood side by side (unfold), then one
// matrix product. The batch is not padded; a sequence's ends are, with zeros.
//   unfold  x [tokens, c], kernel width k  ->  y [tokens', k c]
//           y[o, j] = x[o stride + j dilation - before], j < k, of the same sequence, or 0 outside
//           of n rows of a sequence ceil(n / stride) remain
//           before = dilation (k - 1) / 2 ("same": row o is the middle), or dilation (k - 1) where
//           causal (row o sees itself and what came before)
//           dx[t] = sum of dy[o, j] over o stride + j dilation - before = t: this map transposed
//   conv1d  x [tokens, in], weight [out, in, k], bias [out]  ->  [tokens', out]
//           unfold(x) weight^T + bias; derivatives follow from unfold and linear
#include "gradus/ops/rows.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

struct Unfold : Op<Unfold> {
  static constexpr const char* name = "unfold";
  Ragged sequences;
  int64_t width;
  Conv1dOptions options;
  bool transposed;  // from y's shape to x's
  Unfold(Ragged sequences, int64_t width, Conv1dOptions options, bool transposed = false)
      : sequences(std::move(sequences)), width(width), options(options), transposed(transposed) {}
  std::string detail() const override {
    return fmt::format("width={} stride={} dilation={}{}{}", width, options.stride,
                       options.dilation, options.causal ? " causal" : "",
                       transposed ? " transposed" : "");
  }

  Tensors forward(Inputs in) override {
    const Tensor x = contiguous(in[0]);
    const Ragged shorter = conv1d_sequences(sequences, options);
    const int64_t rows = transposed ? shorter.tokens() : sequences.tokens();
    if (x.rank() != 2) fail("unfold: x has shape {}; it must be [tokens, channels]", x.shape());
    if (x.shape()[0] != rows)
      fail("unfold: x has {} rows, the batch {} tokens", x.shape()[0], rows);
    const int64_t c = transposed ? x.shape()[1] / width : x.shape()[1];
    Tensor y = transposed ? Tensor::empty({sequences.tokens(), c}, x.dtype())
                          : Tensor::empty({shorter.tokens(), width * c}, x.dtype());
    dispatch_float(name, x.dtype(), [&]<class T>() {
      if (transposed) fold(x.data<T>(), y.write<T>(), c, shorter);
      else unfold(x.data<T>(), y.write<T>(), c, shorter);
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    return {apply<Unfold>({dys[0]}, sequences, width, options, !transposed)[0]};
  }

 private:
  int64_t before() const {
    return options.causal ? options.dilation * (width - 1) : options.dilation * (width - 1) / 2;
  }
  template <class T>
  void unfold(const T* x, T* y, int64_t c, const Ragged& shorter) const {
    for_row_blocks(shorter.tokens(), width * c, [&](int64_t first, int64_t rows) {
      for (int64_t row = first; row < first + rows; ++row) {
        const int64_t s = shorter.row_sequence()[row] - sequences.first(),
                      start = shorter.row_position()[row] * options.stride - before();
        for (int64_t j = 0; j < width; ++j) {
          const int64_t t = start + j * options.dilation;
          T* to = y + (row * width + j) * c;
          if (t >= 0 && t < sequences.length(s))
            std::copy_n(x + (sequences.begin(s) + t) * c, c, to);
          else std::fill_n(to, c, T{0});
        }
      }
    });
  }
  template <class T>
  void fold(const T* dy, T* dx, int64_t c, const Ragged& shorter) const {
    for_row_blocks(sequences.tokens(), c, [&](int64_t first, int64_t rows) {
      std::fill_n(dx + first * c, rows * c, T{0});
      for (int64_t row = first; row < first + rows; ++row) {
        const int64_t s = sequences.row_sequence()[row] - sequences.first(),
                      t = sequences.row_position()[row];
        for (int64_t j = 0; j < width; ++j) {
          const int64_t at = t + before() - j * options.dilation;
          if (at < 0 || at % options.stride != 0 || at / options.stride >= shorter.length(s))
            continue;
          const T* from = dy + ((shorter.begin(s) + at / options.stride) * width + j) * c;
          for (int64_t i = 0; i < c; ++i) dx[row * c + i] += from[i];
        }
      }
    });
  }
};

void check_options(const char* op, int64_t width, const Conv1dOptions& options) {
  if (width < 1 || options.stride < 1 || options.dilation < 1)
    fail("{}: width {}, stride {} and dilation {} must be at least 1", op, width, options.stride,
         options.dilation);
}

}  // namespace

Ragged conv1d_sequences(const Ragged& sequences, Conv1dOptions options) {
  if (options.stride == 1) return sequences;
  check_options("conv1d_sequences", 1, options);
  std::vector<int64_t> lengths;
  for (int64_t s = 0; s < sequences.sequences(); ++s)
    lengths.push_back((sequences.length(s) + options.stride - 1) / options.stride);
  return Ragged(lengths, sequences.first());
}

Tensor unfold(const Tensor& x, const Ragged& sequences, int64_t width, Conv1dOptions options) {
  check_options("unfold", width, options);
  return apply<Unfold>({x}, sequences, width, options)[0];
}

Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Ragged& sequences,
              Conv1dOptions options) {
  if (x.rank() != 2 || weight.rank() != 3 || weight.shape()[1] != x.shape()[1])
    fail("conv1d: x {} and weight {}; they must be [tokens, in] and [out, in, width]", x.shape(),
         weight.shape());
  const int64_t out = weight.shape()[0], in = weight.shape()[1], width = weight.shape()[2];
  const Tensor rows = unfold(x, sequences, width, options);
  // as unfold lays them: a tap's channels side by side
  return linear(rows, reshape(permute(weight, {0, 2, 1}), {out, width * in}), bias);
}

OpInfos conv1d_ops() {
  const auto call = [](const std::vector<int64_t>& lengths, int64_t width, Conv1dOptions options) {
    return [=](Inputs in) { return Tensors{unfold(in[0], Ragged(lengths, 3), width, options)}; };
  };
  return {{.name = "unfold",
           .formula = "y[o, j] = x[o stride + j dilation - before]",
           .samples = {{"ragged", {sample::normal({5, 2})}, call({4, 1}, 3, {})},
                       {"even width", {sample::normal({5, 2})}, call({2, 3}, 2, {})},
                       {"causal", {sample::normal({5, 2})}, call({5}, 3, {.causal = true})},
                       {"stride", {sample::normal({7, 2})}, call({5, 2}, 3, {.stride = 2})},
                       {"dilation", {sample::normal({6, 3})}, call({6}, 3, {.dilation = 2})},
                       {"stride and dilation, causal",
                        {sample::normal({7, 1})},
                        call({4, 3}, 2, {.stride = 3, .dilation = 2, .causal = true})},
                       {"conv1d",
                        {sample::normal({5, 2}), sample::normal({3, 2, 3}), sample::normal({3})},
                        [](Inputs in) {
                          return Tensors{conv1d(in[0], in[1], in[2], Ragged({2, 3}))};
                        }},
                       {"conv1d, stride, no bias",
                        {sample::normal({5, 2}), sample::normal({3, 2, 4})},
                        [](Inputs in) {
                          return Tensors{conv1d(in[0], in[1], {}, Ragged({5}), {.stride = 2})};
                        }}},
           .errors = {
               {"rows",
                [] {
                  unfold(ones({2, 3}), Ragged({3}), 3);
                },
                {"unfold", "2 rows", "3 tokens"}},
               {"shape", [] { unfold(ones({2}), Ragged({2}), 3); }, {"unfold", "[2]", "channels"}},
               {"width",
                [] {
                  unfold(ones({2, 3}), Ragged({2}), 0);
                },
                {"unfold", "width 0"}},
               {"conv1d's channels",
                [] {
                  conv1d(ones({2, 3}), ones({5, 4, 3}), {}, Ragged({2}));
                },
                {"conv1d", "[2, 3]", "[5, 4, 3]", "[out, in, width]"}},
               {"conv1d's rows",
                [] {
                  conv1d(ones({2, 3}), ones({5, 3, 3}), {}, Ragged({3}));
                },
                {"unfold", "2 rows", "3 tokens"}},
               {"conv1d's stride",
                [] {
                  conv1d(ones({2, 3}), ones({5, 3, 3}), {}, Ragged({2}), {.stride = 0});
                },
                {"unfold", "stride 0"}}}}};
}

}  // namespace gradus
