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
    copy_elements(in[0], y);
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
        elementwise<To(From)>(
            y, [](From x) { return static_cast<To>(x); }, in[0]);
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

void assign(const Tensor& x, const Tensor& y) {
  if (x.get().node)
    fail("assign: x is {}; it has a history, and its elements belong to that", describe(x));
  if (x.shape() != y.shape() || x.dtype() != y.dtype())
    fail("assign: x is {}, y is {}; they must have one shape and dtype", describe(x), describe(y));
  Tensor to = x.detach();
  copy_elements(y, to);
}

OpInfos copy_ops() {
  const auto copied = [](Inputs in) { return Tensors{clone(in[0])}; };
  // through f64, which loses nothing of either test dtype
  const auto there_and_back = [](Inputs in) {
    const DType dtype = in[0].dtype();
    if (dtype == DType::f64) return apply<Cast>({in[0]}, DType::f64);
    return Tensors{cast(cast(in[0], DType::f64), dtype)};
  };
  return {{.name = "copy",
           .formula = "x",
           .samples = {{"matrix", {sample::normal({3, 4})}, copied},
                       {"tiles and their rests", {sample::normal({19, 37})}, copied},
                       {"three axes", {sample::normal({2, 17, 5})}, copied}}},
          {.name = "cast",
           .formula = "x as another dtype",
           .samples = {{"there and back", {sample::normal({3, 4})}, there_and_back}}}};
}

}  // namespace gradus
