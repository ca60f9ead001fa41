// Choice, with broadcasting.
//   where        y = condition ? a : b                   da = dy where condition, db = dy elsewhere
//   tril, triu   the lower, upper triangle of matrices, zero elsewhere       dx = the same of dy
#include "gradus/ops/elementwise.h"
#include "gradus/ops/numbers.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

struct Where : Op<Where> {
  static constexpr const char* name = "where";
  Tensors forward(Inputs in) override {
    const Tensor &condition = in[0], &a = in[1], &b = in[2];
    if (condition.dtype() != DType::boolean)
      fail("where: the condition has dtype {}; it must be boolean", to_string(condition.dtype()));
    check_same_dtype(name, a, b);
    const Shape shape =
        broadcast_shapes(name, condition.shape(), broadcast_shapes(name, a.shape(), b.shape()));
    Tensor y = Tensor::empty(shape, a.dtype());
    save({condition});
    dispatch(a.dtype(), [&]<class T>() {
      elementwise<T(bool, T, T)>(
          y, [](bool c, T u, T v) { return choose(c, u, v); }, condition, a, b);
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    const Tensor condition = saved(0), zero = zeros({}, dys[0].dtype());
    return {Tensor(), wants(1) ? where(condition, dys[0], zero) : Tensor(),
            wants(2) ? where(condition, zero, dys[0]) : Tensor()};
  }
};

// Of row i the columns up to i + diagonal (lower), or from there on.
template <bool lower>
struct Triangle : Op<Triangle<lower>> {
  static constexpr const char* name = lower ? "tril" : "triu";
  int64_t diagonal;
  explicit Triangle(int64_t diagonal) : diagonal(diagonal) {}
  std::string detail() const override { return fmt::format("diagonal={}", diagonal); }
  Tensors forward(Inputs in) override {
    const Tensor x = contiguous(in[0]);
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    const int64_t rows = x.shape()[-2], n = x.shape()[-1];
    if (x.numel() == 0) return {y};
    dispatch(x.dtype(), [&]<class T>() {
      const T* from = x.data<T>();
      T* to = y.write<T>();
      parallel_for(x.numel() / n, std::max<int64_t>(1, element_block / n),
                   [&](int64_t begin, int64_t end) {
                     for (int64_t row = begin; row < end; ++row) {
                       const int64_t left =
                           std::clamp<int64_t>(row % rows + diagonal + (lower ? 1 : 0), 0, n);
                       const T* at = from + row * n;
                       T* out = to + row * n;
                       if (lower) {
                         std::copy_n(at, left, out);
                         std::fill_n(out + left, n - left, T{0});
                       } else {
                         std::fill_n(out, left, T{0});
                         std::copy_n(at + left, n - left, out + left);
                       }
                     }
                   });
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    return {lower ? tril(dys[0], diagonal) : triu(dys[0], diagonal)};
  }
};

template <bool lower>
Tensor triangle(const Tensor& x, int64_t diagonal) {
  constexpr const char* op = Triangle<lower>::name;
  check(x.rank() >= 2, "{}: shape {} is no matrix; two axes are needed", op, x.shape());
  return apply<Triangle<lower>>({x}, diagonal)[0];
}

}  // namespace

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  return apply<Where>({condition, a, b})[0];
}
Tensor where(const Tensor& condition, const Tensor& a, double b) {
  return where(condition, a, scalar_like("where", a, b));
}
Tensor where(const Tensor& condition, double a, const Tensor& b) {
  return where(condition, scalar_like("where", b, a), b);
}
Tensor where(const Tensor& condition, double a, double b) {
  return where(condition, scalar(a), scalar(b));
}

Tensor maximum(const Tensor& x, double c) { return maximum(x, scalar_like("maximum", x, c)); }
Tensor minimum(const Tensor& x, double c) { return minimum(x, scalar_like("minimum", x, c)); }

Tensor full_like(const Tensor& x, double value) {
  scalar_like("full_like", x, value);
  return full(x.shape(), value, x.dtype());
}

Tensor tril(const Tensor& x, int64_t diagonal) { return triangle<true>(x, diagonal); }
Tensor triu(const Tensor& x, int64_t diagonal) { return triangle<false>(x, diagonal); }

OpInfos select_ops() {
  using sample::normal;
  const SampleInput pattern([](uint64_t stream) { return sample_normal({3, 4}, stream) < 0; });
  const auto choose = [](Inputs in) { return Tensors{where(in[0], in[1], in[2])}; };
  const auto triangles = [](const char* name, const char* formula,
                            Tensor (*f)(const Tensor&, int64_t)) {
    return OpInfo{
        .name = name,
        .formula = formula,
        .samples = {{"square", {normal({3, 3})}, [=](Inputs in) { return Tensors{f(in[0], 0)}; }},
                    {"diagonals of wide and tall ones",
                     {normal({2, 3, 5}), normal({5, 3})},
                     [=](Inputs in) {
                       return Tensors{f(in[0], 1), f(in[0], -1), f(in[1], 2), f(in[1], -9)};
                     }}},
        .errors = {{"no matrix", [=] { f(ones({3}), 0); }, {name, "[3]", "two axes"}}}};
  };
  return {{.name = "where",
           .formula = "condition ? a : b",
           .samples = {{"same shape", {pattern, normal({3, 4}), normal({3, 4})}, choose},
                       {"broadcast", {pattern, normal({4}), normal({3, 1})}, choose},
                       {"numbers",
                        {pattern, normal({3, 4})},
                        [](Inputs in) {
                          return Tensors{where(in[0], in[1], 2), where(in[0], -1, in[1])};
                        }}},
           .errors = {{"condition",
                       [] { where(ones({2}), ones({2}), ones({2})); },
                       {"where", "f32", "boolean"}},
                      {"shapes",
                       [] { where(full({2}, 1, DType::boolean), ones({3}), ones({3})); },
                       {"where", "[2]", "[3]"}},
                      {"a number that integers lack",
                       [] { where(full({2}, 1, DType::boolean), ones({2}, DType::i32), 0.5); },
                       {"where", "0.5", "i32"}}}},
          triangles("tril", "the lower triangle of x", tril),
          triangles("triu", "the upper triangle of x", triu)};
}

}  // namespace gradus
