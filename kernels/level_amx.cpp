// Tiles on the processor's matrix unit (AMX-BF16; Intel's of 2023 and later); meson.build has the
// flags.
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 warns of its own _mm512_undefined_epi32() (its bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>

#include "gradus/kernels/tiles.h"

namespace gradus {
namespace {

using Tile = __m512i[16];

__m512i as_words(__m512bh x) { return reinterpret_cast<__m512i>(x); }

// Two vectors of f32 as 32 bf16: `x` in the lower half, `y` in the upper.
struct Halves {
  __m512 x, y;
  __m512i high() const { return as_words(_mm512_cvtne2ps_pbh(y, x)); }
  // What the nearest bf16 leaves of each number.
  Halves rest(__m512i high) const {
    const __m512i lower = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(high)),
                  upper = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(high, 1));
    return {_mm512_sub_ps(x, _mm512_castsi512_ps(_mm512_slli_epi32(lower, 16))),
            _mm512_sub_ps(y, _mm512_castsi512_ps(_mm512_slli_epi32(upper, 16)))};
  }
};

// tile[i] has the pairs of row i; becomes tile[i] has pair i of every row.
[[gnu::always_inline]] inline void transpose(Tile& tile) {
  Tile t;
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(tile[i], tile[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(tile[i], tile[i + 1]);
  }
  for (int i = 0; i < 16; i += 4)
    for (int j = 0; j < 2; ++j) {
      tile[i + 2 * j] = _mm512_unpacklo_epi64(t[i + j], t[i + j + 2]);
      tile[i + 2 * j + 1] = _mm512_unpackhi_epi64(t[i + j], t[i + j + 2]);
    }
  for (int i = 0; i < 16; i += 8)
    for (int j = 0; j < 4; ++j) {
      t[i + j] = _mm512_shuffle_i32x4(tile[i + j], tile[i + j + 4], 0x88);
      t[i + j + 4] = _mm512_shuffle_i32x4(tile[i + j], tile[i + j + 4], 0xdd);
    }
  for (int j = 0; j < 8; ++j) {
    tile[j] = _mm512_shuffle_i32x4(t[j], t[j + 8], 0x88);
    tile[j + 8] = _mm512_shuffle_i32x4(t[j], t[j + 8], 0xdd);
  }
}

// 16 numbers from x on, or the first `count` of them and zeros; of a whole tile all are there.
template <bool kWhole>
__m512 load(const float* x, int count) {
  if constexpr (kWhole) return _mm512_loadu_ps(x);
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), x);
}

// How many of 16 from `first` on are there.
int left(int64_t side, int64_t first) {
  return static_cast<int>(side - first < 0 ? 0 : side - first > 16 ? 16 : side - first);
}

// Line i of a tile of 16 rows from `first` on, 32 numbers from k on, as they lie: row i, or the
// pairs of numbers k + 2i, k + 2i + 1 of every row, one after the other.
template <bool kAlong, bool kWhole>
Halves load_line(const Side& s, int64_t first, int64_t k, int i) {
  if constexpr (kAlong) {
    const float* x = s.x + (first + i) * s.ld + k;
    if (!kWhole && first + i >= s.side) return {_mm512_setzero_ps(), _mm512_setzero_ps()};
    return {load<kWhole>(x, left(s.k, k)), load<kWhole>(x + 16, left(s.k, k + 16))};
  } else {
    const float* x = s.x + (k + 2 * i) * s.ld + first;
    const int rows = left(s.side, first), there = left(s.k, k + 2 * i);
    return {load<kWhole>(x, there > 0 ? rows : 0), load<kWhole>(x + s.ld, there > 1 ? rows : 0)};
  }
}

// The tile as rows of pairs or, with kByPair, as pairs of rows; with three terms also what the
// first ones leave.
template <bool kAlong, bool kByPair, int kTerms, bool kWhole>
void pack_tile(const Side& s, int64_t first, int64_t k, __m512 scale, uint16_t* to) {
  const __m512i interleave =
      _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                       21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  const auto ordered = [&](__m512i words) {
    return kAlong ? words : _mm512_permutexvar_epi16(interleave, words);
  };
  Tile high, low;
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    Halves h = load_line<kAlong, kWhole>(s, first, k, i);
    h = {_mm512_mul_ps(h.x, scale), _mm512_mul_ps(h.y, scale)};
    const __m512i words = h.high();
    high[i] = ordered(words);
    if constexpr (kTerms > 1) low[i] = ordered(h.rest(words).high());
  }
  const auto store = [&](Tile& tile, int64_t block) {
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) _mm512_store_si512(to + block * kBlock + 32 * i, tile[i]);
  };
  if constexpr (kAlong == kByPair) transpose(high);
  store(high, 0);
  if constexpr (kTerms > 1) {
    if constexpr (kAlong == kByPair) transpose(low);
    store(high, kByPair ? 1 : 2);
    store(low, kByPair ? 2 : 1);
  }
}

