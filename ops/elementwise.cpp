// How an elementwise loop walks over tensors: as panels of rows.
#include "gradus/ops/elementwise.h"

#include <algorithm>

namespace gradus {
namespace {

using detail::Operand;
using detail::RowLoop;

constexpr int max_operands = 6;

// The loop as axes from outer to inner, each with a step for every operand. The last axis is the
// rows' own, the one before it counts rows.
struct Plan {
  struct Axis {
    int64_t size;
    std::array<int64_t, max_operands> step;  // in elements
  };
  std::array<Axis, Shape::max_rank + 2> axes;
  int rank = 0;
  int count;                                // of operands
  std::array<int64_t, max_operands> bytes;  // of an element
  std::array<char*, max_operands> at;
  bool tiled = false;  // some operand's rows do not lie in a row

  const Axis& rows() const { return axes[static_cast<size_t>(rank - 2)]; }
  const Axis& elements() const { return axes[static_cast<size_t>(rank - 1)]; }
};

Plan::Axis axis_of(const Operand* operands, int count, int axis) {
  const Shape& shape = *operands[0].shape;
  Plan::Axis a{shape[axis], {}};
  for (int k = 0; k < count; ++k) {
    const Shape &own = *operands[k].shape, &strides = *operands[k].strides;
    const int mine = axis - (shape.rank() - own.rank());
    const bool repeated = mine < 0 || own[mine] == 1;
    if (mine >= 0 && !repeated && own[mine] != shape[axis])
      fail("elementwise: the shape {} does not broadcast to {}", own, shape);
    a.step[static_cast<size_t>(k)] = repeated ? 0 : strides[mine];
  }
  return a;
}

Plan plan_of(const Operand* operands, int count) {
  const Shape& shape = *operands[0].shape;
  Plan plan;
  plan.count = count;
  for (int k = 0; k < count; ++k) {
    if (operands[k].shape->rank() > shape.rank())
      fail("elementwise: the shape {} does not broadcast to {}", *operands[k].shape, shape);
    plan.at[static_cast<size_t>(k)] = static_cast<char*>(operands[k].at);
    plan.bytes[static_cast<size_t>(k)] = operands[k].size;
  }
  Plan::Axis axes[Shape::max_rank];
  int rank = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    axes[rank] = axis_of(operands, count, axis);
    if (shape[axis] == 1) continue;
    if (axes[rank].step[0] == 0)
      fail("elementwise: a tensor of shape {} whose axis {} repeats one element cannot be written",
           shape, axis);
    ++rank;
  }
  // along y's memory, whatever its order of axes
  std::stable_sort(axes, axes + rank,
                   [](const Plan::Axis& a, const Plan::Axis& b) { return a.step[0] > b.step[0]; });
  // at least two axes; then those that lie one after another become one
  plan.axes[0] = plan.axes[1] = {1, {}};
  plan.rank = 2;
  for (int i = 0; i < rank; ++i) {
    Plan::Axis &last = plan.axes[static_cast<size_t>(plan.rank - 1)], &next = axes[i];
    bool follows = last.size > 1;
    for (size_t k = 0; k < static_cast<size_t>(count); ++k)
      follows = follows && last.step[k] == next.step[k] * next.size;
    if (last.size == 1 && plan.rank == 2) last = next;
    else if (follows) last = {last.size * next.size, next.step};
    else plan.axes[static_cast<size_t>(plan.rank++)] = next;
  }
  return plan;
}

// Rows whose elements do not lie in a row are best read along another axis in which they do: that
// becomes the axis of rows.
void choose_rows(Plan& plan) {
  for (size_t k = 0; k < static_cast<size_t>(plan.count); ++k) {
    const int64_t step = plan.elements().step[k];
    if (plan.elements().size == 1 || step == 1 || (step == 0 && k > 0)) continue;
    plan.tiled = true;
    for (int axis = 0; axis < plan.rank - 2; ++axis)
      if (plan.axes[static_cast<size_t>(axis)].step[k] == 1)
        std::swap(plan.axes[static_cast<size_t>(axis)],
                  plan.axes[static_cast<size_t>(plan.rank - 2)]);
  }
}

// A part of the loop: rows [0, rows) x elements [0, n) from `at` on.
struct Panel {
  std::array<char*, max_operands> at;
  int64_t rows, n;
};

void run_rows(const Plan& plan, const Panel& panel, RowLoop loop, const void* f) {
  LoopRows rows[max_operands];
  for (size_t k = 0; k < static_cast<size_t>(plan.count); ++k)
    rows[k] = {panel.at[k], plan.rows().step[k], plan.elements().step[k] == 0 && k > 0};
  loop(f, rows, panel.rows, panel.n);
}

// Operands that do not lie in rows pass through small tiles that do.
void run_tiles(const Plan& plan, const Panel& panel, RowLoop loop, const void* f) {
  constexpr int64_t tile_rows = 16, tile_n = 128;
  alignas(64) char tiles[max_operands][tile_rows * tile_n * 8];
  for (int64_t r = 0; r < panel.rows; r += tile_rows)
    for (int64_t i = 0; i < panel.n; i += tile_n) {
      const int64_t count = std::min(tile_rows, panel.rows - r), n = std::min(tile_n, panel.n - i);
      LoopRows rows[max_operands];
      Strided y{}, y_tile{};
      for (size_t k = 0; k < static_cast<size_t>(plan.count); ++k) {
        const int64_t row_step = plan.rows().step[k], step = plan.elements().step[k];
        char* at = panel.at[k] + (r * row_step + i * step) * plan.bytes[k];
        if (step == 1 || n == 1 || (step == 0 && k > 0)) {
          rows[k] = {at, row_step, step == 0};
          continue;
        }
        const Strided there{at, row_step, step}, tile{tiles[k], n, 1};
        if (k == 0) y = there, y_tile = tile;
        else copy_strided(there, tile, count, n, plan.bytes[k]);
        rows[k] = {tiles[k], n, false};
      }
      loop(f, rows, count, n);
      if (y.at) copy_strided(y_tile, y, count, n, plan.bytes[0]);
    }
}

void run_panel(const Plan& plan, const Panel& panel, RowLoop loop, const void* f) {
  const auto strided = [&](size_t k) {
    return Strided{panel.at[k], plan.rows().step[k], plan.elements().step[k]};
  };
  if (!loop) copy_strided(strided(1), strided(0), panel.rows, panel.n, plan.bytes[0]);
  else if (plan.tiled) run_tiles(plan, panel, loop, f);
  else run_rows(plan, panel, loop, f);
}

}  // namespace

