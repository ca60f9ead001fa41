// Lanes<T>: sixteen values side by side, in as many vector registers as the level needs (one for
// floats with AVX-512, two with AVX2, four with SSE2 or NEON).
//
// Every kernel loop goes sixteen elements at a time over Lanes, and every sum is sixteen sums that
// are combined in one fixed order. So all levels add in the same order and differ only where a
// level has fused multiply-add, and a loop's last, shorter step runs the same code as the others:
// results do not depend on how rows are cut. Kernels are compiled once per level with different
// instruction sets, so nothing here may be shared by the linker: all of it lives in an anonymous
// namespace (also the types, which differ by level), and only C headers are included. T is float,
// double or an integer of their sizes.
#pragma once

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

#define LANES_INLINE inline __attribute__((always_inline))
#define LANES_LAMBDA __attribute__((always_inline))

namespace gradus {
namespace {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64;
#elif defined(__AVX2__)
constexpr int kVectorBytes = 32;
#else
constexpr int kVectorBytes = 16;
#endif

constexpr int kLanes = 16;

template <class T>
struct Lanes {
  typedef T Vector __attribute__((vector_size(kVectorBytes)));
  typedef T Unaligned __attribute__((vector_size(kVectorBytes), aligned(sizeof(T)), may_alias));
  static constexpr int kParts = kLanes * static_cast<int>(sizeof(T)) / kVectorBytes,
                       kWidth = kLanes / kParts;
  Vector part[kParts];
};

template <class T>
// the integer of a type's size: what comparing its lanes gives (-1 for true, 0 for false)
struct IntegerOf;
template <>
struct IntegerOf<float> {
  using type = int32_t;
};
template <>
struct IntegerOf<double> {
  using type = int64_t;
};
template <class T>
using Mask = Lanes<typename IntegerOf<T>::type>;

template <class T>
struct Same {
  using type = T;
};
template <class T>
// a parameter that follows T and does not deduce it, so that x * 2 means x * T(2)
using Scalar = typename Same<T>::type;

// For each part of Lanes: a loop that is always unrolled.
#define EACH_PART(T) _Pragma("GCC unroll 8") for (int i = 0; i < Lanes<T>::kParts; ++i)

// ---- Loads and stores: all sixteen, or the first `count` (16 and more mean all; the other lanes
// are `fill`). ----
template <class T>
LANES_INLINE Lanes<T> broadcast(T value) {
  Lanes<T> a;
  EACH_PART(T) a.part[i] = value - typename Lanes<T>::Vector{};
  return a;
}
template <class T>
LANES_INLINE Lanes<T> load(const T* p) {
  Lanes<T> a;
  EACH_PART(T) a.part[i] = reinterpret_cast<const typename Lanes<T>::Unaligned*>(p)[i];
  return a;
}
template <class T>
LANES_INLINE void store(T* p, Lanes<T> a) {
  EACH_PART(T) reinterpret_cast<typename Lanes<T>::Unaligned*>(p)[i] = a.part[i];
}
#if defined(__AVX512F__)
LANES_INLINE Lanes<float> load_part(const float* p, int64_t count, float fill) {
  return {{reinterpret_cast<Lanes<float>::Vector>(
      _mm512_mask_loadu_ps(_mm512_set1_ps(fill), static_cast<__mmask16>((1u << count) - 1), p))}};
}
LANES_INLINE void store_part(float* p, Lanes<float> a, int64_t count) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << count) - 1),
                        reinterpret_cast<__m512>(a.part[0]));
}
#elif defined(__AVX2__)
constexpr int32_t kFirst[32] = {-1, -1, -1, -1, -1, -1, -1, -1,
                                // read from 16 - count on: the mask of `count` lanes
                                -1, -1, -1, -1, -1, -1, -1, -1};
