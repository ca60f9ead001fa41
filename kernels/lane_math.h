// exp, log, expm1, log1p, softplus, erf, tanh, sigmoid and the normal distribution on sixteen
// lanes: polynomials for float, the C library for double. No branches and no calls in the float
// versions; every lane is computed the same way, NaN stays NaN. Errors in ulps are asserted in
// tests/kernels. Coefficients are near-minimax fits (relative error below 1e-8 before rounding) by
// Lawson's iteration, unless a source is named.
#pragma once

#include "gradus/kernels/simd.h"

namespace gradus {
namespace {

// c0 + c1 x + c2 x^2 + ...
LANES_INLINE Lanes<float> polynomial(Lanes<float>, float c) { return broadcast(c); }
template <class... C>
LANES_INLINE Lanes<float> polynomial(Lanes<float> x, float c0, C... more) {
  return polynomial(x, more...) * x + c0;
}

// exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln(2) / 2; 2^n is added to the exponent's bits.
// Results below the smallest normal number are 0: denormals cost a hundred cycles each, here and in
// whatever reads them.
LANES_INLINE Lanes<float> exp(Lanes<float> x) {
  constexpr float kRound = 0x1.8p23f;  // adding it leaves the nearest integer in the low bits
  const auto shifted = x * 1.44269504f + kRound, n = shifted - kRound;
  // ln 2 in two parts, the first with so few bits that n times it is exact
  const auto r = (x - n * 0.693145752f) - n * 1.42860677e-6f;
  const auto p = r * r *
                     polynomial(r, 4.999999345e-01f, 1.666652065e-01f, 4.166838789e-02f,
                                8.368715219e-03f, 1.381460185e-03f) +
                 r + 1.0f;
  auto word = bits<uint32_t>(p);
  EACH_PART(float) word.part[i] += bits<uint32_t>(shifted).part[i] << 23;
  const auto y = select(less(x, broadcast(-87.3365402f)), broadcast(0.0f), bits<float>(word));
  // past the range inf, and NaN for NaN
  return select(less(x, broadcast(88.7228394f)), y, x + __builtin_inff());
}

// log(x) = e ln 2 + log(1 + f), 1 + f in [sqrt(1/2), sqrt(2)). Denormals are scaled up first.
LANES_INLINE Lanes<float> log(Lanes<float> x) {
  const auto tiny = less(x, broadcast(0x1p-126f));
  auto scaled = select(tiny, x * 0x1p23f, x);
  Lanes<float> e, f;
  EACH_PART(float) {
    using Words = Lanes<uint32_t>::Vector;
    using Integers = Lanes<int32_t>::Vector;
    using Floats = Lanes<float>::Vector;
    const Words word = reinterpret_cast<Words>(scaled.part[i]);
    // 0x3F3504F3 is sqrt(1/2)
    const Integers exponent = reinterpret_cast<Integers>(word - 0x3F3504F3u) >> 23;
    f.part[i] = reinterpret_cast<Floats>(word - (reinterpret_cast<Words>(exponent) << 23)) - 1.0f;
    e.part[i] = __builtin_convertvector(exponent, Floats);
  }
  e = e + select(tiny, broadcast(-23.0f), broadcast(0.0f));
  const auto p = polynomial(f, 3.333331260e-01f, -2.500000960e-01f, 2.000211866e-01f,
                            -1.666799584e-01f, 1.421955228e-01f, -1.240558906e-01f,
                            1.188816297e-01f, -1.167565121e-01f, 6.746638253e-02f);
  const auto y = (f * f * (f * p - 0.5f) + e * 1.42860677e-6f) + f + e * 0.693145752f;
  const auto infinity = broadcast(__builtin_inff()), zero = broadcast(0.0f);
  // x in (0, inf): y. Else inf and NaN give themselves, 0 gives -inf, and below it NaN.
  const auto below = select(less(x, zero), broadcast(__builtin_nanf("")), -infinity);
  return select(less(x, infinity), select(less(zero, x), y, below), x);
}

LANES_INLINE Lanes<float> sigmoid(Lanes<float> x) { return 1.0f / (exp(-x) + 1.0f); }

// e^x - 1: its series where e^x is so near 1 that the difference would cancel.
LANES_INLINE Lanes<float> expm1(Lanes<float> x) {
  const auto near = x + x * x *
                            polynomial(x, 1 / 2.0f, 1 / 6.0f, 1 / 24.0f, 1 / 120.0f, 1 / 720.0f,
                                       1 / 5040.0f, 1 / 40320.0f);
  return select(less(absolute(x), broadcast(0.5f)), near, exp(x) - 1.0f);
}

// ln(1 + x) = ln(u) x / (u - 1) with u = 1 + x as it was rounded (W. Kahan): the error of u is in
// both factors, and goes. Where u is 1 the result is x.
LANES_INLINE Lanes<float> log1p(Lanes<float> x) {
  const auto u = x + 1.0f, rounded = u - 1.0f;
  const auto y = select(less(absolute(rounded), broadcast(0x1p-25f)), x, log(u) * (x / rounded));
  return select(less(x, broadcast(__builtin_inff())), y, x);  // inf and NaN give themselves
}

// ln(1 + e^x) = max(x, 0) + ln(1 + e^-|x|): e^x never overflows.
LANES_INLINE Lanes<float> softplus(Lanes<float> x) {
  return max(0.0f, x) + log1p(exp(-absolute(x)));
}

// With x's sign: u + u^3 P(u^2) near 0, else 1 - 2 / (exp(2u) + 1), u = |x|.
LANES_INLINE Lanes<float> tanh(Lanes<float> x) {
  const auto s = x * x, u = absolute(x);
  const auto near = u + u * s *
                            polynomial(s, -3.333328194e-01f, 1.333144220e-01f, -5.373971522e-02f,
                                       2.063908765e-02f, -5.704987416e-03f);
  const auto far = 1.0f - 2.0f / (exp(u + u) + 1.0f);
  return with_sign(select(less(u, broadcast(0.625f)), near, far), x);
}

// erf: N. Juffa's two fits (forums.developer.nvidia.com, "A more accurate single-precision erff"),
// about 1 ulp each.
LANES_INLINE Lanes<float> erf(Lanes<float> x) {
  const auto s = x * x, t = absolute(x);
  const auto near = x + x * polynomial(s, 1.28379166e-1f, -3.76125336e-1f, 1.12819925e-1f,
                                       -2.67681349e-2f, 4.99119423e-3f, -5.96761703e-4f);
  const auto u = min(4.0f, t);  // beyond, erf is 1 to the last bit
  const auto exponent =
      u * polynomial(u, -1.28717512e-1f, -6.34846687e-1f, -1.06777877e-1f, 2.42546219e-2f,
                     -3.88396438e-3f, 3.83197126e-4f, -1.72853470e-5f) -
      u;
  return select(less(t, broadcast(0.927734375f)), near, with_sign(1.0f - exp(exponent), x));
}

// The normal distribution: cdf = Phi(x), density = exp(-x^2 / 2) / sqrt(2 pi). Phi(-u) = exp(-u^2 /
// 2) Q(u), Q a polynomial in (u - 3) / (u + 3): no cancellation, so the negative tail keeps
// relative accuracy down to where it is denormal (error below x^2 / 2 ulps, from rounding x^2).
template <class T>
struct Normal {
  Lanes<T> cdf, density;
};

LANES_INLINE Normal<float> normal(Lanes<float> x) {
  const auto u = min(15.0f, absolute(x));
  const auto e = exp(x * x * -0.5f);
  const auto s = 1.0f - 6.0f / (u + 3.0f);
  const auto q = polynomial(
      s, 1.215139475e-01f, -2.064026204e-01f, 1.232250412e-01f, -4.621326362e-02f, 6.131942269e-03f,
      2.904387388e-03f, -9.832881738e-04f, -3.390128855e-04f, 1.150136411e-04f, 5.316194498e-05f);
  const auto tail = e * q;
  return {select(less(broadcast(0.0f), x), 1.0f - tail, tail), e * 0.398942280f};
}

// ---- double: the C library, lane by lane. ----
template <class F>
LANES_INLINE Lanes<double> each(Lanes<double> x, F f) {
  double buffer[kLanes];
  store(buffer, x);
  for (int l = 0; l < kLanes; ++l) buffer[l] = f(buffer[l]);
  return load(buffer);
}
inline Lanes<double> exp(Lanes<double> x) {
  return each(x, [](double v) { return ::exp(v); });
}
inline Lanes<double> log(Lanes<double> x) {
  return each(x, [](double v) { return ::log(v); });
}
inline Lanes<double> expm1(Lanes<double> x) {
  return each(x, [](double v) { return ::expm1(v); });
}
inline Lanes<double> log1p(Lanes<double> x) {
  return each(x, [](double v) { return ::log1p(v); });
}
inline Lanes<double> softplus(Lanes<double> x) {
  return each(x, [](double v) { return (v > 0 ? v : 0) + ::log1p(::exp(-::fabs(v))); });
}
inline Lanes<double> tanh(Lanes<double> x) {
  return each(x, [](double v) { return ::tanh(v); });
}
inline Lanes<double> erf(Lanes<double> x) {
  return each(x, [](double v) { return ::erf(v); });
}
inline Lanes<double> sigmoid(Lanes<double> x) {
  return each(x, [](double v) { return 1 / (1 + ::exp(-v)); });
}
inline Normal<double> normal(Lanes<double> x) {
  return {each(x, [](double v) { return 0.5 * ::erfc(v * -0.70710678118654752440); }),
          each(x, [](double v) { return ::exp(v * v * -0.5) * 0.39894228040143267794; })};
}

}  // namespace
}  // namespace gradus
