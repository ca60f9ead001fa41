// Which unit tiles run on, and products of f32 on it (tiles.h): packed in pieces that stay in
// cache, 32 x 32 of C at a time. Each element is summed in the order of k, however C is cut.
#include <algorithm>
#include <atomic>
#include <memory>
#include <new>

#include "gradus/base/error.h"
#include "gradus/base/parallel.h"
#include "gradus/kernels/loops.h"
#include "gradus/kernels/tile_gemm.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace gradus {

extern const Tiles tiles_portable;

#if defined(__x86_64__)
extern const Tiles tiles_amx;
namespace {
// By CPUID, and by the operating system, which a process asks for the unit's 8 KiB of registers
// (Linux 5.16 and later; ARCH_REQ_XCOMP_PERM of XTILEDATA).
bool has_amx() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx)) return false;
  const bool tiles = edx >> 24 & 1, bf16_tiles = edx >> 22 & 1;
  if (!__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx)) return false;
  const bool bf16_vectors = eax >> 5 & 1;
  return tiles && bf16_tiles && bf16_vectors && level() == Level::avx512 &&
         syscall(SYS_arch_prctl, 0x1023, 18) == 0;
}
}  // namespace
#endif

namespace {
const Tiles* tiles_of_processor() {
#if defined(__x86_64__)
  if (has_amx()) return &tiles_amx;
#endif
  return nullptr;
}

std::atomic<const Tiles*>& running_tiles() {
  static std::atomic<const Tiles*> tiles = tiles_of_processor();
  return tiles;
}

std::atomic<MatmulPrecision> running_precision{MatmulPrecision::highest};

// A thread's room for packed numbers, which grows and stays.
class Packed {
 public:
  uint16_t* room(int64_t blocks) {
    if (blocks > blocks_) {
      numbers_.reset(new (std::align_val_t{64}) uint16_t[static_cast<size_t>(blocks * kBlock)]);
      blocks_ = blocks;
    }
    return numbers_.get();
  }

 private:
  struct Free {
    void operator()(uint16_t* numbers) const { ::operator delete[](numbers, std::align_val_t{64}); }
  };
  std::unique_ptr<uint16_t[], Free> numbers_;
  int64_t blocks_ = 0;
};

int64_t pieces(int64_t side, int64_t size) { return (side + size - 1) / size; }

// Sides of a piece: its packed rows fill a quarter of a core's cache of the second level (2 MiB),
// its columns a half, and k is cut where it would leave too few of either.
constexpr int64_t kDepth = 1024, kRowNumbers = 1 << 18, kColumnNumbers = 1 << 19;

int64_t strips_of(int64_t numbers, int64_t depth) {
  return std::max<int64_t>(1, numbers / depth / kStrip) * kStrip;
}

}  // namespace

const Tiles* tiles() { return running_tiles().load(std::memory_order_relaxed); }

TilesScope::TilesScope(const Tiles* tiles) : before_(running_tiles().exchange(tiles)) {}
TilesScope::~TilesScope() { running_tiles() = before_; }

const Tiles& portable_tiles() { return tiles_portable; }

MatmulPrecision matmul_precision() { return running_precision.load(std::memory_order_relaxed); }

MatmulPrecision matmul_precision_named(const char* option, const std::string& name) {
  if (name == "highest") return MatmulPrecision::highest;
  if (name == "high") return MatmulPrecision::high;
  if (name == "medium") return MatmulPrecision::medium;
  fail("{} {}: there are highest, high, medium", option, name);
}

PrecisionScope::PrecisionScope(MatmulPrecision precision)
    : before_(running_precision.exchange(precision)) {}
PrecisionScope::~PrecisionScope() { running_precision = before_; }

const char* matmul_unit() { return tiles() ? tiles()->name : nullptr; }

