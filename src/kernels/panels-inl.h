// Packing a panel for the tile, strip by strip: strip[k·W + j] = B(k,j), zeros where there are fewer columns.
#include <algorithm>
#include <cstdint>

#include "hwy/highway.h"
#include "kernels/tile-inl.h"

#if defined(HEED_KERNELS_PANELS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_PANELS_INL_H_
#undef HEED_KERNELS_PANELS_INL_H_
#else
#define HEED_KERNELS_PANELS_INL_H_
#endif

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// B(k,j) = b[k·stride + j]
template <int64_t kWidth, class T>
HWY_INLINE void pack_strip(const T* b, int64_t stride, int64_t depth, int64_t columns, T* strip) {
  const hn::ScalableTag<T> d;
  constexpr int64_t kLanes = hn::MaxLanes(d);
  for (int64_t k = 0; k < depth; ++k) {
    const T* from = b + k * stride;
    T* to = strip + k * kWidth;
    int64_t j = 0;
    for (; j + kLanes <= columns; j += kLanes) hn::StoreU(hn::LoadU(d, from + j), d, to + j);
    if (j == kWidth) continue;
    hn::StoreU(PartVector{std::max<int64_t>(columns - j, 0)}.load(d, from + j), d, to + j);
    for (j += kLanes; j < kWidth; j += kLanes) hn::StoreU(hn::Zero(d), d, to + j);
  }
}

// Four elements of each of 16 rows (as many as a vector has lanes), those of rows first, first + 4, … in one vector.
template <class D>
HWY_INLINE hn::Vec<D> load_blocks(D d, const float* from, int64_t stride) {
  if constexpr (hn::MaxLanes(d) == 4) {
    return hn::LoadU(d, from);
  } else {
    const hn::Half<D> half;
    const int64_t rows = hn::MaxLanes(half);
    return hn::Combine(d, load_blocks(half, from + rows * stride, stride), load_blocks(half, from, stride));
  }
}

// to[c·W + r] = from[r·stride + c] for four columns c and as many rows as a vector has lanes: 4 × 4 in each 128 bits.
template <int64_t kWidth>
HWY_INLINE void transpose_four(const float* from, int64_t stride, float* to) {
  const hn::ScalableTag<float> d;
  const hn::Repartition<double, decltype(d)> pair;
  const auto r0 = load_blocks(d, from, stride), r1 = load_blocks(d, from + stride, stride),
             r2 = load_blocks(d, from + 2 * stride, stride), r3 = load_blocks(d, from + 3 * stride, stride);
  const auto low01 = hn::BitCast(pair, hn::InterleaveLower(d, r0, r1)),
             low23 = hn::BitCast(pair, hn::InterleaveLower(d, r2, r3)),
             high01 = hn::BitCast(pair, hn::InterleaveUpper(d, r0, r1)),
             high23 = hn::BitCast(pair, hn::InterleaveUpper(d, r2, r3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pair, low01, low23)), d, to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pair, low01, low23)), d, to + kWidth);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pair, high01, high23)), d, to + 2 * kWidth);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pair, high01, high23)), d, to + 3 * kWidth);
}
template <int64_t kWidth>
HWY_INLINE void transpose_four(const double* from, int64_t stride, double* to) {
  for (int64_t c = 0; c < 4; ++c)
    for (int64_t r = 0; r < static_cast<int64_t>(HWY_LANES(float)); ++r) to[c * kWidth + r] = from[r * stride + c];
}

// B(k,j) = b[j·stride + k]. Sixteen columns at a time: so many streams are read, and whole lines written.
template <int64_t kWidth, class T>
HWY_INLINE void pack_strip_transposed(const T* b, int64_t stride, int64_t depth, int64_t columns, T* strip) {
  const auto scalars = [&](int64_t k0, int64_t k1, int64_t j0, int64_t j1) HWY_ATTR {
    for (int64_t k = k0; k < k1; ++k)
      for (int64_t j = j0; j < j1; ++j) strip[k * kWidth + j] = j < columns ? b[j * stride + k] : T{0};
  };
  constexpr int64_t kStep = HWY_LANES(float);
  const int64_t whole_depth = depth / 4 * 4;
  constexpr int64_t kColumns = std::min<int64_t>(kWidth, 16);
  for (int64_t j0 = 0; j0 < kWidth; j0 += kColumns) {
    if (j0 + kColumns > columns) {
      scalars(0, depth, j0, j0 + kColumns);
      continue;
    }
    for (int64_t k = 0; k < whole_depth; k += 4)
      for (int64_t j = j0; j < j0 + kColumns; j += kStep)
        transpose_four<kWidth>(b + j * stride + k, stride, strip + k * kWidth + j);
    scalars(whole_depth, depth, j0, j0 + kColumns);
  }
}

// The panel of B's first columns, 64 or fewer.
template <class T>
HWY_INLINE void pack_strips(const Factor<T>& b, int64_t depth, int64_t columns, T* panel) {
  constexpr int64_t kWidth = Panels<T>::kStrip;
  for (int64_t j = 0; j < kPanelWidth; j += kWidth) {
    const int64_t some = std::clamp<int64_t>(columns - j, 0, kWidth);
    if (some == 0)
      std::fill_n(panel + j * depth, kWidth * depth, T{0});
    else if (b.transposed)
      pack_strip_transposed<kWidth>(b.data + j * b.stride, b.stride, depth, some, panel + j * depth);
    else
      pack_strip<kWidth>(b.data + j, b.stride, depth, some, panel + j * depth);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#endif  // HEED_KERNELS_PANELS_INL_H_
