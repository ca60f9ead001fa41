// Dropout (Srivastava et al. 2014), inverted.                                x [.., n] -> y [.., n]
//   y = x m / (1 - p), m = 0 with probability p, else 1
//   dx = dy m / (1 - p): the same map on dy, with the same draw
// m is never stored: it is a function of seed, step, place and element (autograd/random.h).
// `rows` says which sequence and position each row is (of its axis 0, when x is [tokens, n]);
// without it row r is position r of one sequence.
#include "gradus/ops/dropout.h"

#include "gradus/ops/rows.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

struct DropoutOp : Op<DropoutOp> {
  static constexpr const char* name = "dropout";
  DropoutDraw draw;
  std::optional<Ragged> rows;
  DropoutOp(const DropoutDraw& draw, std::optional<Ragged> rows)
      : draw(draw), rows(std::move(rows)) {}
  std::string detail() const override { return fmt::format("p={}", draw.p); }
  Tensors forward(Inputs in) override {
    const int64_t n = row_length(name, in[0]);
    const Tensor x = contiguous(in[0]);
    const RowNumbers numbers(name, rows, row_count(x));
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    dispatch_float(name, x.dtype(), [&]<class T>() {
      T* to = y.write<T>();
      for_row_blocks(row_count(x), n, [&](int64_t first, int64_t count) {
        kernels<T>().dropout(x.data<T>() + first * n, to + first * n, count, n,
                             numbers.sequence + first, numbers.position + first, draw);
      });
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override { return {dropout_with(dys[0], draw, rows)}; }
};

}  // namespace

Tensor dropout_with(const Tensor& x, const DropoutDraw& draw, const std::optional<Ragged>& rows) {
  return draw.p == 0 ? x : apply<DropoutOp>({x}, draw, rows)[0];
}
Tensor dropout(const Tensor& x, double p, const std::optional<Ragged>& rows) {
  return dropout_with(x, draw_dropout(p), rows);
}

OpInfos dropout_ops() {
  return {{.name = "dropout",
           .formula = "x m / (1 - p)",
           .samples = {{"matrix",
                        {sample::normal({3, 5})},
                        [](Inputs in) { return Tensors{dropout(in[0], 0.4)}; }},
                       {"ragged",
                        {sample::normal({5, 3})},
                        [](Inputs in) {
                          return Tensors{dropout(in[0], 0.4, Ragged({2, 3}))};
                        }},
                       {"two groups of columns",
                        {sample::normal({1, 130})},
                        [](Inputs in) { return Tensors{dropout(in[0], 0.5)}; }}},
           .errors = {{"rate", [] { dropout(ones({2}), 1.0); }, {"dropout", "1"}},
                      {"rows",
                       [] {
                         dropout(ones({4, 2}), 0.5, Ragged({3}));
                       },
                       {"dropout", "4 rows", "3 tokens"}}}}};
}

}  // namespace gradus
