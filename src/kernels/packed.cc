// Up to four rows only the memory counts, and its own prefetchers do best. From eight rows on the tile computes while
// the panel after it is fetched into the second cache, a few lines at each k.
#include "kernels/packed.h"

#include <algorithm>

#include "base/threads.h"
#include "kernels/panels.h"
#include "kernels/scratch.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/packed.cc"
#include "hwy/foreach_target.h"
#include "kernels/tile-inl.h"

#ifndef HEED_KERNELS_PACKED_ONCE
#define HEED_KERNELS_PACKED_ONCE
namespace heed::kernels {

// Part of a panel: some depths of 64 columns, with all rows of A.
template <class T>
struct PanelPart {
  int64_t rows, columns, depth;
  const T* a;
  int64_t a_stride;
  const T* panel;
  const T* fetch;  // what to fetch meanwhile, as much as the part is long; null: nothing
  T* c;
  int64_t c_stride;
  bool add;
};

}  // namespace heed::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

// A by rows that fetches while it is read: each tile its share of a strip of the next part.
template <class T>
struct ByRowsFetching {
  static constexpr int64_t kStrip = Panels<T>::kStrip;
  ByRows<T> a;
  const T* fetch;
  int64_t depth, rows;
  HWY_INLINE ByRowsFetching from_row(int64_t i) const {
    return {a.from_row(i), fetch + i * depth * kStrip / rows, depth, rows};
  }
  template <int kRows>
  struct Cursor {
    typename ByRows<T>::template Cursor<kRows> a;
    const T* fetch;
    int64_t step;  // numbers a k, of at most four lines
    HWY_INLINE explicit Cursor(const ByRowsFetching& from)
        : a(from.a), fetch(from.fetch), step(kStrip * kRows / from.rows) {}
    HWY_INLINE T get(int r) const { return a.get(r); }
    HWY_INLINE void next() {
      constexpr int64_t kLine = 64 / sizeof(T);
      __builtin_prefetch(fetch, 0, 2);
      if (step > kLine) __builtin_prefetch(fetch + kLine, 0, 2);
      if (step > 2 * kLine) __builtin_prefetch(fetch + 2 * kLine, 0, 2);
      fetch += step;
      a.next();
    }
  };
};

