#include "kernels/recurrent_stage.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/recurrent_stage.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/recurrent_cells-inl.h"
#include "kernels/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::recurrent {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// ---- Packing ----

// Four rows and columns at a time: a(i, j) becomes a(j, i) in two rounds of interleaving.
HWY_INLINE void transpose_four(const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  const hn::Full128<float> d;
  const hn::Full128<double> pairs;
  const auto a0 = hn::LoadU(d, from), a1 = hn::LoadU(d, from + from_stride);
  const auto a2 = hn::LoadU(d, from + 2 * from_stride), a3 = hn::LoadU(d, from + 3 * from_stride);
  const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, a0, a1));
  const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, a2, a3));
  const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, a0, a1));
  const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, a2, a3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, to + to_stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, to + 2 * to_stride);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, to + 3 * to_stride);
}

// Blocks of 16 × 16 touch each line once.
void transpose(int64_t rows, int64_t columns, const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  constexpr int64_t kBlock = 16;
  const int64_t whole_rows = rows / 4 * 4, whole_columns = columns / 4 * 4;
  for (int64_t i0 = 0; i0 < whole_rows; i0 += kBlock)
    for (int64_t j0 = 0; j0 < whole_columns; j0 += kBlock)
      for (int64_t j = j0; j < std::min(j0 + kBlock, whole_columns); j += 4)
        for (int64_t i = i0; i < std::min(i0 + kBlock, whole_rows); i += 4)
          transpose_four(from + i * from_stride + j, from_stride, to + j * to_stride + i, to_stride);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = i < whole_rows ? whole_columns : 0; j < columns; ++j)
      to[j * to_stride + i] = from[i * from_stride + j];
}

// ---- Products and cells ----

namespace tiles = heed::kernels::HWY_NAMESPACE;

template <int vectors, class Panel>
void product_of(const Stage& stage, const Panel& weight, int64_t width, int64_t row, int64_t rows, float* out) {
  tiles::product<tiles::Shape<kTileRows, vectors>, tiles::Columns::whole>(
      rows, width, stage.depth, tiles::by_rows(stage.a + row * stage.a_stride, stage.a_stride), weight,
      tiles::store_to(hn::ScalableTag<float>(), out, kPanel));
}

// All columns of a panel in one tile where there are registers enough.
void product_tile(const Stage& stage, const float* weight, int64_t width, int64_t row, int64_t rows, float* out) {
  if constexpr (tiles::BestShape::kVectors == 4) {
    const auto strip = tiles::matrix(weight, width);
    switch (width / kUnits) {
      case 1: return product_of<1>(stage, strip, width, row, rows, out);
      case 2: return product_of<2>(stage, strip, width, row, rows, out);
      case 3: return product_of<3>(stage, strip, width, row, rows, out);
      default: return product_of<4>(stage, strip, width, row, rows, out);
    }
  } else {
    product_of<2>(stage, tiles::panels(weight, stage.depth), width, row, rows, out);
  }
}

// Calls cell(place) on the tile's rows and units, 16 units at a time, or beyond(place) where the sentence has ended.
template <class Cell, class Beyond>
HWY_INLINE void for_each_place(const Step& step, const float* product, int64_t row, int64_t rows, int64_t u,
                               int64_t units, const Cell& cell, const Beyond& beyond) {
  const int64_t lanes = hn::Lanes(Lanes());
  for (int64_t r = 0; r < rows; ++r) {
    const bool within = step.within(row + r);
    for (int64_t j = 0; j < units; j += lanes) {
      const Place place(step, product + r * kPanel + j, units, row + r, u + j);
      within ? cell(place) : beyond(place);
    }
  }
}

template <class Cell>
HWY_NOINLINE void forward_cells(const Step& step, const float* product, int64_t row, int64_t rows, int64_t u,
                                int64_t units, const Cell& cell) {
  for_each_place(step, product, row, rows, u, units, cell,
                 [&](const Place& at) HWY_ATTR { beyond_end(at, step.c_next != nullptr); });
}

template <class Cell>
HWY_NOINLINE void backward_cells(const Step& step, const float* product, int64_t row, int64_t rows, int64_t u,
                                 int64_t units, int64_t strips, const Cell& cell) {
  for_each_place(step, product, row, rows, u, units, cell,
                 [&](const Place& at) HWY_ATTR { beyond_end_backward(at, strips); });
}

void cells(Work work, const Step& step, const float* product, int64_t row, int64_t rows, int64_t u, int64_t units) {
  const auto forward = [&](const auto& cell) { forward_cells(step, product, row, rows, u, units, cell); };
  const auto backward = [&](int64_t strips, const auto& cell) {
    backward_cells(step, product, row, rows, u, units, strips, cell);
  };
  switch (work) {
    case Work::lstm: return forward([](const Place& at) HWY_ATTR { lstm(at); });
    case Work::gru: return forward([](const Place& at) HWY_ATTR { gru(at); });
    case Work::gru_gates: return forward([](const Place& at) HWY_ATTR { gru_gates(at); });
    case Work::gru_state: return forward([](const Place& at) HWY_ATTR { gru_state(at); });
    case Work::tanh: return forward([](const Place& at) HWY_ATTR { tanh_cell(at); });
    case Work::relu: return forward([](const Place& at) HWY_ATTR { relu_cell(at); });
    case Work::lstm_backward: return backward(4, [](const Place& at) HWY_ATTR { lstm_backward(at); });
    case Work::gru_backward: return backward(4, [](const Place& at) HWY_ATTR { gru_backward(at); });
    case Work::gru_state_backward: return backward(4, [](const Place& at) HWY_ATTR { gru_state_backward(at); });
    case Work::gru_gates_backward: return backward(4, [](const Place& at) HWY_ATTR { gru_gates_backward(at); });
    case Work::tanh_backward: return backward(1, [](const Place& at) HWY_ATTR { tanh_backward(at); });
    case Work::relu_backward: return backward(1, [](const Place& at) HWY_ATTR { relu_backward(at); });
    case Work::carry: return backward(0, [](const Place& at) HWY_ATTR { beyond_end_backward(at, 0); });
  }
}

void run_panel(const Stage& stage, const Step& step, int64_t tile_begin, int64_t tile_end, int64_t panel) {
  HWY_ALIGN float product[kTileRows * kPanel];
  const int64_t u = panel * stage.units, units = std::min(stage.units, step.strip - u);
  const float* weight = stage.weight + u * stage.gates * stage.depth;
  for (int64_t tile = tile_begin; tile < tile_end; ++tile) {
    const int64_t row = first_row(step.B, tile), rows = first_row(step.B, tile + 1) - row;
    product_tile(stage, weight, units * stage.gates, row, rows, product);
    cells(stage.work, step, product, row, rows, u, units);
  }
}

void run_stage(const Stage& stage, const Step& step, const Part& part) {
  for (int64_t panel = part.panel_begin; panel < part.panel_end; ++panel)
    run_panel(stage, step, part.tile_begin, part.tile_end, panel);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::recurrent
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels::recurrent {

HWY_EXPORT(transpose);
HWY_EXPORT(run_stage);

void transpose(int64_t rows, int64_t columns, const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  HWY_DYNAMIC_DISPATCH(transpose)(rows, columns, from, from_stride, to, to_stride);
}

void run_stage(const Stage& stage, const Step& step, const Part& part) {
  HWY_DYNAMIC_DISPATCH(run_stage)(stage, step, part);
}

}  // namespace heed::kernels::recurrent
#endif