LANES_INLINE Lanes<float> load_part(const float* p, int64_t count, float fill) {
  Lanes<float> a;
  EACH_PART(float) {
    const __m256i mask =
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kFirst + 16 - count + 8 * i));
    const __m256 read = _mm256_maskload_ps(p + 8 * i, mask);
    a.part[i] = reinterpret_cast<Lanes<float>::Vector>(
        _mm256_blendv_ps(_mm256_set1_ps(fill), read, _mm256_castsi256_ps(mask)));
  }
  return a;
}
LANES_INLINE void store_part(float* p, Lanes<float> a, int64_t count) {
  EACH_PART(float) {
    const __m256i mask =
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kFirst + 16 - count + 8 * i));
    _mm256_maskstore_ps(p + 8 * i, mask, reinterpret_cast<__m256>(a.part[i]));
  }
}
#endif
template <class T>
LANES_INLINE Lanes<T> load_part(const T* p, int64_t count, T fill) {
  T buffer[kLanes];
  for (int l = 0; l < kLanes; ++l) buffer[l] = l < count ? p[l] : fill;
  return load(buffer);
}
template <class T>
LANES_INLINE void store_part(T* p, Lanes<T> a, int64_t count) {
  T buffer[kLanes];
  store(buffer, a);
  for (int64_t l = 0; l < count; ++l) p[l] = buffer[l];
}
template <class T>
LANES_INLINE Lanes<T> load(const T* p, int64_t count, Scalar<T> fill = 0) {
  return count >= kLanes ? load(p) : load_part(p, count, fill);
}
template <class T>
LANES_INLINE void store(T* p, Lanes<T> a, int64_t count) {
  if (count >= kLanes) store(p, a);
  else store_part(p, a, count);
}

// ---- Arithmetic. ----
template <class T>
LANES_INLINE Lanes<T> operator+(Lanes<T> a, Lanes<T> b) {
  EACH_PART(T) a.part[i] = a.part[i] + b.part[i];
  return a;
}
template <class T>
LANES_INLINE Lanes<T> operator-(Lanes<T> a, Lanes<T> b) {
  EACH_PART(T) a.part[i] = a.part[i] - b.part[i];
  return a;
}
template <class T>
LANES_INLINE Lanes<T> operator*(Lanes<T> a, Lanes<T> b) {
  EACH_PART(T) a.part[i] = a.part[i] * b.part[i];
  return a;
}
template <class T>
LANES_INLINE Lanes<T> operator/(Lanes<T> a, Lanes<T> b) {
  EACH_PART(T) a.part[i] = a.part[i] / b.part[i];
  return a;
}
template <class T>
LANES_INLINE Lanes<T> operator+(Lanes<T> a, Scalar<T> b) {
  return a + broadcast<T>(b);
}
template <class T>
LANES_INLINE Lanes<T> operator-(Lanes<T> a, Scalar<T> b) {
  return a - broadcast<T>(b);
}
template <class T>
LANES_INLINE Lanes<T> operator*(Lanes<T> a, Scalar<T> b) {
  return a * broadcast<T>(b);
}
template <class T>
LANES_INLINE Lanes<T> operator*(Scalar<T> a, Lanes<T> b) {
  return broadcast<T>(a) * b;
}
template <class T>
LANES_INLINE Lanes<T> operator/(Scalar<T> a, Lanes<T> b) {
  return broadcast<T>(a) / b;
}
template <class T>
LANES_INLINE Lanes<T> operator-(Scalar<T> a, Lanes<T> b) {
  return broadcast<T>(a) - b;
}
template <class T>
LANES_INLINE Lanes<T> operator-(Lanes<T> a) {
  EACH_PART(T) a.part[i] = -a.part[i];
  return a;
}

