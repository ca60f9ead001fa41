// Element by element: the functions, the activations (alone, with a bias, as gates), sums of
// columns, and the vector operations.
#pragma once

#include "gradus/kernels/kernels.h"
#include "gradus/kernels/lane_math.h"

namespace gradus {
namespace {

// y[i] = f(x[i]), sixteen at a time.
template <class T, class F>
LANES_INLINE void map(const T* x, T* y, int64_t n, F f) {
  for (int64_t i = 0; i < n; i += kLanes) store(y + i, f(load(x + i, n - i)), n - i);
}

template <class T>
void exp_kernel(const T* x, T* y, int64_t n) {
  map(x, y, n, [](Lanes<T> v) LANES_LAMBDA { return exp(v); });
}
template <class T>
void log_kernel(const T* x, T* y, int64_t n) {
  map(x, y, n, [](Lanes<T> v) LANES_LAMBDA { return log(v); });
}
template <class T>
void expm1_kernel(const T* x, T* y, int64_t n) {
  map(x, y, n, [](Lanes<T> v) LANES_LAMBDA { return expm1(v); });
}
template <class T>
void log1p_kernel(const T* x, T* y, int64_t n) {
  map(x, y, n, [](Lanes<T> v) LANES_LAMBDA { return log1p(v); });
}
template <class T>
void softplus_kernel(const T* x, T* y, int64_t n) {
  map(x, y, n, [](Lanes<T> v) LANES_LAMBDA { return softplus(v); });
}
template <class T>
void tanh_kernel(const T* x, T* y, int64_t n) {
  map(x, y, n, [](Lanes<T> v) LANES_LAMBDA { return tanh(v); });
}
template <class T>
void sigmoid_kernel(const T* x, T* y, int64_t n) {
  map(x, y, n, [](Lanes<T> v) LANES_LAMBDA { return sigmoid(v); });
}
template <class T>
void erf_kernel(const T* x, T* y, int64_t n) {
  map(x, y, n, [](Lanes<T> v) LANES_LAMBDA { return erf(v); });
}

// The activations: f(x), and with it f'(x), which share most of their work.
template <class T>
struct Both {
  Lanes<T> value, derivative;
};

// s = sigmoid(x) and s (1 - s) = e / (1 + e)^2 by e = exp(-|x|), because 1 - s itself would cancel
// where s is nearly 1.
template <class T>
LANES_INLINE Both<T> sigmoid_both(Lanes<T> x) {
  const auto e = exp(-absolute(x)), p = T(1) / (e + T(1));
  return {select(less(x, broadcast(T(0))), e * p, p), e * p * p};
}

// GELU (Hendrycks and Gimpel 2016). Exact: x Phi(x). Google's form: x/2 (1 + tanh(u)) = x
// sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3); the sigmoid does not cancel in the negative tail.
// Beyond |x| = 30 both are x or 0: there x is held for u, so that x^3 stays finite.
template <class T>
struct ExactGelu {
  static LANES_INLINE Lanes<T> value(Lanes<T> x) { return x * normal(x).cdf; }
  static LANES_INLINE Both<T> both(Lanes<T> x) {
    const Normal<T> p = normal(x);
    return {x * p.cdf, p.cdf + x * p.density};
  }
};
template <class T>
struct TanhGelu {
  static constexpr T kTwice = static_cast<T>(1.5957691216057307117597842397375);  // 2 sqrt(2 / pi)
  static constexpr T kCubic = static_cast<T>(0.044715);
  static LANES_INLINE Lanes<T> value(Lanes<T> x) {
    const auto h = min(T(30), max(T(-30), x));
    return x * sigmoid(h * (h * h * (kTwice * kCubic) + kTwice));
  }
  static LANES_INLINE Both<T> both(Lanes<T> x) {
    const auto h = min(T(30), max(T(-30), x));
    const Both<T> s = sigmoid_both(h * (h * h * (kTwice * kCubic) + kTwice));
    return {x * s.value, s.value + h * s.derivative * (h * h * (3 * kTwice * kCubic) + kTwice)};
  }
};
// SiLU, or swish (Elfwing et al. 2017; Ramachandran et al. 2017): x sigmoid(x).
template <class T>
struct Silu {
  static LANES_INLINE Lanes<T> value(Lanes<T> x) { return x * sigmoid(x); }
  static LANES_INLINE Both<T> both(Lanes<T> x) {
    const Both<T> s = sigmoid_both(x);
    return {x * s.value, s.value + x * s.derivative};
  }
};

template <class T, class Body>
LANES_INLINE void with_activation(Activation f, Body body) {
  switch (f) {
    case Activation::gelu: return body(ExactGelu<T>{});
    case Activation::gelu_tanh: return body(TanhGelu<T>{});
    case Activation::silu: return body(Silu<T>{});
  }
}

template <class T>
void activation(const T* x, T* y, int64_t n, Activation f) {
  with_activation<T>(f, [=](auto form) LANES_LAMBDA {
    map(x, y, n, [form](Lanes<T> v) LANES_LAMBDA { return form.value(v); });
  });
}
template <class T>
void activation_backward(const T* x, const T* dy, T* dx, int64_t n, Activation f) {
  with_activation<T>(f, [=](auto form) LANES_LAMBDA {
    for (int64_t i = 0; i < n; i += kLanes)
      store(dx + i, load(dy + i, n - i) * form.both(load(x + i, n - i)).derivative, n - i);
  });
}

template <class T>
void bias_activation(const T* x, const T* bias, T* y, int64_t rows, int64_t n, Activation f) {
  with_activation<T>(f, [=](auto form) LANES_LAMBDA {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t i = 0, at = r * n; i < n; i += kLanes)
        store(y + at + i, form.value(load(x + at + i, n - i) + load(bias + i, n - i)), n - i);
  });
}
template <class T>
void bias_activation_backward(const T* x, const T* bias, const T* dy, T* dx, T* dbias, int64_t rows,
                              int64_t n, Activation f) {
  with_activation<T>(f, [=](auto form) LANES_LAMBDA {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t i = 0, at = r * n; i < n; i += kLanes) {
        const auto h = load(x + at + i, n - i) + load(bias + i, n - i),
                   d = load(dy + at + i, n - i) * form.both(h).derivative;
        store(dx + at + i, d, n - i);
        store(dbias + i, load(dbias + i, n - i) + d, n - i);
      }
  });
}

