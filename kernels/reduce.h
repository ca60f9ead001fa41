// One number of many: sums in double, the largest and the smallest.
#pragma once

#include "gradus/kernels/lane_math.h"

namespace gradus {
namespace {

// Sixteen values in double, which holds every float and the product of two exactly.
template <class T>
LANES_INLINE Lanes<double> widened(Lanes<T> v) {
  if constexpr (sizeof(T) == 8) {
    return v;
  } else {
    typedef float Half __attribute__((vector_size(kVectorBytes / 2)));
    Half half[Lanes<double>::kParts];
    memcpy(half, &v, sizeof v);
    Lanes<double> wide;
    EACH_PART(double)
    wide.part[i] = __builtin_convertvector(half[i], Lanes<double>::Vector);
    return wide;
  }
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
    a.part[i] = further | (a.part[i] != a.part[i]) ? a.part[i] : b.part[i];
  }
  return a;
}
template <bool larger, class T>
T extremum_of(const T* x, int64_t n) {
  const T nothing = static_cast<T>(larger ? -__builtin_inf() : __builtin_inf());
  Lanes<T> most = broadcast(nothing);
  for (int64_t i = 0; i < n; i += kLanes) most = beyond<larger>(load(x + i, n - i, nothing), most);
  T best = nothing, value[kLanes];
  store(value, most);
  for (const T v : value)
    if ((larger ? v > best : v < best) || v != v) best = v;
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
