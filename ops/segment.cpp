// Reductions over the tokens of each sequence.       x [tokens, ..], Ragged -> y [sequences, ..]
//   segment_sum     y[s] = sum of x[t] over the tokens t of s     dx = segment_expand(dy)
//   segment_mean    segment_sum / length                          (an expression)
//   segment_max     y[s] = the largest x[t] of each column      dx = dy at the first of the largest
//   segment_expand  x[t] = y[the sequence of t]: a take           dy = the sums of dx
// Sums run in double, in the order of the tokens. A Ragged has no empty sequences, so means and
// maxima are always defined; without sequences y is [0, ..].
#include <cmath>

#include "gradus/ops/rows.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

// Of each row of the batch, the number of its sequence.
Tensor sequence_of_row(const Ragged& sequences) {
  Tensor numbers = Tensor::empty({sequences.tokens()}, DType::i32);
  int32_t* at = numbers.write<int32_t>();
  for (int64_t s = 0; s < sequences.sequences(); ++s)
    std::fill(at + sequences.begin(s), at + sequences.end(s), static_cast<int32_t>(s));
  return numbers;
}

// The shape of y for x.
Shape reduced(const char* op, const Tensor& x, const Ragged& sequences) {
  if (x.rank() == 0 || x.shape()[0] != sequences.tokens())
    fail("{}: the tensor has shape {}, the batch {} tokens; the first axis must be the tokens", op,
         x.shape(), sequences.tokens());
  Shape shape = x.shape();
  shape[0] = sequences.sequences();
  return shape;
}

constexpr int64_t strip = 256;  // columns that are reduced at once

// Calls f(sequence, first column, columns) for strips of each sequence's rows.
template <class F>
void for_each_segment_strip(const Ragged& sequences, int64_t width, F&& f) {
  if (width == 0 || sequences.sequences() == 0) return;
  const int64_t strips = (width + strip - 1) / strip,
                length = sequences.tokens() / sequences.sequences();
  parallel_for(sequences.sequences() * strips,
               std::max<int64_t>(1, element_block / (length * std::min(width, strip))),
               [&](int64_t begin, int64_t end) {
                 for (int64_t task = begin; task < end; ++task) {
                   const int64_t first = task % strips * strip;
                   f(task / strips, first, std::min(strip, width - first));
                 }
               });
}

struct SegmentSum : Op<SegmentSum> {
  static constexpr const char* name = "segment_sum";
  Ragged sequences;
  explicit SegmentSum(Ragged sequences) : sequences(std::move(sequences)) {}
  std::string detail() const override { return fmt::format("{} sequences", sequences.sequences()); }
  Tensors forward(Inputs in) override {
    const Tensor x = contiguous(in[0]);
    Tensor y = Tensor::empty(reduced(name, x, sequences), x.dtype());
    const int64_t width = y.strides()[0];
    if (y.numel() == 0) return {y};
    dispatch_float(name, x.dtype(), [&]<class T>() {
      const T* from = x.data<T>();
      T* to = y.write<T>();
      for_each_segment_strip(sequences, width, [&](int64_t s, int64_t first, int64_t columns) {
        std::array<double, strip> sums{};
        for (int64_t t = sequences.begin(s); t < sequences.end(s); ++t)
          for (int64_t j = 0; j < columns; ++j)
            sums[static_cast<size_t>(j)] += static_cast<double>(from[t * width + first + j]);
        for (int64_t j = 0; j < columns; ++j)
          to[s * width + first + j] = static_cast<T>(sums[static_cast<size_t>(j)]);
      });
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override { return {segment_expand(dys[0], sequences)}; }
};

}  // namespace

Tensor segment_sum(const Tensor& x, const Ragged& sequences) {
  return apply<SegmentSum>({x}, sequences)[0];
}

Tensor segment_mean(const Tensor& x, const Ragged& sequences) {
  Shape column = Shape::of_rank(reduced("segment_mean", x, sequences).rank(), 1);
  column[0] = sequences.sequences();
  std::vector<double> lengths;
  for (int64_t s = 0; s < sequences.sequences(); ++s)
    lengths.push_back(static_cast<double>(sequences.length(s)));
  return segment_sum(x, sequences) / cast(from_vector(lengths, column), x.dtype());
}

Tensor segment_max(const Tensor& x, const Ragged& sequences) {
  Tensor largest = Tensor::empty(reduced("segment_max", x, sequences), DType::i64);
  if (largest.numel()) {
    const NoGrad scope;
    const Tensor flat = contiguous(x);
    const int64_t width = largest.strides()[0];
    int64_t* rows = largest.write<int64_t>();
    dispatch(x.dtype(), [&]<class T>() {
      const T* at = flat.data<T>();
      for_each_segment_strip(sequences, width, [&](int64_t s, int64_t first, int64_t columns) {
        int64_t* row = rows + s * width + first;
        std::fill(row, row + columns, sequences.begin(s));
        std::array<T, strip> best;
        std::copy_n(at + sequences.begin(s) * width + first, columns, best.begin());
        for (int64_t t = sequences.begin(s) + 1; t < sequences.end(s); ++t)
          for (int64_t j = 0; j < columns; ++j) {
            const T value = at[t * width + first + j];
            T& so_far = best[static_cast<size_t>(j)];
            // NaN is the largest: it is seen, not skipped
            if (!(value > so_far || (std::isnan(value) && !std::isnan(so_far)))) continue;
            so_far = value;
            row[j] = t;
          }
      });
    });
  }
  return gather(x, 0, largest);
}

Tensor segment_expand(const Tensor& y, const Ragged& sequences) {
  if (y.rank() == 0 || y.shape()[0] != sequences.sequences())
    fail(
        "segment_expand: the tensor has shape {}, the batch {} sequences; the first axis must be "
        "the sequences",
        y.shape(), sequences.sequences());
  return take(y, sequence_of_row(sequences));
}

OpInfos segment_ops() {
  using sample::normal;
  const Ragged sequences({2, 1, 4}, 3);
  const auto with = [=](Tensor (*f)(const Tensor&, const Ragged&)) {
    return [=](Inputs in) { return Tensors{f(in[0], sequences)}; };
  };
  const auto row = [=](const char* name, const char* formula,
                       Tensor (*f)(const Tensor&, const Ragged&), int64_t rows) {
    return OpInfo{.name = name,
                  .formula = formula,
                  .samples = {{"matrix", {normal({rows, 5})}, with(f)},
                              {"vector", {normal({rows})}, with(f)},
                              {"three axes", {normal({rows, 2, 6})}, with(f)}},
                  .errors = {{"rows",
                              [=] {
                                f(ones({6, 2}), sequences);
                              },
                              {name, "[6, 2]", rows == 7 ? "7 tokens" : "3 sequences"}},
                             {"no axes", [=] { f(scalar(1), sequences); }, {name, "[]"}}},
                  .composed = f != segment_sum};
  };
  return {row("segment_sum", "sum of x over each sequence", segment_sum, 7),
          row("segment_mean", "mean of x over each sequence", segment_mean, 7),
          row("segment_max", "largest of x over each sequence", segment_max, 7),
          row("segment_expand", "x[sequence of the token]", segment_expand, 3)};
}

}  // namespace gradus
