// Shape: the sizes of a tensor's axes, at most 8; a value without allocation. The same class holds
// strides (in elements; 0 repeats, negative is not used).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "gradus/base/error.h"

namespace gradus {

class Shape {
 public:
  static constexpr int max_rank = 8;

  Shape() = default;
  Shape(std::initializer_list<int64_t> sizes) {
    for (int64_t size : sizes) push_back(size);
  }
  static Shape of_rank(int rank, int64_t value = 0) {
    Shape shape;
    for (int i = 0; i < rank; ++i) shape.push_back(value);
    return shape;
  }

  int rank() const { return rank_; }
  int64_t operator[](int axis) const {
    return sizes_[static_cast<size_t>(axis < 0 ? axis + rank_ : axis)];
  }
  int64_t& operator[](int axis) {
    return sizes_[static_cast<size_t>(axis < 0 ? axis + rank_ : axis)];
  }
  const int64_t* begin() const { return sizes_.data(); }
  const int64_t* end() const { return sizes_.data() + rank_; }
  void push_back(int64_t size) {
    check(rank_ < max_rank, "a tensor has at most {} axes", max_rank);
    sizes_[static_cast<size_t>(rank_++)] = size;
  }
  void insert(int axis, int64_t size) {
    push_back(size);
    for (int i = rank_ - 1; i > axis; --i) std::swap((*this)[i], (*this)[i - 1]);
  }
  void erase(int axis) {
    for (int i = axis; i + 1 < rank_; ++i) (*this)[i] = (*this)[i + 1];
    --rank_;
  }
  int64_t numel() const {
    int64_t n = 1;
    for (int64_t size : *this) n *= size;
    return n;
  }
  bool operator==(const Shape& other) const {
    return std::equal(begin(), end(), other.begin(), other.end());
  }

 private:
  std::array<int64_t, max_rank> sizes_{};
  int rank_ = 0;
};

std::string to_string(const Shape& shape);  // "[2, 3]"

// Row-major strides of a contiguous tensor.
Shape contiguous_strides(const Shape& shape);

// The shape both broadcast to by NumPy's rule: aligned at the last axis, equal or 1. An Error names
// the op and both shapes.
Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b);

// Whether a tensor of that shape, broadcast, can have the larger shape: aligned at the last axis,
// each size equal or 1.
bool broadcasts_to(const Shape& shape, const Shape& larger);

// axis in [-rank, rank) made non-negative; otherwise an Error that names the op, the axis and the
// shape.
int checked_axis(const char* op, int axis, const Shape& shape);

}  // namespace gradus

template <>
struct fmt::formatter<gradus::Shape> {
  static constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  static fmt::appender format(const gradus::Shape& shape, fmt::format_context& context);
};
