// Dropout against its scalar definition, its statistics, and the kernels that draw it: add_norm and
// attention.
#include "gradus/base/philox.h"
#include "tests/kernels/levels.h"

using namespace gradus;
using namespace gradus::testing;

namespace {

// kernels.h's definition, word by word.
double factor(const DropoutDraw& draw, uint32_t sequence, uint32_t position, int64_t c) {
  const auto threshold = static_cast<uint32_t>(std::lround(draw.p * 65536));
  if (threshold == 0) return 1;
  const int64_t group = c / 128, i = c % 128;
  const PhiloxWords words = philox(
      {{static_cast<uint32_t>(group * 16 + i % 16), position, sequence, draw.place}}, draw.key);
  const uint32_t word = words.word[(i / 16) % 4], number = i / 64 ? word >> 16 : word & 0xFFFF;
  return number < threshold ? 0 : 1 / (1 - threshold / 65536.0);
}

const DropoutDraw kDraw{0.1, 0x123456789ABCDEFull, 7};

}  // namespace

TEST_CASE("philox: the known answers of Salmon et al.'s Random123") {
  const PhiloxWords zero = philox({{0, 0, 0, 0}}, 0);
  CHECK((zero.word[0] == 0x6627e8d5 && zero.word[1] == 0xe169c58d && zero.word[2] == 0xbc57ac4c &&
         zero.word[3] == 0x9b00dbd8));
  const PhiloxWords ones = philox({{~0u, ~0u, ~0u, ~0u}}, ~0ull);
  CHECK((ones.word[0] == 0x408f276d && ones.word[1] == 0x41c83b0e && ones.word[2] == 0xa20bc7c6 &&
         ones.word[3] == 0x6d5451fd));
}

TEST_CASE("dropout is its scalar definition at every level, length and dtype") {
  const uint32_t sequence[] = {0, 5, 5}, position[] = {0, 3, 0xFFFFFFFFu};
  for (const int64_t n : kLengths)
    for (const double p : {0.0, 0.1, 0.5, 1.0}) {
      CAPTURE(n);
      DropoutDraw draw = kDraw;
      draw.p = p;
      const auto x = uniform(3 * n, -2, 2);
      const auto x64 = to_double(x);
      std::vector<double> y64(x.size());
      kernels<double>().dropout(x64.data(), y64.data(), 3, n, sequence, position, draw);
      for (int64_t r = 0; r < 3; ++r)
        for (int64_t j = 0; j < n; ++j) {
          const auto i = static_cast<size_t>(r * n + j);
          const double f = factor(draw, sequence[r], position[r], j);
          CHECK(y64[i] == (f == 0 ? 0 : x64[i] * f));
        }
      for_each_level([&](const Kernels<float>& k) {
        std::vector<float> y(x.size());
        k.dropout(x.data(), y.data(), 3, n, sequence, position, draw);
        for (size_t i = 0; i < x.size(); ++i) CHECK((y[i] == 0) == (y64[i] == 0));
        CHECK(error(y, y64, 1e-30) < 2e-7);
      });
    }
}

TEST_CASE("dropout: rate, and independence of columns, rows, places and keys") {
  const int64_t rows = 1024, n = 1024;
  std::vector<uint32_t> sequence(rows), position(rows);
  for (size_t r = 0; r < rows; ++r)
    sequence[r] = static_cast<uint32_t>(r / 32), position[r] = static_cast<uint32_t>(r % 32);
  const std::vector<float> ones(rows * n, 1.0f);
  const auto drawn = [&](DropoutDraw draw) {
    std::vector<float> y(ones.size());
    kernels<float>().dropout(ones.data(), y.data(), rows, n, sequence.data(), position.data(),
                             draw);
    return y;
  };
  const auto y = drawn(kDraw);
  const double p = std::round(0.1 * 65536) / 65536, total = static_cast<double>(y.size());
  const auto dropped = static_cast<double>(std::count(y.begin(), y.end(), 0.0f));
  CHECK(std::abs(dropped - total * p) < 4 * std::sqrt(total * p * (1 - p)));
  // Both dropped happens with p^2, for neighbours, the two halves of a word, rows apart, and other
  // places and keys.
  const auto both = [&](const std::vector<float>& z, size_t shift) {
    double count = 0;
    for (size_t i = 0; i + shift < y.size(); ++i) count += y[i] == 0 && z[i + shift] == 0;
    const double pairs = static_cast<double>(y.size() - shift);
    return (count - pairs * p * p) / std::sqrt(pairs * p * p * (1 - p * p));
  };
  for (const size_t shift :
       {size_t{1}, size_t{16}, size_t{64}, size_t{128}, size_t{1024}, size_t{32 * 1024}})
    CHECK(std::abs(both(y, shift)) < 5);
  DropoutDraw other_place = kDraw, other_key = kDraw;
  other_place.place += 1, other_key.key += 1;
  CHECK(std::abs(both(drawn(other_place), 0)) < 5);
  CHECK(std::abs(both(drawn(other_key), 0)) < 5);
}

