// Order along one axis.
//   argsort   the indices that sort x, i64; equal elements keep their order (stable)
//   sort      values = gather(x, argsort(x)), and those indices         dx = scatter(dvalues)
//   topk      the first k of the descending order                       the same
// NaN counts as larger than all numbers: it comes last ascending, first descending.
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "gradus/ops/elementwise.h"
#include "gradus/ops/numbers.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

// A number whose order among all keys is that of x: NaN last, and -0 beside 0.
template <class T>
Unsigned<sizeof(T)> key_of(T x, bool descending) {
  using Key = Unsigned<sizeof(T)>;
  constexpr Key sign = Key{1} << (8 * sizeof(T) - 1);
  Key key;
  if constexpr (std::is_same_v<T, bool>) {
    key = x;
  } else if constexpr (std::is_floating_point_v<T>) {
    const Key bits = std::bit_cast<Key>(x == 0 ? T{0} : x);
    key = bits & sign ? static_cast<Key>(~bits) : bits | sign;
    if (std::isnan(x)) key = static_cast<Key>(-1);
  } else {
    key = static_cast<Key>(x) ^ sign;
  }
  return descending ? static_cast<Key>(~key) : key;
}

template <class Key>
struct Item {
  Key key;
  uint32_t index;
  bool operator<(const Item& other) const {
    return key < other.key || (key == other.key && index < other.index);
  }
};

// Stable, a byte of the keys after the other (LSD radix sort, Knuth 5.2.5); `other` is room as
// large.
template <class Key>
void radix_sort(std::vector<Item<Key>>& items, std::vector<Item<Key>>& other) {
  for (size_t shift = 0; shift < 8 * sizeof(Key); shift += 8) {
    const auto digit = [=](const Item<Key>& item) {
      return static_cast<size_t>(item.key >> shift & 255);
    };
    std::array<size_t, 257> begin{};
    for (const auto& item : items) ++begin[digit(item) + 1];
    if (begin[digit(items[0]) + 1] == items.size()) continue;  // all have this byte
    for (size_t i = 0; i < 256; ++i) begin[i + 1] += begin[i];
    for (const auto& item : items) other[begin[digit(item)]++] = item;
    std::swap(items, other);
  }
}

// The first `count` indices along the axis in that order.
Tensor ranked(const Tensor& x, int axis, int64_t count, bool descending) {
  const NoGrad scope;
  const int64_t n = x.shape()[axis];
  check(n <= std::numeric_limits<uint32_t>::max(), "sort: axis {} of shape {} is too long", axis,
        x.shape());
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
      using Key = Unsigned<sizeof(T)>;
      std::vector<Item<Key>> items(static_cast<size_t>(n)), room(items.size());
      for (int64_t row = begin; row < end; ++row) {
        for (int64_t i = 0; i < n; ++i)
          items[static_cast<size_t>(i)] = {key_of(at[row * n + i], descending),
                                           static_cast<uint32_t>(i)};
        if (count < n / 4) std::partial_sort(items.begin(), items.begin() + count, items.end());
        else if (n < 128) std::sort(items.begin(), items.end());
        else radix_sort(items, room);
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
  const auto both = [](const Ranked& r) { return Tensors{r.values, r.indices}; };
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
