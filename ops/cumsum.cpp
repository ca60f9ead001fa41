// Running sums along one axis.
//   cumsum   y[i] = x[0] + … + x[i]          dx[i] = dy[i] + … + dy[n-1], the same from the end
// Floats are added in double, in their order.
#include "gradus/ops/indices.h"
#include "gradus/ops/table.h"

namespace gradus {
namespace {

Tensor running_sum(const Tensor& x, int axis, bool from_end);

struct Cumsum : Op<Cumsum> {
  static constexpr const char* name = "cumsum";
  int axis;
  bool from_end;
  Cumsum(int axis, bool from_end) : axis(axis), from_end(from_end) {}
  std::string detail() const override {
    return fmt::format("axis={}{}", axis, from_end ? " from the end" : "");
  }
  Tensors forward(Inputs in) override {
    const Tensor x = contiguous(in[0]);
    Tensor y = Tensor::empty(x.shape(), x.dtype());
    if (x.numel() == 0) return {y};
    const int64_t n = x.shape()[axis], inner = y.strides()[axis], outer = x.numel() / (n * inner),
                  strip = std::min<int64_t>(inner, 256), strips = (inner + strip - 1) / strip;
    dispatch_number(name, x.dtype(), [&]<class T>() {
      using Sum = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;
      const T* from = x.data<T>();
      T* to = y.write<T>();
      parallel_for(outer * strips, std::max<int64_t>(1, element_block / (n * strip)),
                   [&](int64_t begin, int64_t end) {
                     std::vector<Sum> sums(static_cast<size_t>(strip));
                     for (int64_t task = begin; task < end; ++task) {
                       const int64_t first = task % strips * strip,
                                     width = std::min(strip, inner - first);
                       if (inner == 1) {  // the sum stays in a register
                         Sum sum{0};
                         for (int64_t i = 0; i < n; ++i) {
                           const int64_t at = task * n + (from_end ? n - 1 - i : i);
                           to[at] = static_cast<T>(sum += static_cast<Sum>(from[at]));
                         }
                         continue;
                       }
                       std::fill(sums.begin(), sums.end(), Sum{0});
                       for (int64_t i = 0; i < n; ++i) {
                         const int64_t row = from_end ? n - 1 - i : i,
                                       offset = (task / strips * n + row) * inner + first;
                         for (int64_t j = 0; j < width; ++j) {
                           Sum& sum = sums[static_cast<size_t>(j)];
                           sum += static_cast<Sum>(from[offset + j]);
                           to[offset + j] = static_cast<T>(sum);
                         }
                       }
                     }
                   });
    });
    return {y};
  }
  Tensors backward(const Tensors& dys) override { return {running_sum(dys[0], axis, !from_end)}; }
};

Tensor running_sum(const Tensor& x, int axis, bool from_end) {
  return apply<Cumsum>({x}, axis, from_end)[0];
}

}  // namespace

Tensor cumsum(const Tensor& x, int axis) {
  return running_sum(x, checked_axis("cumsum", axis, x.shape()), false);
}

OpInfos cumsum_ops() {
  using sample::normal;
  const auto along = [](int axis) {
    return [=](Inputs in) { return Tensors{cumsum(in[0], axis)}; };
  };
  return {{.name = "cumsum",
           .formula = "x[0] + … + x[i]",
           .samples = {{"last axis", {normal({3, 5})}, along(-1)},
                       {"first axis", {normal({4, 3})}, along(0)},
                       {"middle axis", {normal({2, 3, 4})}, along(1)}},
           .errors = {
               {"axis",
                [] {
                  cumsum(ones({2, 3}), 2);
                },
                {"cumsum", "axis 2", "[2, 3]"}},
               {"booleans", [] { cumsum(ones({2}, DType::boolean), 0); }, {"cumsum", "boolean"}}}}};
}

}  // namespace gradus