TEST_CASE(
    "add_norm is dropout, a sum and layer_norm; its backward is theirs; rows may be cut anywhere") {
  for (const int64_t n : kLengths)
    for (const double p : {0.0, 0.1}) {
      CAPTURE(n);
      const int64_t rows = 5;
      DropoutDraw draw = kDraw;
      draw.p = p;
      const uint32_t sequence[] = {1, 1, 2, 2, 9}, position[] = {0, 1, 0, 1, 7};
      const auto x = uniform(rows * n, -2, 2), branch = uniform(rows * n, -2, 2, 2),
                 weight = uniform(n, 0.5, 1.5, 3), bias = uniform(n, -1, 1, 4);
      const auto dy = uniform(rows * n, -1, 1, 5);
      for_each_level([&](const Kernels<float>& k) {
        const std::vector<float> zero_rows(x.size()), zero_columns(weight.size()), zero(5);
        auto h = zero_rows, y = h, dropped = h, expected = h, mean = zero, rstd = zero,
             mean2 = zero, rstd2 = zero;
        k.add_norm(x.data(), branch.data(), weight.data(), bias.data(), h.data(), y.data(),
                   mean.data(), rstd.data(), rows, n, 1e-5, sequence, position, draw);
        k.dropout(branch.data(), dropped.data(), rows, n, sequence, position, draw);
        for (size_t i = 0; i < h.size(); ++i)
          CHECK(h[i] == doctest::Approx(x[i] + dropped[i]).epsilon(1e-6));
        k.layer_norm(h.data(), weight.data(), bias.data(), expected.data(), mean2.data(),
                     rstd2.data(), rows, n, 1e-5);
        CHECK((same_bits(y, expected) && same_bits(mean, mean2) && same_bits(rstd, rstd2)));

        auto dx = zero_rows, dbranch = dx, dx2 = dx, dbranch2 = dx, dweight = zero_columns,
             dbias = dweight, dweight2 = dweight, dbias2 = dweight;
        k.add_norm_backward(h.data(), weight.data(), mean.data(), rstd.data(), dy.data(), dx.data(),
                            dbranch.data(), dweight.data(), dbias.data(), rows, n, sequence,
                            position, draw);
        k.layer_norm_backward(h.data(), weight.data(), mean.data(), rstd.data(), dy.data(),
                              dx2.data(), dweight2.data(), dbias2.data(), rows, n);
        k.dropout(dx.data(), dbranch2.data(), rows, n, sequence, position, draw);
        CHECK((same_bits(dx, dx2) && same_bits(dweight, dweight2) && same_bits(dbias, dbias2) &&
               same_bits(dbranch, dbranch2)));

        auto h_cut = zero_rows, y_cut = h_cut;
        for (int64_t r = 0; r < rows; ++r)
          k.add_norm(x.data() + r * n, branch.data() + r * n, weight.data(), bias.data(),
                     h_cut.data() + r * n, y_cut.data() + r * n, mean2.data() + r, rstd2.data() + r,
                     1, n, 1e-5, sequence + r, position + r, draw);
        CHECK((same_bits(h, h_cut) && same_bits(y, y_cut)));
        if (p == 0)
          k.add_norm_backward(h.data(), weight.data(), mean.data(), rstd.data(), dy.data(),
                              dx.data(), nullptr, dweight.data(), dbias.data(), rows, n, sequence,
                              position, draw);
      });
    }
}

