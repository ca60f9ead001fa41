// Tensor: a cheap shared handle to a strided view of typed memory, with what reverse mode needs
// beside it. Copies share; detach() and clone() do not.
//
// Who owns what: a Tensor owns its TensorImpl, that owns its Storage (memory, shared by views) and,
// if it was computed while recording, the Node that made it. A leaf is a tensor with
// requires_grad() and no node: backward() leaves its gradient in grad(), which never carries
// history. What is true: shape, strides and dtype never change after construction. Memory is
// written through write<T>() only, which counts a version, so that a tensor saved for backward
// notices; a tensor with history cannot be written at all.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gradus/autograd/dtype.h"
#include "gradus/autograd/memory.h"
#include "gradus/autograd/shape.h"

namespace gradus {

class Node;
class Tensor;
using Tensors = std::vector<Tensor>;
using Inputs = const Tensors&;

struct Storage {
  std::shared_ptr<void> memory;
  char* data;  // within memory
  size_t bytes;
  uint32_t version = 0;
};

struct TensorImpl {
  std::shared_ptr<Storage> storage;
  Shape shape, strides;
  int64_t offset = 0;  // in elements
  DType dtype = DType::f32;
  bool requires_grad = false;  // a leaf's own wish; tensors with a node need none
  bool frozen = false;         // that wish was refused: set_requires_grad(false)
  std::shared_ptr<Node> node;  // what made it, and which of its outputs it is
  int output = 0;
  std::shared_ptr<TensorImpl> grad;  // a leaf's gradient, once there is one
  // where that gradient must lie (a range of a flat arena), if anywhere
  std::shared_ptr<TensorImpl> grad_slot;
  std::string name;
};

class Tensor {
 public:
  // undefined: legal as a gradient ("zero, and nobody computed it"), an error as an input
  Tensor() = default;
  explicit Tensor(std::shared_ptr<TensorImpl> impl) : impl_(std::move(impl)) {}
  static Tensor empty(const Shape& shape, DType dtype = DType::f32);

  bool defined() const { return impl_ != nullptr; }
  const Shape& shape() const { return get().shape; }
  const Shape& strides() const { return get().strides; }
  DType dtype() const { return get().dtype; }
  int rank() const { return shape().rank(); }
  int64_t size(int axis) const;
  int64_t numel() const { return shape().numel(); }
  bool is_contiguous() const;

  // The first element. Element (i, j) is strides()[0] i + strides()[1] j further; in a tensor that
  // is_contiguous(), elements follow each other in row-major order (contiguous(x) makes one).
  template <class T>
  const T* data() const {
    return static_cast<const T*>(address(dtype_of<T>));
  }
  // The same for writing, which counts a version. An Error for a tensor that has history, for a
  // leaf that wants a gradient outside of NoGrad, and for a view whose elements do not follow each
  // other in row-major order: copy_into(values, view) goes by its strides.
  template <class T>
  T* write();
  template <class T>
  T* write_strided();  // the same for any view: the caller goes by its strides
  template <class T>
  std::vector<T> to_vector() const;  // the values in row-major order, converted
  double item() const;               // the only element

  // The same memory seen otherwise, without history: for ops, which record the history themselves.
  // An Error where it would end past the memory.
  Tensor view(const Shape& shape, const Shape& strides, int64_t offset) const;
  Tensor detach() const { return view(shape(), strides(), get().offset); }
  int64_t offset() const { return get().offset; }

  // off: frozen. A layer that lists a tensor in its parts() makes it a leaf that wants a gradient,
  // unless it is frozen.
  Tensor& set_requires_grad(bool on = true);
  // does a gradient flow to it?
  bool requires_grad() const { return get().requires_grad || get().node; }
  bool is_leaf() const { return get().requires_grad && !get().node; }
  bool is_frozen() const { return get().frozen; }
  Tensor grad() const { return Tensor(get().grad); }
  // Replaces the gradient, by its values: where an optimizer keeps it, they are copied there.
  void set_grad(const Tensor& grad) const;
  void clear_grad() const { get().grad = nullptr; }

  const std::string& name() const { return get().name; }
  Tensor& set_name(std::string name);

  TensorImpl& get() const;  // an Error where undefined
  const std::shared_ptr<TensorImpl>& impl() const { return impl_; }
  bool same(const Tensor& other) const { return impl_ == other.impl_; }

 private:
  void* address(DType dtype) const;
  std::shared_ptr<TensorImpl> impl_;
};

// Literals: tensor({{0, 1}, {2, 3}}) is f32 [2, 2].
struct Nested {
  double value = 0;
  std::vector<Nested> items;
  bool is_list = false;
  Nested(double value) : value(value) {}
  Nested(std::initializer_list<Nested> items) : items(items), is_list(true) {}
};
Tensor tensor(std::initializer_list<Nested> values, DType dtype = DType::f32);

template <class T>
Tensor from_vector(std::span<const T> values, const Shape& shape);
template <class T>
Tensor from_vector(const std::vector<T>& values, const Shape& shape) {
  return from_vector(std::span<const T>(values), shape);
}
template <class T>
Tensor from_vector(const std::vector<T>& values) {  // [n]
  return from_vector(values, {static_cast<int64_t>(values.size())});
}

Tensor full(const Shape& shape, double value, DType dtype = DType::f32);
inline Tensor zeros(const Shape& shape, DType dtype = DType::f32) { return full(shape, 0, dtype); }
inline Tensor ones(const Shape& shape, DType dtype = DType::f32) { return full(shape, 1, dtype); }
Tensor scalar(double value, DType dtype = DType::f32);  // shape []
Tensor arange(int64_t n, DType dtype = DType::i64);

// Shape, dtype, what made it, and the values (the corners of large ones).
std::string to_string(const Tensor& x);
// The first line of that alone: "f32 [2, 3] made by add at encoder.layer.0".
std::string describe(const Tensor& x);

}  // namespace gradus

template <>
struct fmt::formatter<gradus::Tensor> {
  static constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
  static fmt::appender format(const gradus::Tensor& x, fmt::format_context& context);
};