// In the order in which the numbers lie.
template <bool kAlong, bool kByPair, int kTerms>
void pack_strips(const Side& s, float scale, uint16_t* to) {
  const __m512 factor = _mm512_set1_ps(scale);
  const int64_t strips = (s.side + kStrip - 1) / kStrip, blocks = (s.k + kStrip - 1) / kStrip;
  const auto pack_block = [&](int64_t strip, int64_t block) {
    const int64_t k = block * kStrip;
    uint16_t* tile = to + (strip * blocks + block) * kTerms * kBlock;
    for (int64_t first = strip * kStrip; first < (strip + 1) * kStrip; first += 16) {
      if (first + 16 <= s.side && k + kStrip <= s.k)
        pack_tile<kAlong, kByPair, kTerms, true>(s, first, k, factor, tile);
      else pack_tile<kAlong, kByPair, kTerms, false>(s, first, k, factor, tile);
      tile += kBlock / 2;
    }
  };
  if (kAlong)
    for (int64_t strip = 0; strip < strips; ++strip)
      for (int64_t block = 0; block < blocks; ++block) pack_block(strip, block);
  else
    for (int64_t block = 0; block < blocks; ++block)
      for (int64_t strip = 0; strip < strips; ++strip) pack_block(strip, block);
}

template <bool kByPair>
void pack(const Side& s, float scale, int terms, uint16_t* to) {
  if (terms == 1)
    (s.along_k ? pack_strips<true, kByPair, 1> : pack_strips<false, kByPair, 1>)(s, scale, to);
  else (s.along_k ? pack_strips<true, kByPair, 3> : pack_strips<false, kByPair, 3>)(s, scale, to);
}

void pack_rows(Side a, float scale, int terms, uint16_t* to) { pack<false>(a, scale, terms, to); }
void pack_columns(Side b, int terms, uint16_t* to) { pack<true>(b, 1, terms, to); }

// Registers 0 to 3 are C, 4 and 5 the rows of A, 6 and 7 the columns of B.
void product(const uint16_t* a, const uint16_t* b, int64_t blocks, float* c, int64_t ldc,
             bool add) {
  const int64_t stride = ldc * static_cast<int64_t>(sizeof(float));
  float* const lower = c + 16 * ldc;
  if (add) {
    _tile_loadd(0, c, stride);
    _tile_loadd(1, c + 16, stride);
    _tile_loadd(2, lower, stride);
    _tile_loadd(3, lower + 16, stride);
  } else {
    for (int i = 0; i < 32; ++i) {
      __builtin_prefetch(c + i * ldc, 1);
      __builtin_prefetch(c + i * ldc + 16, 1);
    }
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  for (int64_t i = 0; i < blocks; ++i, a += kBlock, b += kBlock) {
    _tile_loadd(4, a, 64);
    _tile_loadd(6, b, 64);
    _tile_loadd(7, b + kBlock / 2, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, a + kBlock / 2, 64);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, c, stride);
  _tile_stored(1, c + 16, stride);
  _tile_stored(2, lower, stride);
  _tile_stored(3, lower + 16, stride);
}

// All eight registers of 16 rows of 64 bytes. Static: GCC takes the instruction to read 8 bytes of
// it, and leaves out the stores of the others.
struct [[gnu::packed]] TileShapes {
  uint8_t palette = 1, start = 0, zeros[14] = {};
  uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
constinit const TileShapes tile_shapes;

void begin() { _tile_loadconfig(&tile_shapes); }
void end() { _tile_release(); }

}  // namespace

extern const Tiles tiles_amx;
constinit const Tiles tiles_amx = {"amx", pack_rows, pack_columns, product, begin, end};

}  // namespace gradus
