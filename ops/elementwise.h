// Loops over elements of strided tensors, for the ops that are nothing more: y[i] = f(a[i], b[i],
// …). The output is contiguous and new; inputs are any views of its shape (broadcast by expand_view
// first). Cut by size into blocks that threads share.
#pragma once

#include <array>

#include "gradus/autograd/tensor.h"
#include "gradus/base/parallel.h"

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

// Calls row(begin, count, pointers, steps) for runs of elements along the last axis: element begin
// of the output, pointers to the run in each input, and the inputs' steps along it.
template <class... In, class Row>
void for_each_run(const Shape& shape, const std::array<const Tensor*, sizeof...(In)>& inputs,
                  Row&& row) {
  constexpr size_t count = sizeof...(In);
  const int64_t n = shape.numel();
  if (n == 0) return;
  bool all_contiguous = true;
  for (const Tensor* x : inputs) all_contiguous = all_contiguous && x->is_contiguous();
  const int64_t length = all_contiguous ? n : shape.rank() ? shape[-1] : 1;  // of a run
  const int64_t runs = n / length, grain = std::max<int64_t>(1, element_block / length);
  std::array<int64_t, count> steps{};
  for (size_t i = 0; i < count; ++i)
    steps[i] = all_contiguous ? 1 : shape.rank() ? inputs[i]->strides()[-1] : 0;
  const auto at = [&]<size_t... I>(int64_t run, std::index_sequence<I...>) {
    std::array<int64_t, count> offsets{};
    if (!all_contiguous)
      for (int axis = shape.rank() - 2; axis >= 0; --axis) {
        const int64_t index = run % shape[axis];
        run /= shape[axis];
        for (size_t i = 0; i < count; ++i) offsets[i] += index * inputs[i]->strides()[axis];
      }
    return std::tuple<const In*...>{inputs[I]->template data<In>() + offsets[I]...};
  };
  if (runs == 1) {
    const auto base = at(0, std::index_sequence_for<In...>{});
    parallel_for(length, element_block, [&](int64_t begin, int64_t end) {
      const auto pointers = [&]<size_t... I>(std::index_sequence<I...>) {
        return std::tuple<const In*...>{std::get<I>(base) + begin * steps[I]...};
      }
      (std::index_sequence_for<In...>{});
      row(begin, end - begin, pointers, steps);
    });
    return;
  }
  parallel_for(runs, grain, [&](int64_t begin, int64_t end) {
    for (int64_t run = begin; run < end; ++run)
      row(run * length, length, at(run, std::index_sequence_for<In...>{}), steps);
  });
}

// y = f(x).
template <class In, class Out, class F>
void map(const Tensor& x, Tensor& y, F f) {
  Out* out = y.write<Out>();
  for_each_run<In>(y.shape(), {&x},
                   [&](int64_t begin, int64_t n, const auto& in, const auto& step) {
                     const In* a = std::get<0>(in);
                     Out* to = out + begin;
                     if (step[0] == 1)
                       for (int64_t i = 0; i < n; ++i) to[i] = f(a[i]);
                     else
                       for (int64_t i = 0; i < n; ++i) to[i] = f(a[i * step[0]]);
                   });
}

// y = f(a, b), both already of y's shape.
template <class In, class Out, class F>
void map(const Tensor& a_tensor, const Tensor& b_tensor, Tensor& y, F f) {
  Out* out = y.write<Out>();
  for_each_run<In, In>(y.shape(), {&a_tensor, &b_tensor},
                       [&](int64_t begin, int64_t n, const auto& in, const auto& step) {
                         const In *a = std::get<0>(in), *b = std::get<1>(in);
                         Out* to = out + begin;
                         if (step[0] == 1 && step[1] == 1)
                           for (int64_t i = 0; i < n; ++i) to[i] = f(a[i], b[i]);
                         else
                           for (int64_t i = 0; i < n; ++i)
                             to[i] = f(a[i * step[0]], b[i * step[1]]);
                       });
}

// A check that ops with several float inputs share.
inline void check_same_dtype(const char* op, const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype())
    fail("{}: the inputs have dtypes {} and {} (shapes {} and {}); cast one of them", op,
         to_string(a.dtype()), to_string(b.dtype()), a.shape(), b.shape());
}

}  // namespace gradus
