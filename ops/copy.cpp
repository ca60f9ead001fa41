// Copies.                                                                          x [..] -> y [..]
//   copy   y = x in contiguous memory of its own      dx = dy
//   cast   y = x in another dtype                     dx = dy cast back
#include "gradus/ops/elementwise.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

struct Copy : Op<Copy> {
  static constexpr const char* name = "copy";
  Tensors forward(Inputs in) override {
    Tensor y = Tensor::empty(in[0].shape(), in[0].dtype());
    dispatch(y.dtype(), [&]<class T>() { map<T, T>(in[0], y, [](T x) { return x; }); });
    return {y};
  }
  Tensors backward(const Tensors& dys) override { return dys; }
};

struct Cast : Op<Cast> {
  static constexpr const char* name = "cast";
  DType to, from = DType::f32;
  explicit Cast(DType to) : to(to) {}
  std::string detail() const override { return to_string(to); }
  Tensors forward(Inputs in) override {
    from = in[0].dtype();
    Tensor y = Tensor::empty(in[0].shape(), to);
    dispatch(from, [&]<class From>() {
      dispatch(to, [&]<class To>() {
        map<From, To>(in[0], y, [](From x) { return static_cast<To>(x); });
      });
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override { return {cast(dys[0], from)}; }
};

}  // namespace

Tensor clone(const Tensor& x) { return apply<Copy>({x})[0]; }
Tensor contiguous(const Tensor& x) { return x.is_contiguous() ? x : clone(x); }
Tensor cast(const Tensor& x, DType dtype) {
  return x.dtype() == dtype ? x : apply<Cast>({x}, dtype)[0];
}

OpInfos copy_ops() {
  OpInfo copy{"copy", "x", "copy", []() -> std::vector<Sample> {
                return {{"matrix", {sample_normal({3, 4}, 1)}, [](Inputs in) {
                           return Tensors{clone(in[0])};
                         }}};
              }};
  OpInfo cast_info{
      // through f64, which loses nothing of either test dtype
      "cast", "x as another dtype", "copy", []() -> std::vector<Sample> {
        return {{"there and back", {sample_normal({3, 4}, 1)}, [](Inputs in) {
                   const DType dtype = in[0].dtype();
                   return Tensors{dtype == DType::f64 ? apply<Cast>({in[0]}, DType::f64)[0]
                                                      : cast(cast(in[0], DType::f64), dtype)};
                 }}};
      }};
  return {copy, cast_info};
}

}  // namespace gradus