// Blocks are runs of rows, or parts of one where rows are long; threads share them.
void detail::run_elementwise(const Operand* operands, int count, RowLoop loop, const void* f) {
  check(count <= max_operands, "elementwise: at most {} tensors", max_operands);
  if (operands[0].shape->numel() == 0) return;
  Plan plan = plan_of(operands, count);
  choose_rows(plan);
  const int64_t n = plan.elements().size, rows_in_panel = plan.rows().size;
  int64_t rows = 1;
  for (int axis = 0; axis < plan.rank - 1; ++axis)
    rows *= plan.axes[static_cast<size_t>(axis)].size;
  const int64_t columns = std::min(n, element_block), parts = (n + columns - 1) / columns,
                block_rows = std::max<int64_t>(1, element_block / columns);
  const auto run = [&](int64_t first, int64_t end, int64_t column) {
    while (first < end) {
      const int64_t row = first % rows_in_panel;
      Panel panel{plan.at, std::min(end - first, rows_in_panel - row),
                  std::min(columns, n - column)};
      int64_t outer = first / rows_in_panel;
      std::array<int64_t, max_operands> offset{};
      const auto move = [&](const Plan::Axis& axis, int64_t index) {
        for (size_t k = 0; k < static_cast<size_t>(count); ++k) offset[k] += index * axis.step[k];
      };
      for (int axis = plan.rank - 3; axis >= 0; --axis) {
        const Plan::Axis& a = plan.axes[static_cast<size_t>(axis)];
        move(a, outer % a.size);
        outer /= a.size;
      }
      move(plan.rows(), row);
      move(plan.elements(), column);
      for (size_t k = 0; k < static_cast<size_t>(count); ++k)
        panel.at[k] += offset[k] * plan.bytes[k];
      run_panel(plan, panel, loop, f);
      first += panel.rows;
    }
  };
  const int64_t row_blocks = (rows + block_rows - 1) / block_rows;
  parallel_for(row_blocks * parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; ++block) {
      const int64_t first = block / parts * block_rows;
      run(first, std::min(first + block_rows, rows), block % parts * columns);
    }
  });
}

namespace {
void copy(const Tensor& x, const Operand& y) {
  const Operand operands[] = {
      y, {dispatch(x.dtype(), [&]<class T>() -> const void* { return x.data<T>(); }), x}};
  detail::run_elementwise(operands, 2, nullptr, nullptr);
}
}  // namespace

void copy_elements(const Tensor& x, Tensor& y) {
  check_same_dtype("copy", x, y);
  copy(x, {dispatch(y.dtype(), [&]<class T>() -> void* { return y.write_strided<T>(); }), y});
}
void copy_elements(const Tensor& x, void* y, const Shape& strides) { copy(x, {y, x, strides}); }

}  // namespace gradus