void tile_panel(const Tiles& unit, int terms, const TileProduct& p, TilePanel panel) {
  thread_local Packed room_a, room_b;
  alignas(64) float edge[kStrip * kStrip];
  const int64_t depth = std::min<int64_t>(kDepth, pieces(p.k, kStrip) * kStrip),
                most_rows = strips_of(kRowNumbers, depth * terms),
                most_columns = strips_of(kColumnNumbers, depth * terms);
  const auto part = [](const float* x, int64_t ld, bool along_k, int64_t first, int64_t k) {
    return x + (along_k ? first * ld + k : k * ld + first);
  };
  unit.begin();
  for (int64_t j0 = panel.j0; j0 < panel.j1; j0 += most_columns) {
    const int64_t columns = std::min(most_columns, panel.j1 - j0);
    for (int64_t k0 = 0; k0 < p.k; k0 += depth) {
      const int64_t deep = std::min(depth, p.k - k0), blocks = pieces(deep, kStrip) * terms;
      const bool add = k0 > 0 || p.add;
      uint16_t* const b = room_b.room(pieces(columns, kStrip) * blocks);
      unit.pack_columns(
          {part(p.b, p.ldb, p.transpose_b, j0, k0), p.ldb, p.transpose_b, columns, deep}, terms, b);
      for (int64_t i0 = panel.i0; i0 < panel.i1; i0 += most_rows) {
        const int64_t rows = std::min(most_rows, panel.i1 - i0);
        uint16_t* const a = room_a.room(pieces(rows, kStrip) * blocks);
        unit.pack_rows(
            {part(p.a, p.lda, !p.transpose_a, i0, k0), p.lda, !p.transpose_a, rows, deep}, p.alpha,
            terms, a);
        for (int64_t i = 0; i < rows; i += kStrip)
          for (int64_t j = 0; j < columns; j += kStrip) {
            float* const c = p.c + (i0 + i) * p.ldc + j0 + j;
            const uint16_t* const left = a + i / kStrip * blocks * kBlock;
            const uint16_t* const right = b + j / kStrip * blocks * kBlock;
            const int64_t height = std::min(kStrip, rows - i),
                          width = std::min(kStrip, columns - j);
            if (height == kStrip && width == kStrip) {
              unit.product(left, right, blocks, c, p.ldc, add);
              continue;
            }
            // at C's edges, in a square of its own
            for (int64_t r = 0; add && r < height; ++r)
              std::copy_n(c + r * p.ldc, width, edge + r * kStrip);
            unit.product(left, right, blocks, edge, kStrip, add);
            for (int64_t r = 0; r < height; ++r)
              std::copy_n(edge + r * kStrip, width, c + r * p.ldc);
          }
        if (p.epilogue.run && k0 + deep == p.k)
          p.epilogue.run(p.epilogue.context, i0, i0 + rows, j0, j0 + columns);
      }
    }
  }
  unit.end();
}

// C in a grid of as many pieces as threads (twice, to even them out), that which packs the least.
void tile_gemm(const Tiles& unit, int terms, const TileProduct& p) {
  const int64_t work = p.m * p.n * p.k, threads = thread_count(),
                most = threads == 1 || work < (int64_t{1} << 20) ? 1 : 2 * threads;
  int64_t down = 1, across = 1;
  const auto packed = [&](int64_t d, int64_t a) { return pieces(p.m, d) + pieces(p.n, a); };
  for (int64_t d = 1; d <= most; ++d)
    if (most % d == 0 && (down * across < most || packed(d, most / d) < packed(down, across)))
      down = d, across = most / d;
  const auto cut = [](int64_t side, int64_t count) {
    return pieces(pieces(side, count), kStrip) * kStrip;
  };
  const int64_t rows = cut(p.m, down), columns = cut(p.n, across), in_row = pieces(p.n, columns);
  parallel_for(pieces(p.m, rows) * in_row, 1, [&](int64_t panel, int64_t) {
    const int64_t i0 = panel / in_row * rows, j0 = panel % in_row * columns;
    tile_panel(unit, terms, p, {i0, std::min(p.m, i0 + rows), j0, std::min(p.n, j0 + columns)});
  });
}

}  // namespace gradus
