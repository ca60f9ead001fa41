// The kit for elementwise ops, with a user's own function: every way inputs and outputs can lie,
// small and large enough for threads, against the elements one by one.
#include "gradus/ops/elementwise.h"

#include "gradus/kernels/kernels.h"
#include "tests/ops/samples.h"
#include "tests/support.h"

namespace gradus::testing {
namespace {

const auto f = [](float a, float b) { return a * a - b / (1 + a * a); };

// The ways in which a tensor of the shape, or one that broadcasts to it, can lie.
std::vector<std::pair<std::string, Tensor>> views(const Shape& shape, uint64_t stream) {
  const auto x = [&](const Shape& s) { return random_normal(s, 3, stream++); };
  const int last = shape.rank() - 1;
  std::vector<std::pair<std::string, Tensor>> all{{"contiguous", x(shape)}, {"number", x({})}};
  Shape doubled = shape, column = shape, row{shape[-1]};
  doubled[last] *= 2;
  column[last] = 1;
  all.emplace_back("row", x(row));
  all.emplace_back("column", x(column));
  if (shape[last]) all.emplace_back("slice", slice(x(doubled), last, 1, shape[last] + 1));
  all.emplace_back("expanded", expand(x(column), shape));
  if (shape.rank() < 2 || shape.numel() == 0) return all;
  for (int axis = 0; axis < last; ++axis) {
    Shape swapped = shape;
    std::swap(swapped[axis], swapped[last]);
    all.emplace_back(fmt::format("transposed {}", axis), transpose(x(swapped), axis, last));
    swapped[last] *= 2;
    all.emplace_back(fmt::format("transposed slice {}", axis),
                     transpose(slice(x(swapped), last, 1, swapped[last] / 2 + 1), axis, last));
  }
  Shape first = shape;
  first[0] = 1;
  all.emplace_back("first axis repeated", x(first));
  return all;
}

std::vector<float> one_by_one(const Tensor& a, const Tensor& b, const Shape& shape) {
  const auto u = expand(a, shape).to_vector<float>(), v = expand(b, shape).to_vector<float>();
  std::vector<float> y(u.size());
  for (size_t i = 0; i < y.size(); ++i) y[i] = f(u[i], v[i]);
  return y;
}

}  // namespace

TEST_CASE(
    "elementwise: a user's function over every pair of layouts, to every layout, on every level") {
  const NoGrad scope;
  int count = 0;
  const Kernels<float>* const* levels = kernel_levels(&count);
  for (int i = 0; i < count; ++i) {
    const KernelLevel level(*levels[i]);
    CAPTURE(levels[i]->level);
    for (const Shape& shape : {Shape{5}, Shape{1}, Shape{3, 4}, Shape{37, 131}, Shape{2, 1, 70},
                               Shape{5, 17, 19}, Shape{0, 3}, Shape{2, 3, 4, 5}, Shape{131, 517}}) {
      const bool large = shape.numel() > element_block;
      const Threads threads(large ? 2 : 1);
      for (const auto& [a_name, a] : views(shape, 1))
        for (const auto& [b_name, b] : views(shape, 100)) {
          CAPTURE(to_string(shape));
          const std::string names = a_name + " and " + b_name;
          CAPTURE(names);
          const std::vector<float> expected = one_by_one(a, b, shape);
          Tensor y = Tensor::empty(shape);
          elementwise<float(float, float)>(y, f, a, b);
          CHECK(y.to_vector<float>() == expected);
          if (large) continue;
          for (auto& [y_name, view] : views(shape, 200)) {
            if (view.shape() != shape || y_name == "expanded") continue;
            const std::string into = y_name;
            CAPTURE(into);
            elementwise<float(float, float)>(view, f, a, b);
            CHECK(view.to_vector<float>() == expected);
            copy_elements(b, view);
            CHECK(view.to_vector<float>() == expand(b, shape).to_vector<float>());
          }
        }
    }
  }
}

TEST_CASE("elementwise: in place, also where y lies transposed; what is around a view stays") {
  const NoGrad scope;
  const Tensor whole = random_normal({20, 30}, 1, 1), before = clone(whole),
               x = random_normal({9, 7}, 1, 2);
  Tensor y = transpose(slice(slice(whole, 0, 2, 9), 1, 3, 12));
  const std::vector<float> expected = (clone(y) + x).to_vector<float>();
  elementwise<float(float, float)>(
      y, [](float a, float b) { return a + b; }, y, x);
  CHECK(y.to_vector<float>() == expected);
  copy_elements(transpose(slice(slice(before, 0, 2, 9), 1, 3, 12)), y);
  CHECK(same_bits(whole, before));
  copy_into(x, y, true);
  CHECK(y.to_vector<float>() == expected);
}

TEST_CASE("elementwise: what cannot be is an Error") {
  Tensor y = Tensor::empty({2, 3});
  const auto run = [&](Tensor& to, const Tensor& x) {
    elementwise<float(float)>(
        to, [](float v) { return v; }, x);
  };
  const std::string shapes = error_of([&] { run(y, ones({2})); });
  CHECK_MENTIONS(shapes, "[2]");
  CHECK_MENTIONS(shapes, "[2, 3]");
  CHECK_MENTIONS(error_of([&] { run(y, ones({1, 2, 3})); }), "[1, 2, 3]");
  CHECK_MENTIONS(error_of([&] { run(y, ones({2, 3}, DType::f64)); }), "f64");
  Tensor repeated = expand(ones({2, 1}), {2, 3});
  CHECK_MENTIONS(error_of([&] { run(repeated, ones({2, 3})); }), "axis 1");
}

}  // namespace gradus::testing
