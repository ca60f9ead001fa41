// Elementwise loops over tensors: y[i] = f(a[i], b[i], …) for ops that are nothing more, a user's
// own as well.
//
//   Tensor y = Tensor::empty(shape, a.dtype());
//   elementwise<float(float, float)>(y, [](float u, float v) { return u / (1 + v * v); }, a, b);
//
// The inputs are any views whose shapes broadcast to y's; y is any view that does not repeat
// elements, and may be one of the inputs. The signature names the element types, and reading a
// tensor as another type is an Error. The loop is compiled for every instruction level where floats
// take part (kernels/loops.h); it is cut by size into blocks that threads share. Axes that lie one
// after another are made one, what lies transposed is read in tiles, a repeated row, column or
// number is read where it lies.
#pragma once

#include <algorithm>
#include <array>

#include "gradus/autograd/tensor.h"
#include "gradus/base/parallel.h"
#include "gradus/kernels/loops.h"

namespace gradus {

// elements a block: large enough to be worth a thread, a multiple of every vector
constexpr int64_t element_block = 1 << 15;

// x seen in a larger shape, repeated along broadcast axes (stride 0). The shape must be what
// broadcast_shapes gave.
inline Tensor expand_view(const Tensor& x, const Shape& shape) {
  Shape strides = Shape::of_rank(shape.rank());
  for (int i = 1; i <= x.rank(); ++i) strides[-i] = x.shape()[-i] == 1 ? 0 : x.strides()[-i];
  return x.view(shape, strides, x.offset());
}

namespace detail {
// One tensor of an elementwise loop, without its type.
struct Operand {
  void* at;
  const Shape* shape;
  const Shape* strides;
  int64_t size;  // bytes of an element
  Operand(const void* at, const Tensor& x) : Operand(at, x, x.strides()) {}
  Operand(const void* at, const Tensor& x, const Shape& strides)
      : at(const_cast<void*>(at)),
        shape(&x.shape()),
        strides(&strides),
        size(static_cast<int64_t>(size_of(x.dtype()))) {}
};
// Runs `count` rows of n elements; f is the function.
using RowLoop = void (*)(const void* f, const LoopRows* rows, int64_t count, int64_t n);
// operands[0] is y. Without a loop y = x, of whatever type.
void run_elementwise(const Operand* operands, int count, RowLoop loop, const void* f);

template <class Signature>
struct Elementwise;
template <class Out, class... In>
struct Elementwise<Out(In...)> {
  template <class F, class... X>
  static void run(Tensor& y, const F& f, const X&... x) {
    static_assert(sizeof...(X) == sizeof...(In), "elementwise: a tensor for each argument");
    const Operand operands[] = {{y.write_strided<Out>(), y}, {x.template data<In>(), x}...};
    const RowLoop loop = [](const void* f, const LoopRows* rows, int64_t count, int64_t n) {
      // integers and booleans are rarely many: one loop is enough
      constexpr bool floats =
          std::is_floating_point_v<Out> || (std::is_floating_point_v<In> || ...);
      loop_rows<Out, In...>(floats ? level() : Level::baseline, *static_cast<const F*>(f), rows,
                            count, n);
    };
    run_elementwise(operands, 1 + sizeof...(In), loop, &f);
  }
};
}  // namespace detail

template <class Signature, class F, class... X>
void elementwise(Tensor& y, const F& f, const X&... x) {
  detail::Elementwise<Signature>::run(y, f, x...);
}

// y = x; same dtype, x's shape broadcasts to y's, y any view.
void copy_elements(const Tensor& x, Tensor& y);
// The same into memory of x's shape with these strides, of which write() was asked for before.
void copy_elements(const Tensor& x, void* y, const Shape& strides);

// Every element of contiguous memory, threads sharing it.
template <class T>
void fill_elements(T* y, int64_t n, T value) {
  parallel_for(n, element_block,
               [&](int64_t begin, int64_t end) { std::fill(y + begin, y + end, value); });
}

// A check that ops with several float inputs share.
inline void check_same_dtype(const char* op, const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype())
    fail("{}: the inputs have dtypes {} and {} (shapes {} and {}); cast one of them", op,
         to_string(a.dtype()), to_string(b.dtype()), a.shape(), b.shape());
}

}  // namespace gradus
