// Copies between strided tensors, as runs of elements along one axis: what concat, split, pad and
// slices do. Axes that lie one after the other in both tensors become one, so that a block of rows
// is one memcpy; runs are cut by size and shared by threads.
#pragma once

#include <cstring>

#include "gradus/ops/elementwise.h"
#include "gradus/ops/ops.h"

namespace gradus {

// Calls run(to, from, n, to_step, from_step) for runs of n elements that make up the shape: offsets
// of the first element in both tensors, and their steps from one element to the next.
template <class Run>
void for_each_strided_run(const Shape& shape, const Shape& to, const Shape& from, Run&& run) {
  Shape sizes, to_strides, from_strides;  // after merging
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (shape[axis] == 1) continue;
    if (sizes.rank() && to_strides[-1] == to[axis] * shape[axis] &&
        from_strides[-1] == from[axis] * shape[axis]) {
      sizes[-1] *= shape[axis];
      to_strides[-1] = to[axis];
      from_strides[-1] = from[axis];
    } else {
      sizes.push_back(shape[axis]);
      to_strides.push_back(to[axis]);
      from_strides.push_back(from[axis]);
    }
  }
  if (sizes.numel() == 0) return;
  if (sizes.rank() == 0) return run(int64_t{0}, int64_t{0}, int64_t{1}, int64_t{1}, int64_t{1});
  const int last = sizes.rank() - 1;
  const int64_t n = sizes[last], runs = sizes.numel() / n, to_step = to_strides[last],
                from_step = from_strides[last];
  if (runs == 1)
    return parallel_for(n, element_block, [&](int64_t begin, int64_t end) {
      run(begin * to_step, begin * from_step, end - begin, to_step, from_step);
    });
  parallel_for(runs, std::max<int64_t>(1, element_block / n), [&](int64_t begin, int64_t end) {
    Shape index = Shape::of_rank(last);
    int64_t to_offset = 0, from_offset = 0, rest = begin;
    for (int axis = last - 1; axis >= 0; --axis) {
      index[axis] = rest % sizes[axis];
      rest /= sizes[axis];
      to_offset += index[axis] * to_strides[axis];
      from_offset += index[axis] * from_strides[axis];
    }
    for (int64_t i = begin; i < end; ++i) {
      run(to_offset, from_offset, n, to_step, from_step);
      for (int axis = last - 1; axis >= 0; --axis) {
        to_offset += to_strides[axis];
        from_offset += from_strides[axis];
        if (++index[axis] < sizes[axis]) break;
        to_offset -= sizes[axis] * to_strides[axis];
        from_offset -= sizes[axis] * from_strides[axis];
        index[axis] = 0;
      }
    }
  });
}

// x, or a contiguous copy of it where its elements do not follow each other along the last axis but
// along another one: such a copy is made in tiles, not in runs.
inline Tensor in_runs(const Tensor& x) {
  if (x.is_contiguous() || x.rank() == 0 || x.shape()[-1] == 1 || x.strides()[-1] <= 1) return x;
  for (int axis = 0; axis + 1 < x.rank(); ++axis)
    if (x.strides()[axis] == 1 && x.shape()[axis] > 1) return contiguous(x);
  return x;
}

// to = from, or to += from, for `to` a region of memory with from's shape and these strides.
template <class T>
void copy_region(const Tensor& from, T* to, const Shape& to_strides, bool add = false) {
  const T* source = from.data<T>();
  for_each_strided_run(
      from.shape(), to_strides, from.strides(),
      [&](int64_t to_offset, int64_t from_offset, int64_t n, int64_t to_step, int64_t from_step) {
        T* at = to + to_offset;
        const T* x = source + from_offset;
        if (add) {
          if (to_step == 1 && from_step == 1)
            for (int64_t i = 0; i < n; ++i) at[i] = static_cast<T>(at[i] + x[i]);
          else
            for (int64_t i = 0; i < n; ++i)
              at[i * to_step] = static_cast<T>(at[i * to_step] + x[i * from_step]);
        } else if (to_step == 1 && from_step == 1 && n >= 16) {
          std::memcpy(at, x, static_cast<size_t>(n) * sizeof(T));
        } else {
          for (int64_t i = 0; i < n; ++i) at[i * to_step] = x[i * from_step];
        }
      });
}

// Every element of a contiguous tensor's memory, threads sharing it.
template <class T>
void fill_blocks(T* to, int64_t n, T value) {
  parallel_for(n, element_block,
               [&](int64_t begin, int64_t end) { std::fill(to + begin, to + end, value); });
}

}  // namespace gradus
