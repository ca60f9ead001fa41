// The kit for loops: every level gives the bits of a plain loop, for every length and every way its
// rows lie; strided copies of every kind.
#include "gradus/kernels/loops.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>

#include "tests/kernels/levels.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

// Calls f(level) for each that this processor runs.
template <class F>
void for_each_loop_level(F&& f) {
  int count;
  kernel_levels(&count);
  for (int l = 0; l < count; ++l) {
    CAPTURE(l);
    f(static_cast<Level>(l));
  }
}

// Many roundings, a division, a root and a choice: whatever a level did differently would show.
const auto formula = [](float a, float b, float c) {
  const float u = a * b + c;
  return choose(u < 0.5f, std::sqrt(std::abs(u)) - a * a, u / (b * b + 1));
};

}  // namespace

TEST_CASE("loops: the level is that of the kernels") {
  int count;
  const auto* levels = kernel_levels(&count);
  CHECK(levels[static_cast<int>(level())] == &kernels<float>());
}

TEST_CASE("loops: a user's own loop gives the same bits on every level, for every length") {
  for (const int64_t n : kLengths) {
    CAPTURE(n);
    const auto a = uniform(n, -2, 2, 1), b = uniform(n, -2, 2, 2), c = uniform(n, -2, 2, 3);
    std::vector<float> expected(a.size());
    for (size_t i = 0; i < a.size(); ++i) expected[i] = formula(a[i], b[i], c[i]);
    std::vector<float> y(a.size());
    loop(n, formula, y.data(), a.data(), b.data(), c.data());
    CHECK(same_bits(y, expected));
    for_each_loop_level([&](Level level) {
      std::vector<float> z(a.size());
      at_level(level, [&] {
        for (size_t i = 0; i < z.size(); ++i) z[i] = formula(a[i], b[i], c[i]);
      });
      CHECK(same_bits(z, expected));
    });
  }
}

TEST_CASE("loops: rows, whether an input has rows, one row, a column or one number") {
  constexpr int64_t rows = 5;
  for (const int64_t n : kLengths)
    for_each_loop_level([&](Level level) {
      CAPTURE(n);
      const auto a = uniform(rows * n, -2, 2, 1), b = uniform(rows * n, -2, 2, 2),
                 c = uniform(rows * n, -2, 2, 3);
      const auto at = [](const std::vector<float>& x, int64_t row_step, bool repeated) {
        return LoopRows{const_cast<float*>(x.data()), row_step, repeated};
      };
      for (const LoopRows& second :
           {at(b, n, false), at(b, 0, false), at(b, 1, true), at(b, 0, true)})
        for (const LoopRows& third : {at(c, n, false), at(c, 1, true)}) {
          std::vector<float> y(a.size()), expected(a.size());
          const auto value = [](const LoopRows& x, int64_t r, int64_t i) {
            return static_cast<const float*>(x.at)[r * x.row_step + (x.repeated ? 0 : i)];
          };
          for (int64_t r = 0; r < rows; ++r)
            for (int64_t i = 0; i < n; ++i)
              expected[static_cast<size_t>(r * n + i)] = formula(
                  a[static_cast<size_t>(r * n + i)], value(second, r, i), value(third, r, i));
          const LoopRows operands[] = {at(y, n, false), at(a, n, false), second, third};
          loop_rows<float, float, float, float>(level, formula, operands, rows, n);
          CHECK(same_bits(y, expected));
        }
    });
}

namespace {
template <class T>
void check_copies() {
  constexpr int64_t most = 40;
  std::vector<T> x(4 * most * most);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(i * 2654435761u >> 7);
  const auto address = [](const std::vector<T>& v) {
    return reinterpret_cast<char*>(const_cast<T*>(v.data()));
  };
  for (const int64_t rows : {1, 7, 8, 16, 37})
    for (const int64_t n : {1, 5, 16, 33, 40}) {
      // rows one after another, with gaps, transposed, transposed with gaps, every second, repeated
      const std::pair<int64_t, int64_t> layouts[] = {{n, 1},        {most, 1},  {1, rows},
                                                     {1, most + 3}, {2 * n, 2}, {3, 2 * most}};
      for (const auto& [from_row, from_step] : layouts)
        for (const auto& [to_row, to_step] : layouts) {
          std::vector<T> y(x.size()), expected(x.size());
          for (int64_t r = 0; r < rows; ++r)
            for (int64_t i = 0; i < n; ++i)
              expected[static_cast<size_t>(r * to_row + i * to_step)] =
                  x[static_cast<size_t>(r * from_row + i * from_step)];
          copy_strided({address(x), from_row, from_step}, {address(y), to_row, to_step}, rows, n,
                       sizeof(T));
          const std::string steps =
              fmt::format("from ({}, {}) to ({}, {})", from_row, from_step, to_row, to_step);
          INFO(rows, " x ", n, " ", steps);
          CHECK(y == expected);
        }
      std::vector<T> y(x.size());
      copy_strided({address(x), 1, 0}, {address(y), n, 1}, rows, n, sizeof(T));
      CHECK(y[static_cast<size_t>(rows * n - 1)] == x[static_cast<size_t>(rows - 1)]);
    }
}
}  // namespace

TEST_CASE("loops: strided copies of 1, 4 and 8 bytes, transposed ones among them") {
  check_copies<uint8_t>();
  check_copies<uint32_t>();
  check_copies<uint64_t>();
}
