// Order along one axis.
//   argsort   the indices that sort x, i64; equal elements keep their order (stable)
//   sort      values = gather(x, argsort(x)), and those indices         dx = scatter(dvalues)
//   topk      the first k of the descending order                       the same
// NaN counts as larger than all numbers: it comes last ascending, first descending.
#include <cmath>

#include "gradus/ops/elementwise.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

template <class T>
struct Item {
  T value;
  int64_t index;
};

template <class T>
bool is_nan(T x) {
  if constexpr (std::is_floating_point_v<T>) return std::isnan(x);
  else return false;
}

// A total order, so that an unstable algorithm gives the stable result.
template <class T>
struct Before {
  bool descending;
  bool operator()(const Item<T>& a, const Item<T>& b) const {
    if (smaller(a.value, b.value)) return !descending;
    if (smaller(b.value, a.value)) return descending;
    return a.index < b.index;
  }
  static bool smaller(T a, T b) { return a < b || (is_nan(b) && !is_nan(a)); }
};

// The first `count` indices along the axis in that order.
Tensor ranked(const Tensor& x, int axis, int64_t count, bool descending) {
  const NoGrad scope;
  const int64_t n = x.shape()[axis];
  std::vector<int> order;
  for (int i = 0; i < x.rank(); ++i)
    if (i != axis) order.push_back(i);
  order.push_back(axis);
  const Tensor rows = contiguous(permute(x, order));
  Shape shape = rows.shape();
  shape[-1] = count;
  Tensor indices = Tensor::empty(shape, DType::i64);
  dispatch(x.dtype(), [&]<class T>() {
    if (indices.numel() == 0) return;
    const T* at = rows.data<T>();
    int64_t* out = indices.write<int64_t>();
    const int64_t grain = std::max<int64_t>(1, element_block / 8 / n);
    parallel_for(x.numel() / n, grain, [&](int64_t begin, int64_t end) {
      std::vector<Item<T>> items(static_cast<size_t>(n));
      for (int64_t row = begin; row < end; ++row) {
        for (int64_t i = 0; i < n; ++i) items[static_cast<size_t>(i)] = {at[row * n + i], i};
        if (count < n)
          std::partial_sort(items.begin(), items.begin() + count, items.end(),
                            Before<T>{descending});
        else std::sort(items.begin(), items.end(), Before<T>{descending});
        for (int64_t i = 0; i < count; ++i)
          out[row * count + i] = items[static_cast<size_t>(i)].index;
      }
    });
  });
  std::vector<int> back(order.size());
  for (size_t i = 0; i < order.size(); ++i)
    back[static_cast<size_t>(order[i])] = static_cast<int>(i);
  return contiguous(permute(indices, back));
}

}  // namespace

Tensor argsort(const Tensor& x, int axis, bool descending) {
  axis = checked_axis("argsort", axis, x.shape());
  return ranked(x, axis, x.shape()[axis], descending);
}

Ranked sort(const Tensor& x, int axis, bool descending) {
  axis = checked_axis("sort", axis, x.shape());
  const Tensor indices = ranked(x, axis, x.shape()[axis], descending);
  return {gather(x, axis, indices), indices};
}

Ranked topk(const Tensor& x, int64_t k, int axis) {
  axis = checked_axis("topk", axis, x.shape());
  if (k < 0 || k > x.shape()[axis])
    fail("topk: {} elements of axis {} of shape {}, which has {}", k, axis, x.shape(),
         x.shape()[axis]);
  const Tensor indices = ranked(x, axis, k, true);
  return {gather(x, axis, indices), indices};
}

OpInfos sort_ops() {
  using sample::indices;
  using sample::normal;
  const auto both = [](Ranked r) { return Tensors{r.values, r.indices}; };
  return {
      {.name = "argsort",
       .formula = "indices that sort x",
       .samples = {{"last axis, and descending",
                    {normal({3, 5})},
                    [](Inputs in) {
                      return Tensors{argsort(in[0]), argsort(in[0], -1, true)};
                    }},
                   {"many equal, first axis",
                    {indices({9, 3}, 3)},
                    [](Inputs in) {
                      return Tensors{argsort(in[0], 0), argsort(in[0], 0, true)};
                    }}},
       .errors = {{"axis", [] { argsort(ones({2}), 1); }, {"argsort", "axis 1", "[2]"}}},
       .differentiable = false},
      {.name = "sort",
       .formula = "x in ascending order",
       .samples = {{"last axis", {normal({3, 5})}, [=](Inputs in) { return both(sort(in[0])); }},
                   {"first axis, descending",
                    {normal({5, 3})},
                    [=](Inputs in) { return both(sort(in[0], 0, true)); }},
                   {"middle axis",
                    {normal({2, 4, 3})},
                    [=](Inputs in) { return both(sort(in[0], 1)); }}},
       .errors = {{"axis", [] { sort(ones({2}), -2); }, {"sort", "axis -2", "[2]"}}},
       .composed = true},
      {.name = "topk",
       .formula = "the k largest of x",
       .samples = {{"last axis", {normal({3, 5})}, [=](Inputs in) { return both(topk(in[0], 2)); }},
                   {"first axis",
                    {normal({6, 2})},
                    [=](Inputs in) { return both(topk(in[0], 3, 0)); }}},
       .errors = {{"too many",
                   [] {
                     topk(ones({2, 3}), 4);
                   },
                   {"topk", "4", "[2, 3]"}},
                  {"negative",
                   [] {
                     topk(ones({2, 3}), -1);
                   },
                   {"topk", "-1", "[2, 3]"}},
                  {"axis", [] { topk(ones({3}), 1, 1); }, {"topk", "axis 1", "[3]"}}},
       .composed = true}};
}

}  // namespace gradus
