#include "kernels/recurrent_products.h"

#include <algorithm>

#include "base/threads.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/recurrent_products.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::recurrent {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace tiles = heed::kernels::HWY_NAMESPACE;

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

// Stores or adds what lies within the columns of C; panels are wider.
struct Write {
  float* c;
  int64_t stride, columns;
  bool add;

  HWY_INLINE void prefetch(int64_t row, int64_t column, int lines) const {
    if (!add) return;
    for (int i = 0; i < lines; ++i) hwy::Prefetch(c + row * stride + column + 16 * i);
  }
  template <class V, int kVectors, class Width>
  HWY_INLINE void operator()(int64_t row, int64_t column, const V (&x)[kVectors], Width) const {
    const hn::ScalableTag<float> d;
    const int64_t lanes = hn::Lanes(d);
    for (int v = 0; v < kVectors; ++v, column += lanes) {
      const int64_t left = columns - column;
      float* to = c + row * stride + column;
      if (left >= lanes) {
        hn::StoreU(add ? hn::Add(hn::LoadU(d, to), x[v]) : x[v], d, to);
      } else if (left > 0) {
        const auto mask = hn::FirstN(d, left);
        hn::BlendedStore(add ? hn::Add(hn::MaskedLoad(mask, d, to), x[v]) : x[v], mask, d, to);
      }
    }
  }
};

template <class A>
HWY_INLINE void block(const Multiplication& work, const A& a, int64_t row, int64_t rows, int64_t k, int64_t depth,
                      int64_t panel) {
  const float* b = work.panels + panel * work.K * kPanelWidth + k * kPanelWidth;
  const int64_t column = panel * kPanelWidth;
  tiles::product<tiles::BestShape, tiles::Columns::whole>(
      rows, kPanelWidth, depth, a, tiles::panels(b, depth),
      Write{work.c + row * work.c_stride + column, work.c_stride, work.N - column, work.add || k > 0});
}

// Rows [row, row + rows) of C, panels [begin, end): a block of B stays in the second cache for all rows.
void multiply_part(const Multiplication& work, int64_t row, int64_t rows, int64_t begin, int64_t end) {
  constexpr int64_t kDepth = 256;
  for (int64_t k = 0; k < std::max<int64_t>(work.K, 1); k += kDepth) {
    const int64_t depth = std::min(kDepth, work.K - k);
    for (int64_t panel = begin; panel < end; ++panel)
      if (work.a_by_columns)
        block(work, tiles::by_columns(work.a + k * work.a_stride + row, work.a_stride), row, rows, k, depth, panel);
      else
        block(work, tiles::by_rows(work.a + row * work.a_stride + k, work.a_stride), row, rows, k, depth, panel);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::recurrent
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels::recurrent {
namespace {

HWY_EXPORT(transpose);
HWY_EXPORT(multiply_part);

constexpr int64_t kPanelWidth = 64;

// Calls fill(first column, columns, panel) for each panel, zeroed where it is not filled.
template <class Fill>
void for_each_panel(int64_t K, int64_t N, float* panels, const Fill& fill) {
  parallel((N + kPanelWidth - 1) / kPanelWidth, 1, [&](int64_t begin, int64_t end) {
    for (int64_t panel = begin; panel < end; ++panel) {
      float* to = panels + panel * K * kPanelWidth;
      const int64_t column = panel * kPanelWidth, columns = std::min(kPanelWidth, N - column);
      if (columns < kPanelWidth) std::fill_n(to, K * kPanelWidth, 0.0f);
      fill(column, columns, to);
    }
  });
}

}  // namespace

void transpose(int64_t rows, int64_t columns, const float* from, int64_t from_stride, float* to, int64_t to_stride) {
  HWY_DYNAMIC_DISPATCH(transpose)(rows, columns, from, from_stride, to, to_stride);
}

void pack(int64_t K, int64_t N, const float* b, int64_t stride, float* panels) {
  for_each_panel(K, N, panels, [&](int64_t column, int64_t columns, float* to) {
    for (int64_t k = 0; k < K; ++k) std::copy_n(b + k * stride + column, columns, to + k * kPanelWidth);
  });
}

void pack_transposed(int64_t K, int64_t N, const float* b, int64_t stride, float* panels) {
  for_each_panel(K, N, panels, [&](int64_t column, int64_t columns, float* to) {
    transpose(columns, K, b + column * stride, stride, to, kPanelWidth);
  });
}

// The parts of C are of a fixed size, so that the bits do not depend on the number of threads.
void multiply(const Multiplication& work) {
  constexpr int64_t kRows = 96, kPanels = 4;
  const int64_t panels = (work.N + kPanelWidth - 1) / kPanelWidth, groups = (panels + kPanels - 1) / kPanels;
  parallel((work.M + kRows - 1) / kRows * groups, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = i / groups * kRows, panel = i % groups * kPanels;
      HWY_DYNAMIC_DISPATCH(multiply_part)
      (work, row, std::min(kRows, work.M - row), panel, std::min(panel + kPanels, panels));
    }
  });
}

}  // namespace heed::kernels::recurrent
#endif
