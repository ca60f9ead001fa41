// Rotary position embedding: queries and keys turned by their position, so that the product of a
// query and a key depends on how far apart they are.               Su et al. 2021, RoFormer, eq. 34
//   x [tokens, heads d], d even  ->  y as x.   For the row at position p of its sequence, each head
//   and i < d/2, with t = p base^(-2i/d):   (a, b)  ->  (a cos t - b sin t,  b cos t + a sin t)
//   the pair (a, b) is (x[i], x[i + d/2]) (GPT-NeoX, Llama), or (x[2i], x[2i+1]) where interleaved
//   (RoFormer, GPT-J).   dx is dy turned back, by -t.   Nothing is saved.
#include <cmath>

#include "gradus/kernels/kernels.h"
#include "gradus/ops/rows.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

// cos and sin of p base^(-2i/d), [positions, d/2] each. Computed in double, because an f32 angle of
// some thousands keeps four digits of its fraction; by the addition theorem from the angles of
// 0 .. 63 and of the multiples of 64, because sines are slow.
struct Tables {
  Tensor cosine, sine;
  Tables(int64_t positions, int64_t half, double base, DType dtype)
      : cosine(Tensor::empty({positions, half}, dtype)),
        sine(Tensor::empty({positions, half}, dtype)) {
    constexpr int64_t kStep = 64;
    const int64_t steps = (positions + kStep - 1) / kStep;
    struct Angle {
      double c, s;
    };
    std::vector<Angle> small(static_cast<size_t>(kStep * half)),
        large(static_cast<size_t>(steps * half));
    const auto fill = [&](std::vector<Angle>& angles, int64_t count, int64_t unit) {
      for (int64_t i = 0; i < half; ++i) {
        const double rate = std::pow(base, -static_cast<double>(i) / static_cast<double>(half)) *
                            static_cast<double>(unit);
        for (int64_t p = 0; p < count; ++p) {
          const double angle = static_cast<double>(p) * rate;
          angles[static_cast<size_t>(p * half + i)] = {std::cos(angle), std::sin(angle)};
        }
      }
    };
    fill(small, std::min(kStep, positions), 1);
    fill(large, steps, kStep);
    dispatch_float("rotary", dtype, [&]<class T>() {
      T *c = cosine.write<T>(), *s = sine.write<T>();
      for (int64_t p = 0; p < positions; ++p)
        for (int64_t i = 0; i < half; ++i) {
          const Angle a = large[static_cast<size_t>(p / kStep * half + i)],
                      b = small[static_cast<size_t>(p % kStep * half + i)];
          c[p * half + i] = static_cast<T>(a.c * b.c - a.s * b.s);
          s[p * half + i] = static_cast<T>(a.s * b.c + a.c * b.s);
        }
    });
  }
};

struct Rotary : Fused<Rotary> {
  static constexpr const char* name = "rotary";
  Ragged sequences;
  RotaryOptions options;
  Rotary(Ragged sequences, RotaryOptions options)
      : sequences(std::move(sequences)), options(options) {}
  std::string detail() const override {
    return fmt::format("heads={} base={}{}", options.heads, options.base,
                       options.interleaved ? " interleaved" : "");
  }

  Tensors reference(Inputs in) const {
    const int64_t tokens = in[0].shape()[0], half = in[0].shape()[1] / options.heads / 2;
    const Tables tables(sequences.longest(), half, options.base, in[0].dtype());
    const int pair = options.interleaved ? 3 : 2;  // the axis of (a, b)
    const Shape split = options.interleaved ? Shape{tokens, options.heads, half, 2}
                                            : Shape{tokens, options.heads, 2, half};
    std::vector<int32_t> positions(sequences.row_position(), sequences.row_position() + tokens);
    Shape angles{tokens, 1, half};
    angles.insert(pair, 1);
    const Tensor rows = from_vector(positions, {tokens}),
                 c = reshape(take(tables.cosine, rows), angles),
                 s = reshape(take(tables.sine, rows), angles), x = reshape(in[0], split),
                 a = slice(x, pair, 0, 1), b = slice(x, pair, 1, 2);
    return {reshape(concat({a * c - b * s, b * c + a * s}, pair), in[0].shape())};
  }