template <class T>
HWY_INLINE void multiply_part(const PanelPart<T>& p) {
  const hn::ScalableTag<T> d;
  const ByRows<T> a = by_rows(p.a, p.a_stride);
  const auto b = panels(p.panel, p.depth);
  const auto epilogue = store_or_add(d, p.c, p.c_stride, p.add);
  if (p.columns < kPanelWidth) return product(p.rows, p.columns, p.depth, a, b, epilogue);
  if (!p.fetch) return product<BestShape, Columns::whole>(p.rows, p.columns, p.depth, a, b, epilogue);
  constexpr int64_t kStrip = Panels<T>::kStrip;
  for (int64_t j = 0; j < kPanelWidth; j += kStrip)
    product<BestShape, Columns::whole>(p.rows, kStrip, p.depth,
                                       ByRowsFetching<T>{a, p.fetch + j * p.depth, p.depth, p.rows},
                                       matrix(b.column(j), kStrip), store_or_add(d, p.c + j, p.c_stride, p.add));
}
void MultiplyPartSingle(const PanelPart<float>& p) { multiply_part(p); }
void MultiplyPartDouble(const PanelPart<double>& p) { multiply_part(p); }

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace {

HWY_EXPORT(MultiplyPartSingle);
HWY_EXPORT(MultiplyPartDouble);

// A panel lies in parts so deep, each in strips: 128 KB, this one and the next share the second cache with A.
constexpr int64_t kDepthBlock = 512;
constexpr int64_t kRowBlock = 168;
constexpr int64_t kFetchingRows = 8;
constexpr int64_t kThreadWork = int64_t{1} << 17;  // weights read by one core in a few microseconds

void run(const PanelPart<float>& p) { HWY_DYNAMIC_DISPATCH(MultiplyPartSingle)(p); }
void run(const PanelPart<double>& p) { HWY_DYNAMIC_DISPATCH(MultiplyPartDouble)(p); }

int64_t grain(int64_t panels, int64_t numbers) { return numbers < kThreadWork ? panels : 1; }

// A, or a copy of it without large strides: those of a power of two share few sets of the caches.
template <class T>
const T* near_rows(const PackedProduct<T>& p, int64_t depth, int64_t* stride) {
  *stride = p.a_stride;
  if (p.rows < kFetchingRows || p.a_stride % 256 != 0) return p.a;
  *stride = depth + 16;
  struct CopyOfA;
  T* copy = scratch<CopyOfA, T>(p.rows * *stride);
  for (int64_t i = 0; i < p.rows; ++i) std::copy_n(p.a + i * p.a_stride, depth, copy + i * *stride);
  return copy;
}

// One panel of the weights with a block of rows. `after` is what comes after the panel in memory or order, null:
// nothing.
template <class T>
void multiply_panel(const PackedProduct<T>& p, int64_t panel, const T* after) {
  const PackedWeights<T>& w = *p.weights;
  const int64_t column = panel * kPanelWidth, columns = std::min(kPanelWidth, w.columns() - column);
  const T* from = w.panels() + panel * w.depth() * kPanelWidth;
  for (int64_t k = 0; k < w.depth() || k == 0; k += kDepthBlock) {
    const int64_t depth = std::min(kDepthBlock, w.depth() - k);
    const T* next = k + depth < w.depth() ? from + (k + depth) * kPanelWidth : after;
    run(PanelPart<T>{p.rows, columns, depth, p.a + k, p.a_stride, from + k * kPanelWidth,
                     p.rows >= kFetchingRows ? next : nullptr, p.c + column, p.c_stride, p.accumulate || k > 0});
  }
  if (p.bias || p.activation != Activation::none)
    add_bias_activate(p.rows, columns, p.c + column, p.c_stride, p.bias ? p.bias + column : nullptr, p.activation);
}

// What a thread that ends at panel `end` of `panels` reads in the product after this one: the same share begins there.
template <class T>
const T* start_of_next(const PackedProduct<T>& p, int64_t begin, int64_t panels) {
  if (!p.next || p.next->columns() == 0) return nullptr;
  return p.next->panels() + panel_count(p.next->columns()) * begin / panels * p.next->depth() * kPanelWidth;
}

template <class T>
void multiply_rows(const PackedProduct<T>& p) {
  const PackedWeights<T>& w = *p.weights;
  const int64_t panels = panel_count(w.columns());
  parallel(panels, grain(panels, w.depth() * w.columns() * ((p.rows + 7) / 8)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      multiply_panel(p, i,
                     i + 1 < end ? w.panels() + (i + 1) * w.depth() * kPanelWidth : start_of_next(p, begin, panels));
  });
}

// Rows in equal blocks of whole tiles. The threads share the panels of a block, or the blocks where panels are few.
template <class T>
void multiply_all(const PackedProduct<T>& p) {
  if (p.rows <= 0 || p.weights->columns() <= 0) return;
  PackedProduct<T> part = p;
  part.a = near_rows(p, p.weights->depth(), &part.a_stride);
  const int64_t blocks = (p.rows + kRowBlock - 1) / kRowBlock, rows = ((p.rows + blocks - 1) / blocks + 5) / 6 * 6;
  const auto run = [&](int64_t begin, int64_t end) {
    for (int64_t row = begin * rows; row < std::min(p.rows, end * rows); row += rows) {
      PackedProduct<T> block = part;
      block.rows = std::min(rows, p.rows - row);
      block.a += row * part.a_stride, block.c += row * p.c_stride;
      multiply_rows(block);
    }
  };
  panel_count(p.weights->columns()) < 4 ? parallel(blocks, 1, run) : run(0, blocks);
}

}  // namespace

template <class T>
PackedWeights<T>::PackedWeights(const Factor<T>& b, int64_t depth, int64_t columns, T* to)
    : panels_(to), depth_(depth), columns_(columns) {
  if (panels_size(depth, columns) == 0) return;
  const int64_t panels = panel_count(columns);
  parallel(panels, grain(panels, depth * columns), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t column = i * kPanelWidth;
      for (int64_t k = 0; k < depth; k += kDepthBlock)
        pack_panel(b.from(k, column), std::min(kDepthBlock, depth - k), std::min(kPanelWidth, columns - column),
                   to + (i * depth + k) * kPanelWidth);
    }
  });
}

template class PackedWeights<float>;
template class PackedWeights<double>;

void multiply(const PackedProduct<float>& product) { multiply_all(product); }
void multiply(const PackedProduct<double>& product) { multiply_all(product); }

}  // namespace heed::kernels
#endif
