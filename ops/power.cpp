// y = a^b, elementwise, broadcasting.                                 a [..], b [..] -> [broadcast]
//   da = dy b a^(b-1)          db = dy y ln a
// At a = 0 the derivatives are the limits from above where there are any: da = 0 for b = 0 (not
// 0 x infinity) and db = 0. A negative a has powers of whole b only, and no derivative by b (NaN).
#include <cmath>

#include "gradus/ops/elementwise.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

struct Power : Op<Power> {
  static constexpr const char* name = "power";
  Tensors forward(Inputs in) override {
    const Tensor &a = in[0], &b = in[1];
    check_same_dtype(name, a, b);
    Tensor y = Tensor::empty(broadcast_shapes(name, a.shape(), b.shape()), a.dtype());
    dispatch_float(name, a.dtype(), [&]<class T>() {
      elementwise<T(T, T)>(
          y, [](T base, T exponent) { return std::pow(base, exponent); }, a, b);
    });
    save({a, b, y});
    return {y};
  }
  Tensors backward(const Tensors& dys) override {
    const Tensor a = saved(0), b = saved(1), y = saved(2), &dy = dys[0];
    const Tensor zero = zeros({}, a.dtype()), one = ones({}, a.dtype());
    const Tensor a_is_zero = equal(a.detach(), zero);
    Tensors dxs(2);
    if (wants(0)) {
      const Tensor less_by_one =
          where(equal(b.detach(), zero), where(a_is_zero, one, b - 1), b - 1);
      dxs[0] = dy * (b * pow(a, less_by_one));
    }
    if (wants(1)) dxs[1] = dy * (y * log(where(a_is_zero, one, a)));
    return dxs;
  }
};

}  // namespace

Tensor pow(const Tensor& a, const Tensor& b) { return apply<Power>({a, b})[0]; }
Tensor pow(double base, const Tensor& exponent) {
  return pow(full({}, base, exponent.dtype()), exponent);
}

OpInfos power_ops() {
  const auto call = [](Inputs in) { return Tensors{pow(in[0], in[1])}; };
  return {{.name = "power",
           .formula = "a^b",
           .samples = {{"same shape",
                        {sample::uniform({3, 4}, 0.5, 2), sample::uniform({3, 4}, 0.5, 2)},
                        call},
                       {"broadcast", {sample::uniform({3, 1}, 0.5, 2), sample::normal({4})}, call},
                       {"of a number",
                        {sample::normal({19})},
                        [](Inputs in) { return Tensors{pow(1.7, in[0])}; }},
                       {"of itself",
                        {sample::uniform({5}, 0.5, 2)},
                        [](Inputs in) { return Tensors{pow(in[0], in[0])}; }}},
           .errors = {
               {"shapes", [] { pow(ones({2}), ones({3})); }, {"power", "[2]", "[3]"}},
               {"dtypes", [] { pow(ones({2}), ones({2}, DType::f64)); }, {"power", "f32", "f64"}},
               {"integers", [] { pow(arange(2), arange(2)); }, {"power", "i64"}}}}};
}

}  // namespace gradus
