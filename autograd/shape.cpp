#include "gradus/autograd/shape.h"

#include <fmt/ranges.h>

namespace gradus {

std::string to_string(const Shape& shape) {
  return fmt::format("[{}]", fmt::join(shape.begin(), shape.end(), ", "));
}

Shape contiguous_strides(const Shape& shape) {
  Shape strides = Shape::of_rank(shape.rank());
  int64_t stride = 1;
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    strides[axis] = stride;
    stride *= std::max<int64_t>(shape[axis], 1);
  }
  return strides;
}

Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b) {
  Shape out = Shape::of_rank(std::max(a.rank(), b.rank()));
  for (int i = 1; i <= out.rank(); ++i) {
    const int64_t from_a = i <= a.rank() ? a[-i] : 1, from_b = i <= b.rank() ? b[-i] : 1;
    if (from_a != from_b && from_a != 1 && from_b != 1)
      fail(
          "{}: shapes {} and {} do not broadcast: from the right, axis {} has sizes {} and {}; "
          "they must be equal, or one of them 1",
          op, a, b, i, from_a, from_b);
    out[-i] = from_a == 1 ? from_b : from_a;
  }
  return out;
}

bool broadcasts_to(const Shape& shape, const Shape& larger) {
  if (shape.rank() > larger.rank()) return false;
  for (int i = 1; i <= shape.rank(); ++i)
    if (shape[-i] != larger[-i] && shape[-i] != 1) return false;
  return true;
}

int checked_axis(const char* op, int axis, const Shape& shape) {
  check(axis >= -shape.rank() && axis < shape.rank(), "{}: axis {} is out of range for shape {}",
        op, axis, shape);
  return axis < 0 ? axis + shape.rank() : axis;
}

}  // namespace gradus

fmt::appender fmt::formatter<gradus::Shape>::format(const gradus::Shape& shape,
                                                    fmt::format_context& context) {
  const std::string text = gradus::to_string(shape);
  return std::copy(text.begin(), text.end(), context.out());
}