// ---- Choices. less(a, b) is false where either is NaN, so max(a, b) and min(a, b) give b there:
// clamping x as max(low, x) keeps its NaN. ----
template <class T>
LANES_INLINE Mask<T> less(Lanes<T> a, Lanes<T> b) {
  Mask<T> m;
  EACH_PART(T) m.part[i] = reinterpret_cast<typename Mask<T>::Vector>(a.part[i] < b.part[i]);
  return m;
}
template <class T>
LANES_INLINE Lanes<T> select(Mask<T> m, Lanes<T> a, Lanes<T> b) {
  EACH_PART(T) a.part[i] = m.part[i] ? a.part[i] : b.part[i];
  return a;
}
template <class T>
LANES_INLINE Lanes<T> max(Lanes<T> a, Lanes<T> b) {
  EACH_PART(T) a.part[i] = a.part[i] > b.part[i] ? a.part[i] : b.part[i];
  return a;
}
template <class T>
LANES_INLINE Lanes<T> min(Lanes<T> a, Lanes<T> b) {
  EACH_PART(T) a.part[i] = a.part[i] < b.part[i] ? a.part[i] : b.part[i];
  return a;
}
template <class T>
LANES_INLINE Lanes<T> max(Scalar<T> a, Lanes<T> b) {
  return max(broadcast<T>(a), b);
}
template <class T>
LANES_INLINE Lanes<T> min(Scalar<T> a, Lanes<T> b) {
  return min(broadcast<T>(a), b);
}

// ---- The same bits as another type of the same size. ----
template <class To, class T>
LANES_INLINE Lanes<To> bits(Lanes<T> a) {
  static_assert(sizeof(To) == sizeof(T));
  Lanes<To> b;
  EACH_PART(T) b.part[i] = reinterpret_cast<typename Lanes<To>::Vector>(a.part[i]);
  return b;
}
template <class T>
LANES_INLINE Lanes<T> absolute(Lanes<T> a) {
  using I = typename IntegerOf<T>::type;
  constexpr I kMagnitude = static_cast<I>(~(static_cast<uint64_t>(1) << (8 * sizeof(T) - 1)));
  EACH_PART(T)
  a.part[i] = reinterpret_cast<typename Lanes<T>::Vector>(
      reinterpret_cast<typename Lanes<I>::Vector>(a.part[i]) & kMagnitude);
  return a;
}
// The magnitude of a with the sign of b; a is not negative.
template <class T>
LANES_INLINE Lanes<T> with_sign(Lanes<T> a, Lanes<T> b) {
  using I = typename IntegerOf<T>::type;
  constexpr I kSign = static_cast<I>(static_cast<uint64_t>(1) << (8 * sizeof(T) - 1));
  EACH_PART(T) {
    const auto sign = reinterpret_cast<typename Lanes<I>::Vector>(b.part[i]) & kSign;
    a.part[i] = reinterpret_cast<typename Lanes<T>::Vector>(
        reinterpret_cast<typename Lanes<I>::Vector>(a.part[i]) | sign);
  }
  return a;
}
// The square root; GCC makes vector instructions of the loop (-fno-math-errno).
template <class T>
LANES_INLINE Lanes<T> square_root(Lanes<T> a) {
  T buffer[kLanes];
  store(buffer, a);
#pragma omp simd
  for (int l = 0; l < kLanes; ++l)
    buffer[l] = sizeof(T) == 4 ? static_cast<T>(__builtin_sqrtf(static_cast<float>(buffer[l])))
                               : static_cast<T>(__builtin_sqrt(buffer[l]));
  return load(buffer);
}

// ---- From sixteen to one: lanes 8 apart, then 4, 2, 1, on every level. ----
template <class T>
LANES_INLINE T sum(Lanes<T> a) {
  typedef T Four __attribute__((vector_size(4 * sizeof(T))));
  Four q[4];
  memcpy(q, &a, sizeof q);
  const Four r = (q[0] + q[2]) + (q[1] + q[3]);
  return (r[0] + r[2]) + (r[1] + r[3]);
}
template <class T>
LANES_INLINE T max(Lanes<T> a) {
  typedef T Four __attribute__((vector_size(4 * sizeof(T))));
  Four q[4];
  memcpy(q, &a, sizeof q);
  const Four s = q[0] > q[2] ? q[0] : q[2], t = q[1] > q[3] ? q[1] : q[3], r = s > t ? s : t;
  const T x = r[0] > r[2] ? r[0] : r[2], y = r[1] > r[3] ? r[1] : r[3];
  return x > y ? x : y;
}

}  // namespace
}  // namespace gradus
