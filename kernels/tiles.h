// Products of bf16 numbers, summed in f32, on tiles of 16 rows of 64 bytes: what the processor's
// matrix unit (AMX) computes, and the same in plain loops for tests on processors without one.
//
// A product's sides are packed into strips of 32 rows of A or columns of B. A strip is a sequence
// of blocks, one for 32 numbers along k, each of two tiles of 1 KiB: the 16 rows (columns) of one
// half, then of the other. A tile holds pairs of neighbours along k, 16 x 16 of them:
//   of A  [row][pair]    = A[row, 2 pair], A[row, 2 pair + 1]
//   of B  [pair][column] = B[2 pair, column], B[2 pair + 1, column]
// Rows, columns and k past the end are zero.
//
// With one term a number is its nearest bf16. With three it is high + low, both bf16 (16 bits of
// its 24), and each block stands three times, so that its products are
//   high high + low high + high low:    A high, low, high    B high, high, low
#pragma once

#include <stdint.h>

namespace gradus {

constexpr int64_t kStrip = 32;           // rows or columns of a strip, numbers of a block along k
constexpr int64_t kBlock = 2 * 16 * 32;  // bf16 numbers of a block: two tiles

// One side of a product as it lies: `side` rows of A (columns of B), k numbers each, which are
// neighbours in memory (`along_k`; rows lie ld apart) or lie ld apart (their rows are neighbours).
struct Side {
  const float* x;
  int64_t ld;
  bool along_k;
  int64_t side, k;
};

struct Tiles {
  const char* name;  // "amx", "portable"
  // Packs scale * x into strips of `terms` (1 or 3) times ceil(k / 32) blocks.
  void (*pack_rows)(Side a, float scale, int terms, uint16_t* to);
  void (*pack_columns)(Side b, int terms, uint16_t* to);
  // C[32, 32] (rows ldc apart) = the product of two strips of `blocks` blocks, added to what is
  // there if `add`.
  void (*product)(const uint16_t* a, const uint16_t* b, int64_t blocks, float* c, int64_t ldc,
                  bool add);
  // Around a thread's products: the unit's registers are configured, and given back.
  void (*begin)();
  void (*end)();
};

}  // namespace gradus