// Rows of a and b lie `ld` apart, rows of y n apart; da and db lie as a and b.
template <class T>
void gated_activation(const T* a, const T* b, int64_t ld, T* y, int64_t rows, int64_t n,
                      Activation f) {
  with_activation<T>(f, [=](auto form) LANES_LAMBDA {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t i = 0, at = r * ld; i < n; i += kLanes)
        store(y + r * n + i, form.value(load(a + at + i, n - i)) * load(b + at + i, n - i), n - i);
  });
}
template <class T>
void gated_activation_backward(const T* a, const T* b, int64_t ld, const T* dy, T* da, T* db,
                               int64_t rows, int64_t n, Activation f) {
  with_activation<T>(f, [=](auto form) LANES_LAMBDA {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t i = 0, at = r * ld; i < n; i += kLanes) {
        const Both<T> gate = form.both(load(a + at + i, n - i));
        const auto d = load(dy + r * n + i, n - i);
        store(da + at + i, d * load(b + at + i, n - i) * gate.derivative, n - i);
        store(db + at + i, d * gate.value, n - i);
      }
  });
}

// Four rows a pass, added in their order: the sums are read and written a quarter as often, and
// come out the same for any cut.
template <class T>
void column_sums(const T* x, T* sums, int64_t rows, int64_t n) {
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4, x += 4 * n)
    for (int64_t i = 0; i < n; i += kLanes) {
      const int64_t c = n - i;
      store(sums + i,
            load(sums + i, c) + load(x + i, c) + load(x + n + i, c) + load(x + 2 * n + i, c) +
                load(x + 3 * n + i, c),
            c);
    }
  for (; r < rows; ++r, x += n)
    for (int64_t i = 0; i < n; i += kLanes)
      store(sums + i, load(sums + i, n - i) + load(x + i, n - i), n - i);
}

template <class T>
void add(const T* x, T* y, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes)
    store(y + i, load(y + i, n - i) + load(x + i, n - i), n - i);
}
template <class T>
void axpy(T alpha, const T* x, T* y, int64_t n) {
  for (int64_t i = 0; i < n; i += kLanes)
    store(y + i, alpha * load(x + i, n - i) + load(y + i, n - i), n - i);
}
template <class T>
void scale(T alpha, const T* x, T* y, int64_t n) {
  map(x, y, n, [alpha](Lanes<T> v) LANES_LAMBDA { return v * alpha; });
}

}  // namespace
}  // namespace gradus
