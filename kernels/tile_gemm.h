// gemm() on tiles (gemm.h, MatmulPrecision; tiles.h): products of f32 by bf16 numbers.
#pragma once

#include "gradus/kernels/gemm.h"
#include "gradus/kernels/tiles.h"

namespace gradus {

// C = alpha op(A) op(B) (+ C if add)
struct TileProduct {
  bool transpose_a, transpose_b;
  int64_t m, n, k;
  float alpha;
  const float* a;
  int64_t lda;
  const float* b;
  int64_t ldb;
  bool add;
  float* c;
  int64_t ldc;
  Epilogue epilogue = {};
};

struct TilePanel {
  int64_t i0, i1, j0, j1;
};

// On all threads; on this one, a panel of C.
void tile_gemm(const Tiles& unit, int terms, const TileProduct& product);
void tile_panel(const Tiles& unit, int terms, const TileProduct& product, TilePanel panel);

// The processor's unit, or null.
const Tiles* tiles();
const Tiles& portable_tiles();

// { const TilesScope scope(&portable_tiles()); … }  for tests: products run on that unit.
class TilesScope {
 public:
  explicit TilesScope(const Tiles* tiles);
  ~TilesScope();
  TilesScope(const TilesScope&) = delete;
  TilesScope& operator=(const TilesScope&) = delete;

 private:
  const Tiles* before_;
};

}  // namespace gradus
