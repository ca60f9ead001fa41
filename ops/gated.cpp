// Gated linear units (Shazeer 2020, GLU Variants Improve Transformer): what a transformer's
// feed-forward layer does between its two products.
//   swiglu  y = silu(a) b          geglu  y = gelu(a) b
//   a and b are the halves of one x [.., 2n], a first, or two tensors of one shape  ->  y [.., n]
//   da = dy b f'(a),  db = dy f(a)                                           Saved: the input(s)
#include "gradus/ops/activation.h"
#include "gradus/ops/rows.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

// The gate a and what it lets through, b, as rows of n that lie ld elements apart.
struct Halves {
  Tensor a, b;
  int64_t rows, n, ld;
  Shape shape;  // of y
  explicit Halves(const Tensors& in)
      : a(contiguous(in[0])), b(in.size() > 1 ? contiguous(in[1]) : a), shape(a.shape()) {
    ld = a.shape()[-1];
    n = in.size() > 1 ? ld : ld / 2;
    rows = leading_size(shape);
    shape[-1] = n;
  }
  template <class T>
  const T* second() const {
    return b.data<T>() + (ld - n);
  }
};

template <class Self>
struct Gated : Fused<Self> {
  Activation f;
  explicit Gated(Activation f) : f(f) {}

  Tensors reference(Inputs in) const {
    if (in.size() > 1) return {activation(in[0], f) * in[1]};
    const int64_t n = in[0].shape()[-1] / 2;
    return {activation(slice(in[0], -1, 0, n), f) * slice(in[0], -1, n, 2 * n)};
  }

  Tensors forward(Inputs in) override {
    const int64_t columns = row_length(Self::name, in[0]);
    if (in.size() > 1) {
      check_same_dtype(Self::name, in[0], in[1]);
      if (in[0].shape() != in[1].shape())
        fail("{}: a is {}, b is {}; they must have one shape", Self::name, in[0].shape(),
             in[1].shape());
    } else {
      check(columns % 2 == 0, "{}: the last axis of shape {} has no two halves", Self::name,
            in[0].shape());
    }
    const Halves h(in);
    this->save(in.size() > 1 ? Tensors{h.a, h.b} : Tensors{h.a});
    Tensor y = Tensor::empty(h.shape, h.a.dtype());
    dispatch_float(Self::name, y.dtype(), [&]<class T>() {
      T* to = y.write<T>();
      const T *a = h.a.data<T>(), *b = h.second<T>();
      for_row_blocks(h.rows, h.n, [&](int64_t first, int64_t rows) {
        kernels<T>().gated_activation(a + first * h.ld, b + first * h.ld, h.ld, to + first * h.n,
                                      rows, h.n, f);
      });
    });
    return {y};
  }

  Tensors backward(const Tensors& dys) override {
    const Halves h(this->edges().size() > 1 ? Tensors{this->saved(0), this->saved(1)}
                                            : Tensors{this->saved(0)});
    const Tensor dy = contiguous(dys[0]);
    Tensors dxs;
    for (size_t i = 0; i < this->edges().size(); ++i)
      dxs.push_back(Tensor::empty(h.a.shape(), h.a.dtype()));
    dispatch_float(Self::name, dy.dtype(), [&]<class T>() {
      T *da = dxs[0].write<T>(), *db = dxs.back().write<T>() + (h.ld - h.n);
      const T *a = h.a.data<T>(), *b = h.second<T>();
      for_row_blocks(h.rows, h.n, [&](int64_t first, int64_t rows) {
        const int64_t at = first * h.ld;
        kernels<T>().gated_activation_backward(a + at, b + at, h.ld, dy.data<T>() + first * h.n,
                                               da + at, db + at, rows, h.n, f);
      });
    });
    return dxs;
  }
};

struct Swiglu : Gated<Swiglu> {
  static constexpr const char* name = "swiglu";
  using Gated::Gated;
};
struct Geglu : Gated<Geglu> {
  static constexpr const char* name = "geglu";
  using Gated::Gated;
  std::string detail() const override { return to_string(f); }
};

}  // namespace

Tensor swiglu(const Tensor& x) { return apply<Swiglu>({x}, Activation::silu)[0]; }
Tensor swiglu(const Tensor& a, const Tensor& b) {
  return apply<Swiglu>({a, b}, Activation::silu)[0];
}
Tensor geglu(const Tensor& x, Gelu form) { return apply<Geglu>({x}, activation_of(form))[0]; }
Tensor geglu(const Tensor& a, const Tensor& b, Gelu form) {
  return apply<Geglu>({a, b}, activation_of(form))[0];
}

OpInfos gated_ops() {
  using One = Tensor (*)(const Tensor&);
  using Two = Tensor (*)(const Tensor&, const Tensor&);
  const auto row = [](const char* op, const char* formula, One f, Two g) {
    const auto halves = [=](Inputs in) { return Tensors{f(in[0])}; };
    const auto apart = [=](Inputs in) { return Tensors{g(in[0], in[1])}; };
    return OpInfo{
        .name = op,
        .formula = formula,
        .samples = {{"halves", {sample::normal({3, 6})}, halves},
                    {"three axes", {sample::normal({2, 3, 4})}, halves},
                    {"vector tail", {sample::normal({2, 38})}, halves},
                    {"two tensors", {sample::normal({3, 5}), sample::normal({3, 5})}, apart},
                    {"two vectors", {sample::normal({19}), sample::normal({19})}, apart},
                    {"a gate that depends on b",
                     {sample::normal({3, 4}), sample::normal({3, 4})},
                     [=](Inputs in) { return Tensors{g(in[0] * tanh(in[1]), in[1])}; }}},
        .errors = {{"odd",
                    [=] {
                      f(ones({2, 3}));
                    },
                    {op, "[2, 3]", "halves"}},
                   {"shapes",
                    [=] {
                      g(ones({2, 3}), ones({3}));
                    },
                    {op, "[2, 3]", "[3]"}},
                   {"dtypes", [=] { g(ones({2}), ones({2}, DType::f64)); }, {op, "f32", "f64"}}}};
  };
  return {row("swiglu", "silu(a) b", swiglu, swiglu),
          row(
              "geglu", "gelu(a) b", [](const Tensor& x) { return geglu(x); },
              [](const Tensor& a, const Tensor& b) { return geglu(a, b, Gelu::tanh); })};
}

}  // namespace gradus
