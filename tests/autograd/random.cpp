// Randomness: dropout's rate, scale and independence, what its draw depends on and what not;
// tensors of random numbers.
#include "gradus/autograd/random.h"

#include <cmath>

#include "gradus/autograd/engine.h"
#include "gradus/ops/ops.h"
#include "tests/support.h"

namespace gradus::testing {
namespace {

// Which elements were dropped, as 0 and 1.
std::vector<double> dropped(const Tensor& y) {
  std::vector<double> values = y.to_vector<double>();
  for (double& value : values) value = value == 0;
  return values;
}
double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}
// Correlation of two masks of rate p: zero mean, deviation 1 / sqrt(n), where they are independent.
double correlation(const std::vector<double>& a, const std::vector<double>& b, double p) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += (a[i] - p) * (b[i] - p);
  return sum / (p * (1 - p) * static_cast<double>(a.size()));
}

constexpr int64_t rows = 256, columns = 384;
const double deviation = 1 / std::sqrt(static_cast<double>(rows * columns));

Tensor draw(double p, uint64_t seed = 1, uint64_t step = 0, const std::string& place = "here",
            const std::optional<Ragged>& batch = {}) {
  const RandomScope random(seed, step);
  const Scope scope(place);
  return dropout(ones({batch ? batch->tokens() : rows, columns}), p, batch);
}

}  // namespace

TEST_CASE("dropout: drops at its rate, scales what it keeps, and draws nothing at p = 0") {
  for (const double p : {0.1, 0.5, 0.9}) {
    const Tensor y = draw(p);
    const double rate = std::round(p * 65536) / 65536;  // the rate is a multiple of 2^-16
    CHECK(std::abs(mean_of(dropped(y)) - rate) < 5 * deviation * std::sqrt(p * (1 - p)));
    for (const double value : y.to_vector<double>())
      CHECK_UNARY((value == 0 || std::abs(value - 1 / (1 - rate)) < 1e-5));
  }
  CHECK(draw(0).to_vector<double>() == ones({rows, columns}).to_vector<double>());
}

TEST_CASE(
    "dropout: places, occurrences, steps, seeds, sequences, rows and columns draw independently") {
  const double p = 0.3, limit = 5 * deviation;
  const auto base = dropped(draw(p));
  CHECK(dropped(draw(p)) == base);
  CHECK(std::abs(correlation(base, dropped(draw(p, 2)), p)) < limit);
  CHECK(std::abs(correlation(base, dropped(draw(p, 1, 1)), p)) < limit);
  CHECK(std::abs(correlation(base, dropped(draw(p, 1, 0, "there")), p)) < limit);
  CHECK(std::abs(correlation(base, dropped(draw(p, 1, 0, "here", Ragged({rows}, 1))), p)) < limit);
  const RandomScope random(1, 0);
  const Scope scope("here");
  const auto first = dropped(dropout(ones({rows, columns}), p)),
             second = dropped(dropout(ones({rows, columns}), p));
  CHECK(first == base);
  CHECK(std::abs(correlation(first, second, p)) < limit);
  for (const size_t shift :
       {size_t{1}, size_t{16}, size_t{64}, size_t{128}, static_cast<size_t>(columns)}) {
    auto moved = base;
    std::rotate(moved.begin(), moved.begin() + static_cast<std::ptrdiff_t>(shift), moved.end());
    CHECK_MESSAGE(std::abs(correlation(base, moved, p)) < limit, "a mask and itself moved by ",
                  shift);
  }
}

TEST_CASE(
    "dropout: draws the same however the batch is cut into micro-batches, in add_norm and "
    "attention too") {
  const Tensor x = random_normal({12, 24}, 1), branch = random_normal({12, 24}, 2),
               weight = ones({24}), bias = zeros({24});
  const auto run = [&](int64_t begin, int64_t end, const Ragged& batch) {
    const RandomScope random(4, 2);
    const Tensor part = slice(x, 0, begin, end), other = slice(branch, 0, begin, end);
    return concat({dropout(part, 0.4, batch), add_norm(part, other, weight, bias, 1e-5, 0.4, batch),
                   attention(concat({part, other, part}, 1), batch, {.heads = 2, .dropout = 0.4})},
                  1)
        .to_vector<float>();
  };
  const auto whole = run(0, 12, Ragged({4, 3, 5}));
  auto parts = run(0, 4, Ragged({4}));
  const auto rest = run(4, 12, Ragged({3, 5}, 1));
  parts.insert(parts.end(), rest.begin(), rest.end());
  CHECK(parts == whole);
}

TEST_CASE("dropout: outside of its range is an error that names the rate") {
  for (const double p : {1.0, -0.1, std::nan("")})
    CHECK_MENTIONS(error_of([&] { draw(p); }), "[0, 1)");
}

TEST_CASE("random tensors: a function of seed and stream; normal and uniform as they should be") {
  const auto x = random_normal({200, 200}, 1, 2, DType::f64).to_vector<double>();
  CHECK(x == random_normal({200, 200}, 1, 2, DType::f64).to_vector<double>());
  CHECK(x != random_normal({200, 200}, 1, 3, DType::f64).to_vector<double>());
  double square = 0;
  for (const double value : x) square += value * value;
  CHECK(std::abs(mean_of(x)) < 5.0 / 200);
  CHECK(square / 40000 == doctest::Approx(1).epsilon(0.04));
  const auto u = random_uniform({200, 200}, -1, 3, 1).to_vector<double>();
  CHECK(mean_of(u) == doctest::Approx(1).epsilon(0.05));
  CHECK(*std::min_element(u.begin(), u.end()) >= -1);
  CHECK(*std::max_element(u.begin(), u.end()) <= 3);
}

TEST_CASE("uniform numbers stay below their upper limit, however they round") {
  // The draw at 363381 is within 2^-26 of 1: as a float, 1024.
  const auto draws = random_uniform({1024, 1024}, 0, 1024, 1, 11).to_vector<float>();
  CHECK(*std::max_element(draws.begin(), draws.end()) == std::nextafter(1024.0f, 0.0f));
  const auto same = random_uniform({4}, 2, 2, 1).to_vector<float>();
  CHECK(*std::max_element(same.begin(), same.end()) == 2);
}

}  // namespace gradus::testing
