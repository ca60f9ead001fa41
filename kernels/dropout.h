// Dropout's draw, as kernels.h defines it: for a group of 128 columns, sixteen Philox blocks side
// by side give the factor of each column, 0 or the scale.
#pragma once

#include "gradus/kernels/kernels.h"
#include "gradus/kernels/simd.h"

namespace gradus {
namespace {

constexpr int64_t kGroup = 128;  // columns that one draw serves

// 32-bit words, each in the low half of a 64-bit lane; the high halves may hold anything.
typedef uint64_t Words __attribute__((vector_size(kVectorBytes), may_alias));

// Products of the low 32 bits of each 64-bit lane, the one thing that vector types cannot say in
// one instruction.
LANES_INLINE Words multiply(Words a, uint32_t b) {
  const Words m = static_cast<uint64_t>(b) - Words{};
#if defined(__AVX512F__)
  return reinterpret_cast<Words>(
      _mm512_maskz_mul_epu32(0xFF, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(m)));
#elif defined(__AVX2__)
  return reinterpret_cast<Words>(
      _mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(m)));
#elif defined(__SSE2__)
  return reinterpret_cast<Words>(
      _mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(m)));
#else
  return (a & 0xFFFFFFFFu) * m;
#endif
}

// the even blocks of sixteen
alignas(64) constexpr uint64_t kEven[8] = {0, 2, 4, 6, 8, 10, 12, 14};
struct PhiloxState {
  Words word[4];
};

LANES_INLINE void philox_round(PhiloxState& c, uint64_t key0, uint64_t key1) {
  const Words p0 = multiply(c.word[0], 0xD2511F53u), p1 = multiply(c.word[2], 0xCD9E8D57u);
  c = {{(p1 >> 32) ^ c.word[1] ^ key0, p1, (p0 >> 32) ^ c.word[3] ^ key1, p0}};
}

template <class T>
struct DropoutMask {
  bool active;  // p = 0 draws nothing: all factors stay 1
  uint32_t place;
  int32_t threshold;  // a column is dropped when its 16-bit number is below this
  T scale;
  uint64_t key[10][2];  // the round keys
  // of each column, and as many more as a vector that begins in the group may read
  alignas(64) T factor[kGroup + kLanes];

  explicit DropoutMask(const DropoutDraw& draw) {
    threshold = static_cast<int32_t>(__builtin_lround(draw.p * 65536));
    active = threshold > 0;
    place = draw.place;
    scale = static_cast<T>(1 / (1 - threshold / 65536.0));
    uint32_t k0 = static_cast<uint32_t>(draw.key), k1 = static_cast<uint32_t>(draw.key >> 32);
    for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
      key[round][0] = k0, key[round][1] = k1;
    for (T& f : factor) f = 1;
  }

  // Fills factor[] for columns [128 group, 128 group + 128) of the row (sequence, position). Where
  // only the first 64 columns are wanted the rest is drawn, too. The blocks are computed as even
  // and odd ones, each word in a 64-bit lane, because the multiplier takes 32-bit numbers there;
  // two such words make one vector.
  LANES_INLINE void draw(uint32_t sequence, uint32_t position, int64_t group) {
    if (!active) return;
    typedef Lanes<int32_t>::Vector Integers;
    constexpr int kWidth = Lanes<int32_t>::kWidth;
    for (int first = 0; first < kLanes; first += kWidth) {
      PhiloxState even, odd;
      even.word[0] =
          *reinterpret_cast<const Words*>(kEven) + static_cast<uint64_t>(group * 16 + first);
      even.word[1] = position - Words{};
      even.word[2] = sequence - Words{};
      even.word[3] = place - Words{};
      odd = even;
      odd.word[0] += 1;
#pragma GCC unroll 10
      for (int round = 0; round < 10; ++round) {
        philox_round(even, key[round][0], key[round][1]);
        philox_round(odd, key[round][0], key[round][1]);
      }
#pragma GCC unroll 4
      for (int w = 0; w < 4; ++w) {
        const Integers words =
            reinterpret_cast<Integers>((even.word[w] & 0xFFFFFFFFu) | (odd.word[w] << 32));
        const Integers low = words & 0xFFFF,
                       high = reinterpret_cast<Integers>(
                           reinterpret_cast<Lanes<uint32_t>::Vector>(words) >> 16);
        put(low, factor + 16 * w + first);
        put(high, factor + 64 + 16 * w + first);
      }
    }
  }

 private:
  LANES_INLINE void put(Lanes<int32_t>::Vector number, T* to) const {
    if constexpr (sizeof(T) == 4) {
      typedef typename Lanes<T>::Vector Floats;
      const Floats kept = scale - Floats{}, dropped = Floats{};
      *reinterpret_cast<typename Lanes<T>::Unaligned*>(to) = number < threshold ? dropped : kept;
    } else {
      for (int l = 0; l < Lanes<int32_t>::kWidth; ++l) to[l] = number[l] < threshold ? T(0) : scale;
    }
  }
};

template <class T>
LANES_INLINE void dropout_row(DropoutMask<T>& drop, const T* x, T* y, int64_t n, uint32_t sequence,
                              uint32_t position) {
  for (int64_t g = 0; g < n; g += kGroup) {
    drop.draw(sequence, position, g / kGroup);
    for (int64_t i = g; i < n && i < g + kGroup; i += kLanes)
      store(y + i, load(x + i, n - i) * load(drop.factor + (i - g)), n - i);
  }
}

template <class T>
void dropout(const T* x, T* y, int64_t rows, int64_t n, const uint32_t* sequence,
             const uint32_t* position, DropoutDraw draw) {
  DropoutMask<T> drop(draw);
  if (!drop.active) {
    if (x != y) memcpy(y, x, static_cast<size_t>(rows * n) * sizeof(T));
    return;
  }
  for (int64_t r = 0; r < rows; ++r)
    dropout_row(drop, x + r * n, y + r * n, n, sequence[r], position[r]);
}

}  // namespace
}  // namespace gradus
