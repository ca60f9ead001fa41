// Tiles (tiles.h) in plain loops: what the matrix unit computes, to be read and to be tested with.
#include "gradus/kernels/tiles.h"

#include <bit>

namespace gradus {
namespace {

// The nearest bf16, ties to even: the upper half of an f32.
uint16_t nearest(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  if (x != x) return static_cast<uint16_t>(bits >> 16 | 0x40);  // stays a NaN
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
float widened(uint16_t x) { return std::bit_cast<float>(static_cast<uint32_t>(x) << 16); }

// Where the number at (row, k) of a block lies: in rows of pairs, or in pairs of rows.
int64_t place(int64_t row, int64_t k, bool by_pair) {
  const int64_t tile = row / 16 * 16 * 32, r = row % 16;
  return tile + (by_pair ? k / 2 * 32 + 2 * r + k % 2 : 32 * r + k);
}

void pack(const Side& s, float scale, int terms, bool by_pair, uint16_t* to) {
  for (int64_t strip = 0; strip < s.side; strip += kStrip)
    for (int64_t k0 = 0; k0 < s.k; k0 += kStrip, to += terms * kBlock)
      for (int64_t row = 0; row < kStrip; ++row)
        for (int64_t k = 0; k < kStrip; ++k) {
          const int64_t r = strip + row, c = k0 + k;
          const float x = r < s.side && c < s.k
                              ? scale * (s.along_k ? s.x[r * s.ld + c] : s.x[c * s.ld + r])
                              : 0;
          uint16_t* const at = to + place(row, k, by_pair);
          const uint16_t high = nearest(x), low = nearest(x - widened(high));
          at[0] = high;
          if (terms == 1) continue;
          at[kBlock] = by_pair ? high : low;
          at[2 * kBlock] = by_pair ? low : high;
        }
}

void pack_rows(Side a, float scale, int terms, uint16_t* to) { pack(a, scale, terms, false, to); }
void pack_columns(Side b, int terms, uint16_t* to) { pack(b, 1, terms, true, to); }

void product(const uint16_t* a, const uint16_t* b, int64_t blocks, float* c, int64_t ldc,
             bool add) {
  for (int64_t i = 0; i < kStrip; ++i)
    for (int64_t j = 0; j < kStrip; ++j) {
      float sum = add ? c[i * ldc + j] : 0;
      for (int64_t block = 0; block < blocks; ++block)
        for (int64_t k = 0; k < kStrip; ++k)
          sum += widened(a[block * kBlock + place(i, k, false)]) *
                 widened(b[block * kBlock + place(j, k, true)]);
      c[i * ldc + j] = sum;
    }
}

void nothing() {}

}  // namespace

extern const Tiles tiles_portable;
constinit const Tiles tiles_portable = {"portable", pack_rows, pack_columns,
                                        product,    nothing,   nothing};

}  // namespace gradus
