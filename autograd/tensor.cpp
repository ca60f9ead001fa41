#include "gradus/autograd/tensor.h"

#include <cmath>
#include <cstring>

#include "gradus/autograd/engine.h"
#include "gradus/autograd/modes.h"
#include "gradus/autograd/node.h"

namespace gradus {

TensorImpl& Tensor::get() const {
  if (!impl_)
    fail(
        "an undefined tensor was used; it is what a gradient is that nobody computed (zero), or a "
        "Tensor that was never assigned");
  return *impl_;
}

Tensor Tensor::empty(const Shape& shape, DType dtype) {
  for (int64_t size : shape) check(size >= 0, "a tensor cannot have the shape {}", shape);
  const size_t bytes = static_cast<size_t>(shape.numel()) * size_of(dtype);
  auto memory = allocate(bytes);
  char* data = static_cast<char*>(memory.get());
  auto impl = std::make_shared<TensorImpl>();
  impl->storage = std::make_shared<Storage>(Storage{std::move(memory), data, bytes});
  impl->shape = shape;
  impl->strides = contiguous_strides(shape);
  impl->dtype = dtype;
  return Tensor(std::move(impl));
}

int64_t Tensor::size(int axis) const { return shape()[checked_axis("size", axis, shape())]; }

bool Tensor::is_contiguous() const {
  int64_t expected = 1;
  for (int axis = rank() - 1; axis >= 0; --axis) {
    if (shape()[axis] != 1 && strides()[axis] != expected) return numel() == 0;
    expected *= shape()[axis];
  }
  return true;
}

void* Tensor::address(DType wanted) const {
  const TensorImpl& x = get();
  if (x.dtype != wanted)
    fail("a tensor of dtype {} was read as {}", to_string(x.dtype), to_string(wanted));
  return x.storage->data + static_cast<size_t>(x.offset) * size_of(x.dtype);
}

template <class T>
T* Tensor::write_strided() {
  const TensorImpl& x = get();
  if (x.node)
    fail("a tensor made by {} while recording cannot be written; detach() or clone() it first",
         x.node->op());
  if (x.requires_grad && grad_enabled())
    fail("the leaf '{}' wants a gradient; write it inside a NoGrad scope", x.name);
  ++x.storage->version;
  return static_cast<T*>(address(dtype_of<T>));
}
template float* Tensor::write_strided();
template double* Tensor::write_strided();
template int32_t* Tensor::write_strided();
template int64_t* Tensor::write_strided();
template bool* Tensor::write_strided();

template <class T>
T* Tensor::write() {
  if (!is_contiguous())
    fail(
        "write: {} is a view with strides {}, whose elements do not follow each other; write a "
        "contiguous tensor and copy_into() the view",
        describe(*this), strides());
  return write_strided<T>();
}
template float* Tensor::write();
template double* Tensor::write();
template int32_t* Tensor::write();
template int64_t* Tensor::write();
template bool* Tensor::write();

namespace {
// Calls f(offset) for every element in row-major order.
template <class F>
void for_each_offset(const Tensor& x, F&& f) {
  const Shape &shape = x.shape(), &strides = x.strides();
  if (x.numel() == 0) return;
  Shape index = Shape::of_rank(shape.rank());
  for (int64_t offset = 0;;) {
    f(offset);
    int axis = shape.rank() - 1;
    for (; axis >= 0; --axis) {
      offset += strides[axis];
      if (++index[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}
}  // namespace

template <class T>
std::vector<T> Tensor::to_vector() const {
  std::vector<T> out;
  out.reserve(static_cast<size_t>(numel()));
  dispatch(dtype(), [&]<class From>() {
    const From* at = data<From>();
    for_each_offset(*this, [&](int64_t offset) { out.push_back(static_cast<T>(at[offset])); });
  });
  return out;
}
template std::vector<float> Tensor::to_vector() const;
template std::vector<double> Tensor::to_vector() const;
template std::vector<int32_t> Tensor::to_vector() const;
template std::vector<int64_t> Tensor::to_vector() const;
template std::vector<bool> Tensor::to_vector() const;

double Tensor::item() const {
  if (numel() != 1)
    fail("item: the tensor has {} elements, shape {}; it needs exactly one", numel(), shape());
  return to_vector<double>()[0];
}

Tensor Tensor::view(const Shape& shape, const Shape& strides, int64_t offset) const {
  const TensorImpl& x = get();
  if (shape.numel() > 0) {
    int64_t last = offset;
    for (int axis = 0; axis < shape.rank(); ++axis) last += (shape[axis] - 1) * strides[axis];
    const auto elements = static_cast<int64_t>(x.storage->bytes / size_of(x.dtype));
    if (offset < 0 || last >= elements)
      fail("view: shape {} with strides {} and offset {} ends at element {} of the {} in memory",
           shape, strides, offset, last, elements);
  }
  auto impl = std::make_shared<TensorImpl>();
  impl->storage = x.storage;
  impl->shape = shape;
  impl->strides = strides;
  impl->offset = offset;
  impl->dtype = x.dtype;
  impl->name = x.name;
  return Tensor(std::move(impl));
}

Tensor& Tensor::set_requires_grad(bool on) {
  if (on && !is_float(dtype()))
    fail("requires_grad: a tensor of dtype {} has no gradient; only f32 and f64 have",
         to_string(dtype()));
  if (get().node)
    fail("requires_grad: the tensor was made by {} and has its history; detach() it first",
         get().node->op());
  get().requires_grad = on;
  get().frozen = !on && is_float(dtype());
  return *this;
}

void Tensor::set_grad(const Tensor& grad) const {
  if (grad.shape() != shape() || grad.dtype() != dtype())
    fail("set_grad: the gradient is {} {}, the tensor {} {}", to_string(grad.dtype()), grad.shape(),
         to_string(dtype()), shape());
  TensorImpl& x = get();
  if (x.grad_slot && grad.impl() != x.grad_slot) {
    const NoGrad scope;
    Tensor slot(x.grad_slot);
    copy_into(grad, slot, false);
  }
  x.grad = x.grad_slot ? x.grad_slot : grad.detach().impl();
}

Tensor& Tensor::set_name(std::string name) {
  get().name = std::move(name);
  return *this;
}

namespace {
void flatten(const Nested& nested, const Shape& shape, int axis, std::vector<double>& out) {
  if (axis == shape.rank()) {
    check(!nested.is_list, "tensor: the literal is nested deeper in some places than in others");
    out.push_back(nested.value);
    return;
  }
  if (!nested.is_list || static_cast<int64_t>(nested.items.size()) != shape[axis])
    fail("tensor: the lists along axis {} of the literal differ in length: {} and {}", axis,
         shape[axis], nested.items.size());
  for (const Nested& item : nested.items) flatten(item, shape, axis + 1, out);
}
}  // namespace

Tensor tensor(std::initializer_list<Nested> values, DType dtype) {
  const Nested root(values);
  Shape shape;
  for (const Nested* at = &root; at->is_list; at = &at->items[0]) {
    shape.push_back(static_cast<int64_t>(at->items.size()));
    if (at->items.empty()) break;
  }
  std::vector<double> flat;
  if (shape.numel()) flatten(root, shape, 0, flat);
  Tensor x = Tensor::empty(shape, dtype);
  dispatch(dtype, [&]<class T>() {
    T* at = x.write<T>();
    for (size_t i = 0; i < flat.size(); ++i) at[i] = static_cast<T>(flat[i]);
  });
  return x;
}

template <class T>
Tensor from_vector(std::span<const T> values, const Shape& shape) {
  if (shape.numel() != static_cast<int64_t>(values.size()))
    fail("from_vector: {} values do not fill the shape {}", values.size(), shape);
  Tensor x = Tensor::empty(shape, dtype_of<T>);
  if (!values.empty()) std::memcpy(x.write<T>(), values.data(), values.size_bytes());
  return x;
}
template Tensor from_vector(std::span<const float>, const Shape&);
template Tensor from_vector(std::span<const double>, const Shape&);
template Tensor from_vector(std::span<const int32_t>, const Shape&);
template Tensor from_vector(std::span<const int64_t>, const Shape&);

Tensor full(const Shape& shape, double value, DType dtype) {
  Tensor x = Tensor::empty(shape, dtype);
  dispatch(dtype, [&]<class T>() { std::fill_n(x.write<T>(), x.numel(), static_cast<T>(value)); });
  return x;
}
Tensor scalar(double value, DType dtype) { return full({}, value, dtype); }

Tensor arange(int64_t n, DType dtype) {
  Tensor x = Tensor::empty({n}, dtype);
  dispatch(dtype, [&]<class T>() {
    T* at = x.write<T>();
    for (int64_t i = 0; i < n; ++i) at[i] = static_cast<T>(i);
  });
  return x;
}

std::string describe(const Tensor& x) {
  if (!x.defined()) return "undefined";
  std::string text = fmt::format("{} {}", to_string(x.dtype()), x.shape());
  if (!x.name().empty()) text += fmt::format(" '{}'", x.name());
  if (const auto& node = x.get().node) {
    text += fmt::format(" made by {}", node->op());
    if (!node->path().empty()) text += fmt::format(" at {}", node->path());
  } else if (x.requires_grad()) {
    text += " leaf";
  } else if (x.is_frozen()) {
    text += " frozen";
  }
  return text;
}

namespace {
// The sizes shown of a long axis: its first and last `edge` items.
constexpr int64_t edge = 3, long_axis = 8;

void print(const Tensor& x, const std::vector<double>& values, int axis, int64_t at,
           std::string& out) {
  if (axis == x.rank()) {
    out += is_float(x.dtype())
               ? fmt::format("{:.4g}", values[static_cast<size_t>(at)])
               : fmt::format("{}", static_cast<int64_t>(values[static_cast<size_t>(at)]));
    return;
  }
  int64_t stride = 1;
  for (int i = axis + 1; i < x.rank(); ++i) stride *= x.shape()[i];
  const bool innermost = axis + 1 == x.rank();
  out += '[';
  for (int64_t i = 0, n = x.shape()[axis]; i < n; ++i) {
    if (i) out += innermost ? ", " : ",\n" + std::string(static_cast<size_t>(axis) + 1, ' ');
    if (n > long_axis && i == edge) {
      out += "…";
      i = n - edge - 1;
      continue;
    }
    print(x, values, axis + 1, at + i * stride, out);
  }
  out += ']';
}
}  // namespace

std::string to_string(const Tensor& x) {
  std::string text = describe(x);
  if (!x.defined()) return text;
  text += '\n';
  print(x, x.to_vector<double>(), 0, 0, text);
  return text;
}

}  // namespace gradus

fmt::appender fmt::formatter<gradus::Tensor>::format(const gradus::Tensor& x,
                                                     fmt::format_context& context) {
  const std::string text = gradus::to_string(x);
  return std::copy(text.begin(), text.end(), context.out());
}