TEST_CASE(
    "attention: probabilities, logsumexp and the backward against plain loops; blocks of queries "
    "may be cut anywhere") {
  struct Kind {
    bool causal;
    int64_t window, first_key;
  };
  for (const int64_t keys : {1, 2, 15, 16, 17, 63, 65, 100, 128, 129, 300})
    for (const Kind kind : {Kind{false, -1, 0}, Kind{true, -1, 0}, Kind{false, 3, 0},
                            Kind{true, 70, 0}, Kind{false, 140, 37}})
      for (const double p : {0.0, 0.1}) {
        CAPTURE(keys);
        CAPTURE(kind.causal);
        CAPTURE(kind.window);
        const int64_t queries = std::min<int64_t>(keys, 9), ld = keys + 3,
                      first = kind.first_key + keys - queries;
        DropoutDraw draw = kDraw;
        draw.p = p;
        const AttentionRows all{queries,     keys,        first, kind.first_key,
                                kind.causal, kind.window, 11,    draw};
        const auto scores = uniform(queries * ld, -4, 4), dp = uniform(queries * ld, -1, 1, 2);
        const auto size = scores.size();
        const auto sees = [&](int64_t r, int64_t j) {
          const int64_t ahead = kind.first_key + j - (first + r);
          return !(kind.causal && ahead > 0) &&
                 !(kind.window >= 0 && std::abs(ahead) > kind.window);
        };
        // What lies beyond a row's keys must stay untouched.
        std::vector<double> p64(scores.begin(), scores.end()), ds64(dp.begin(), dp.end()),
            lse64(static_cast<size_t>(queries));
        for (int64_t r = 0; r < queries; ++r) {
          const auto at = [&](int64_t j) { return static_cast<size_t>(r * ld + j); };
          const auto mask = [&](int64_t j) {
            return factor(draw, 11, static_cast<uint32_t>(first + r), kind.first_key + j);
          };
          double total = 0, delta = 0;
          for (int64_t j = 0; j < keys; ++j) total += sees(r, j) ? std::exp(scores[at(j)]) : 0;
          lse64[static_cast<size_t>(r)] = std::log(total);
          for (int64_t j = 0; j < keys; ++j) {
            const double probability = sees(r, j) ? std::exp(scores[at(j)]) / total : 0;
            p64[at(j)] = probability * mask(j);
            ds64[at(j)] = probability;
            delta += probability * mask(j) * dp[at(j)];
          }
          for (int64_t j = 0; j < keys; ++j) ds64[at(j)] *= mask(j) * dp[at(j)] - delta;
        }
        for_each_level([&](const Kernels<float>& k) {
          auto out = scores, again = scores, ds = dp;
          std::vector<float> lse(static_cast<size_t>(queries)), lse_cut = lse;
          k.attention_probabilities(out.data(), ld, lse.data(), all);
          CHECK(error(out, p64, 1e-3) < 5e-6);
          CHECK(error(lse, lse64, 1) < 2e-6);
          k.attention_backward(again.data(), ds.data(), ld, lse.data(), all);
          CHECK(error(again, p64, 1e-3) < 5e-6);
          // of a difference: where it cancels, of what is subtracted
          CHECK(error(ds, ds64, 1) < 5e-6);
          for (int64_t r = 0; r < queries; ++r)
            for (int64_t j = 0; j < ld; ++j)
              if (j >= keys || !sees(r, j)) {
                const auto i = static_cast<size_t>(r * ld + j);
                CHECK((j >= keys ? out[i] == scores[i] && again[i] == scores[i] && ds[i] == dp[i]
                                 : out[i] == 0 && again[i] == 0 && ds[i] == 0));
              }
          auto cut = scores;
          for (int64_t r = 0; r < queries; ++r) {
            AttentionRows one = all;
            one.rows = 1, one.first_query = first + r;
            k.attention_probabilities(cut.data() + r * ld, ld, lse_cut.data() + r, one);
          }
          CHECK((same_bits(cut, out) && same_bits(lse, lse_cut) && cut.size() == size));
        });
      }
}