  Tensors forward(Inputs in) override {
    const Tensor& x = in[0];
    if (x.rank() != 2 || options.heads < 1 || x.shape()[1] % (2 * options.heads) != 0)
      fail("rotary: x {} is not [tokens, heads d] with {} heads of an even d", x.shape(),
           options.heads);
    if (x.shape()[0] != sequences.tokens())
      fail("rotary: x has {} rows, the batch {} tokens", x.shape()[0], sequences.tokens());
    check(options.base > 0, "rotary: the base is {}; it must be positive", options.base);
    return {turned(x, false)};
  }
  Tensors backward(const Tensors& dys) override { return {turned(dys[0], true)}; }

 private:
  Tensor turned(const Tensor& tensor, bool inverse) const {
    const RowView x = rows_of(tensor);
    const int64_t columns = tensor.shape()[1], d = columns / options.heads;
    const Tables tables(sequences.longest(), d / 2, options.base, tensor.dtype());
    Tensor y = Tensor::empty(tensor.shape(), tensor.dtype());
    dispatch_float(name, tensor.dtype(), [&]<class T>() {
      T* to = y.write<T>();
      for_row_blocks(tensor.shape()[0], columns, [&](int64_t first, int64_t rows) {
        kernels<T>().rotary(x.tensor.data<T>() + first * x.ld, x.ld, to + first * columns, rows,
                            {options.heads, d, options.interleaved, inverse},
                            tables.cosine.data<T>(), tables.sine.data<T>(),
                            sequences.row_position() + first);
      });
    });
    return y;
  }
};

}  // namespace

Tensor rotary(const Tensor& x, const Ragged& sequences, RotaryOptions options) {
  return apply<Rotary>({x}, sequences, options)[0];
}

OpInfos rotary_ops() {
  const auto call = [](const std::vector<int64_t>& lengths, RotaryOptions options) {
    return [=](Inputs in) { return Tensors{rotary(in[0], Ragged(lengths), options)}; };
  };
  return {
      {.name = "rotary",
       .formula = "(a cos t - b sin t, b cos t + a sin t)",
       .samples = {{"one head", {sample::normal({3, 4})}, call({3}, {})},
                   {"ragged, two heads", {sample::normal({5, 12})}, call({2, 3}, {.heads = 2})},
                   {"interleaved",
                    {sample::normal({5, 12})},
                    call({4, 1}, {.heads = 3, .interleaved = true})},
                   {"a base, a tail",
                    {sample::normal({3, 38})},
                    call({3}, {.base = 50, .interleaved = true})},
                   {"past one step of the table", {sample::normal({70, 2})}, call({70}, {})},
                   {"of columns",
                    {sample::normal({3, 12})},
                    [](Inputs in) {
                      return Tensors{rotary(slice(in[0], 1, 4, 8), Ragged({1, 2}), {.heads = 2})};
                    }}},
       .errors = {{"columns",
                   [] {
                     rotary(ones({2, 6}), Ragged({2}), {.heads = 2});
                   },
                   {"rotary", "[2, 6]", "2 heads"}},
                  {"rows",
                   [] {
                     rotary(ones({2, 4}), Ragged({3}));
                   },
                   {"rotary", "2 rows", "3 tokens"}},
                  {"base",
                   [] {
                     rotary(ones({2, 4}), Ragged({2}), {.base = 0});
                   },
                   {"rotary", "base", "0"}},
                  {"integers",
                   [] {
                     rotary(zeros({2, 4}, DType::i32), Ragged({2}));
                   },
                   {"rotary", "i32"}}}}};
}

}  // namespace gradus
