// Comparison and choice, with broadcasting.
//   equal, less   y = (a == b), (a < b)            boolean, without gradient
//   where         y = condition ? a : b            da = dy where condition, db = dy elsewhere
#include "gradus/ops/elementwise.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

template <class F>
Tensor compare(const char* op, const Tensor& a, const Tensor& b, F f) {
  check_same_dtype(op, a, b);
  const Shape shape = broadcast_shapes(op, a.shape(), b.shape());
  Tensor y = Tensor::empty(shape, DType::boolean);
  dispatch(a.dtype(),
           [&]<class T>() { map<T, bool>(expand_view(a, shape), expand_view(b, shape), y, f); });
  return y;
}

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
      const Tensor c = expand_view(condition, shape), u = expand_view(a, shape),
                   v = expand_view(b, shape);
      T* out = y.write<T>();
      for_each_run<bool, T, T>(
          shape, {&c, &u, &v}, [&](int64_t begin, int64_t n, const auto& at, const auto& step) {
            const auto [which, yes, no] = at;
            for (int64_t i = 0; i < n; ++i)
              out[begin + i] = which[i * step[0]] ? yes[i * step[1]] : no[i * step[2]];
          });
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    const Tensor condition = saved(0), zero = zeros({}, dys[0].dtype());
    return {Tensor(), wants(1) ? where(condition, dys[0], zero) : Tensor(),
            wants(2) ? where(condition, zero, dys[0]) : Tensor()};
  }
};

}  // namespace

Tensor equal(const Tensor& a, const Tensor& b) {
  return compare("equal", a, b, [](auto u, auto v) { return u == v; });
}
Tensor less(const Tensor& a, const Tensor& b) {
  return compare("less", a, b, [](auto u, auto v) { return u < v; });
}
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  return apply<Where>({condition, a, b})[0];
}

OpInfos select_ops() {
  const auto choose = [](Inputs in) { return Tensors{where(in[0], in[1], in[2])}; };
  OpInfo info{
      "where", "condition ? a : b", "select", [=]() -> std::vector<Sample> {
        const Tensor pattern = less(sample_normal({3, 4}, 1), zeros({}, DType::f64));
        return {
            {"same shape", {pattern, sample_normal({3, 4}, 2), sample_normal({3, 4}, 3)}, choose},
            {"broadcast", {pattern, sample_normal({4}, 4), sample_normal({3, 1}, 5)}, choose}};
      }};
  info.errors = []() -> std::vector<ErrorSample> {
    return {
        {"condition", [] { where(ones({2}), ones({2}), ones({2})); }, {"where", "f32", "boolean"}},
        {"shapes",
         [] { where(full({2}, 1, DType::boolean), ones({3}), ones({3})); },
         {"where", "[2]", "[3]"}}};
  };
  return {info};
}

}  // namespace gradus
