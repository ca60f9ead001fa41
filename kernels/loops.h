// A loop of one's own, compiled for every instruction level (baseline, AVX2, AVX-512); the one that
// runs is kernels()'s, so GRADUS_ISA holds here too. Works in any file, a user's as well, without
// compiler flags of its own:
//
//   loop(n, [=](float a, float b) { return a / (1 + b * b); }, y, a, b);   // y[i] = f(a[i], b[i])
//   at_level([&] { for (…) … });                                           // any loops
//
// What is true: the function is inlined into each level's copy, and so is what it calls where the
// compiler sees it. A copy for AVX-512 has a symbol of its own that no other level can be linked
// to; what is not inlined stays baseline code. On one thread: callers cut by size
// (base/parallel.h). Gradus is compiled with -ffp-contract=off outside of its kernels, so all
// levels give the same bits; a user's file without that flag may fuse a * b + c on AVX-512, on
// every element alike.
#pragma once

#include <stdint.h>

#include <bit>
#include <type_traits>
#include <utility>

namespace gradus {

enum class Level { baseline, avx2, avx512 };
Level level();  // the one that runs: GRADUS_ISA's, or the processor's best

namespace detail {
// flatten: everything is inlined that can be, the caller's lambda first.
#if defined(__x86_64__)
#if defined(__clang__)
#define GRADUS_AVX512 "avx512f,avx512bw,avx512dq,avx512vl"
#else
#define GRADUS_AVX512 "avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512"
#endif
template <class F>
[[gnu::target(GRADUS_AVX512), gnu::flatten]] void run_avx512(const F& body) {
  body();
}
#undef GRADUS_AVX512
template <class F>
[[gnu::target("avx2"), gnu::flatten]] void run_avx2(const F& body) {
  body();
}
#endif
template <class F>
[[gnu::flatten]] void run_baseline(const F& body) {
  body();
}
}  // namespace detail

// Calls body() in its copy for the level.
template <class F>
void at_level(Level level, const F& body) {
  switch (level) {
#if defined(__x86_64__)
    case Level::avx512: return detail::run_avx512(body);
    case Level::avx2: return detail::run_avx2(body);
#endif
    default: return detail::run_baseline(body);
  }
}
template <class F>
void at_level(const F& body) {
  at_level(level(), body);
}

// y[i] = f(x[i], …) for n elements; y may be one of the x, otherwise they do not overlap.
template <class F, class Out, class... In>
void loop(int64_t n, const F& f, Out* y, const In*... x) {
  at_level([&] {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) y[i] = f(x[i]...);
  });
}

// The elements of a tensor that a loop sees as rows: row r begins at `at` + r * row_step, its
// elements lie one after another or, where `repeated`, are all the first. Steps in elements.
struct LoopRows {
  void* at;
  int64_t row_step;
  bool repeated;
};

namespace detail {
// A row goes in steps of kStep elements. A repeated element fills a buffer of one step, which every
// step of the row reads: one loop serves rows, columns and single numbers beside whole tensors.
constexpr int64_t kStep = 64;

template <class T>
struct RowReader {
  T repeated[kStep];
  const T* at;
  int64_t step;
  RowReader(const LoopRows& rows, int64_t row)
      : at(static_cast<const T*>(rows.at) + row * rows.row_step), step(rows.repeated ? 0 : kStep) {
    if (!rows.repeated) return;
    for (int64_t i = 0; i < kStep; ++i) repeated[i] = *at;
    at = repeated;
  }
  RowReader(const RowReader&) = delete;
};

template <class F, class Out, class... In>
inline void loop_row(const F& f, int64_t n, Out* y, RowReader<In>&&... x) {
  for (; n >= kStep; n -= kStep) {
#pragma omp simd
    for (int64_t i = 0; i < kStep; ++i) y[i] = f(x.at[i]...);
    y += kStep;
    ((x.at += x.step), ...);
  }
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) y[i] = f(x.at[i]...);
}
}  // namespace detail

// The same over rows: y[r, i] = f(x[r, i], …); rows[0] is y, the others are the x in order.
template <class Out, class... In, class F>
void loop_rows(Level level, const F& f, const LoopRows* rows, int64_t count, int64_t n) {
  const auto run = [&]<int... I>(std::integer_sequence<int, I...>) {
    at_level(level, [&] {
      for (int64_t r = 0; r < count; ++r)
        detail::loop_row(f, n, static_cast<Out*>(rows[0].at) + r * rows[0].row_step,
                         detail::RowReader<In>(rows[I + 1], r)...);
    });
  };
  run(std::make_integer_sequence<int, static_cast<int>(sizeof...(In))>());
}

// condition ? a : b by its bits: compilers make a vector instruction of it, of the other form not
// always.
template <class T>
T choose(bool condition, T a, T b) {
  if constexpr (sizeof(T) == 4 || sizeof(T) == 8) {
    using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
    const Bits mask = -static_cast<Bits>(condition);
    return std::bit_cast<T>((std::bit_cast<Bits>(a) & mask) | (std::bit_cast<Bits>(b) & ~mask));
  }
  return condition ? a : b;
}

// Copies rows x n elements of `size` (1, 4 or 8) bytes between strided memory; steps in elements.
// Where one side's rows are the other side's columns, in tiles that read and write whole cache
// lines.
struct Strided {
  char* at;
  int64_t row_step, step;
};
void copy_strided(const Strided& from, const Strided& to, int64_t rows, int64_t n, int64_t size);

}  // namespace gradus
