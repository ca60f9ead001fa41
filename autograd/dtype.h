// The element types of tensors. f32 computes, f64 checks (it is the test dtype), i32/i64 index,
// boolean selects. Gradients exist for f32 and f64.
#pragma once

#include <cstddef>
#include <cstdint>

#include "gradus/base/error.h"

namespace gradus {

enum class DType : uint8_t { f32, f64, i32, i64, boolean };

template <class T>
constexpr DType dtype_of = [] {
  static_assert(sizeof(T) == 0, "no such dtype");
  return DType::f32;
}();
template <>
inline constexpr DType dtype_of<float> = DType::f32;
template <>
inline constexpr DType dtype_of<double> = DType::f64;
template <>
inline constexpr DType dtype_of<int32_t> = DType::i32;
template <>
inline constexpr DType dtype_of<int64_t> = DType::i64;
template <>
inline constexpr DType dtype_of<bool> = DType::boolean;

inline bool is_float(DType dtype) { return dtype <= DType::f64; }

inline const char* to_string(DType dtype) {
  constexpr const char* names[] = {"f32", "f64", "i32", "i64", "boolean"};
  return names[static_cast<int>(dtype)];
}

// The one place where a run-time dtype becomes a type: dispatch(x.dtype(), [&]<class T>() { … });
template <class F>
decltype(auto) dispatch(DType dtype, F&& f) {
  switch (dtype) {
    case DType::f32: return f.template operator()<float>();
    case DType::f64: return f.template operator()<double>();
    case DType::i32: return f.template operator()<int32_t>();
    case DType::i64: return f.template operator()<int64_t>();
    case DType::boolean: return f.template operator()<bool>();
  }
  fail("dtype {} is out of range", static_cast<int>(dtype));
}

// The same for ops that exist for floating-point tensors only.
template <class F>
decltype(auto) dispatch_float(const char* op, DType dtype, F&& f) {
  if (dtype == DType::f32) return f.template operator()<float>();
  if (dtype == DType::f64) return f.template operator()<double>();
  fail("{}: needs an f32 or f64 tensor, got {}", op, to_string(dtype));
}

inline size_t size_of(DType dtype) {
  return dispatch(dtype, []<class T>() { return sizeof(T); });
}

}  // namespace gradus
