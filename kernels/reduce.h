// One number of many: sums in double, the largest and the smallest.
#pragma once

#include "gradus/kernels/lane_math.h"

namespace gradus {
namespace {

// Sixteen values in double, which holds every float and the product of two exactly. By intrinsics:
// GCC 12 converts half a register at a time, or one element.
LANES_INLINE Lanes<double> widened(Lanes<double> v) { return v; }
LANES_INLINE Lanes<double> widened(Lanes<float> v) {
  typedef float Half __attribute__((vector_size(kVectorBytes / 2)));
  Half half[Lanes<double>::kParts];
  memcpy(half, &v, sizeof v);
  Lanes<double> wide;
  EACH_PART(double) {
#if defined(__AVX512F__)
    // the masked form: the other one reads, in GCC 12's header, a variable that was never set
    const auto part = _mm512_maskz_cvtps_pd(0xff, reinterpret_cast<__m256>(half[i]));
#elif defined(__AVX2__)
    const auto part = _mm256_cvtps_pd(reinterpret_cast<__m128>(half[i]));
#elif defined(__SSE2__)
    const auto part = _mm_cvtps_pd(__m128{half[i][0], half[i][1], 0, 0});
#else
    const auto part = __builtin_convertvector(half[i], Lanes<double>::Vector);
#endif
    wide.part[i] = reinterpret_cast<Lanes<double>::Vector>(part);
  }
  return wide;
}

// Thirty-two sums, so that an addition need not wait for the one before it.
template <class T>
double sum_of(const T* x, int64_t n) {
  Lanes<double> even = broadcast(0.0), odd = broadcast(0.0);
  int64_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    even = even + widened(load(x + i));
    odd = odd + widened(load(x + i + kLanes));
  }
  for (; i < n; i += kLanes) even = even + widened(load(x + i, n - i));
  return sum(even + odd);
}

// Sixteen sums. A level that fuses the multiply-add rounds as one that does not, for the product of
// two floats is exact: all levels agree bit for bit.
template <class T>
double sum_of_squares(const T* x, int64_t n) {
  Lanes<double> total = broadcast(0.0);
  for (int64_t i = 0; i < n; i += kLanes) {
    const Lanes<double> v = widened(load(x + i, n - i));
    total = total + v * v;
  }
  return sum(total);
}

// The sum of (x - c)^2 in double.
template <class T>
double squares_about(const T* x, double c, int64_t n) {
  Lanes<double> total = broadcast(0.0);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Lanes<double> v = widened(load(x + i)) - c;
    total = total + v * v;
  }
  double rest = 0;
  for (; i < n; ++i) rest += (static_cast<double>(x[i]) - c) * (static_cast<double>(x[i]) - c);
  return sum(total) + rest;
}

// a where it is beyond b (larger, or smaller), or NaN; else b.
template <bool larger, class T>
LANES_INLINE Lanes<T> beyond(Lanes<T> a, Lanes<T> b) {
  EACH_PART(T) {
    const auto further = larger ? a.part[i] > b.part[i] : a.part[i] < b.part[i];
    a.part[i] = (further | (a.part[i] != a.part[i])) ? a.part[i] : b.part[i];
  }
  return a;
}
template <bool larger, class T>
T extremum_of(const T* x, int64_t n) {
  const T nothing = static_cast<T>(larger ? -__builtin_inf() : __builtin_inf());
  Lanes<T> most[4] = {broadcast(nothing), broadcast(nothing), broadcast(nothing),
                      broadcast(nothing)};
  int64_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) most[k] = beyond<larger>(load(x + i + k * kLanes), most[k]);
  }
  for (; i < n; i += kLanes) most[0] = beyond<larger>(load(x + i, n - i, nothing), most[0]);
  most[0] = beyond<larger>(beyond<larger>(most[1], most[0]), beyond<larger>(most[3], most[2]));
  T best = nothing, value[kLanes];
  store(value, most[0]);
  for (const T v : value)
    if ((larger ? v > best : v < best) || __builtin_isnan(v)) best = v;
  return best;
}
template <class T>
T max_of(const T* x, int64_t n) {
  return extremum_of<true>(x, n);
}
template <class T>
T min_of(const T* x, int64_t n) {
  return extremum_of<false>(x, n);
}

}  // namespace
}  // namespace gradus
