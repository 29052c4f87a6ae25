// Rows of numbers as the tile multiplies them: as they are, or those of bf16 in pairs, padded with 0.
#if defined(HEED_ATTENTION_ENGINE_UNITS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_ATTENTION_ENGINE_UNITS_INL_H_
#undef HEED_ATTENTION_ENGINE_UNITS_INL_H_
#else
#define HEED_ATTENTION_ENGINE_UNITS_INL_H_
#endif

#include <cstring>
#include <vector>

#include "attention/engine/bands.h"
#include "attention/engine/problem.h"
#include "kernels/panels-inl.h"
#include "kernels/scratch.h"

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
namespace kn = kernels::HWY_NAMESPACE;
using kernels::Bf16Pair;

template <class T>
using Tag = hn::ScalableTag<T>;
template <class T>
using Vector = hn::Vec<Tag<T>>;
template <class T>
inline constexpr int64_t kLanes = hn::MaxLanes(Tag<T>());

// ---- rows ----------------------------------------------------------------------------------------------------

template <class T>
HWY_INLINE void scale_row(const T* from, T factor, int64_t n, T* to) {
  const Tag<T> d;
  const auto by = hn::Set(d, factor);
  int64_t i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) hn::StoreU(hn::Mul(hn::LoadU(d, from + i), by), d, to + i);
  for (; i < n; ++i) to[i] = from[i] * factor;
}

// Numbers of a row that are worked on together, as they are computed with: bf16 is the upper half of an f32.
template <class T>
HWY_INLINE Vector<T> load(const T* from) {
  return hn::LoadU(Tag<T>(), from);
}
HWY_INLINE Vector<float> load(const bf16* from) {
  const hn::Rebind<uint16_t, Tag<float>> half;
  const auto bits = hn::PromoteTo(Tag<uint32_t>(), hn::LoadU(half, reinterpret_cast<const uint16_t*>(from)));
  return hn::BitCast(Tag<float>(), hn::ShiftLeft<16>(bits));
}
template <class T>
HWY_INLINE void store(Vector<T> x, T* to) {
  hn::StoreU(x, Tag<T>(), to);
}
#if HEED_HAS_PAIRS
HWY_INLINE void store(Vector<float> x, bf16* to) { kn::store_rounded(x, &to->bits); }

HWY_INLINE void scale_row(const float* from, float factor, int64_t n, bf16* to) {
  const Tag<float> d;
  const auto by = hn::Set(d, factor);
  int64_t i = 0;
  for (; i + kLanes<float> <= n; i += kLanes<float>) store(hn::Mul(hn::LoadU(d, from + i), by), to + i);
  if (i == n) return;
  bf16 rest[kLanes<float>];
  store(hn::Mul(kn::PartVector{n - i}.load(d, from + i), by), rest);
  std::copy_n(rest, n - i, to + i);
}
#endif

// Σ a·b
template <class T>
HWY_INLINE Number<T> inner_product(const T* a, const T* b, int64_t n) {
  using C = Number<T>;
  const Tag<C> d;
  auto sum = hn::Zero(d);
  int64_t i = 0;
  for (; i + kLanes<C> <= n; i += kLanes<C>) sum = hn::MulAdd(load(a + i), load(b + i), sum);
  C total = hn::GetLane(hn::SumOfLanes(d, sum));
  for (; i < n; ++i) total += static_cast<C>(a[i]) * static_cast<C>(b[i]);
  return total;
}

// A row as the left factor of a product; of numbers `factor` goes with it, of pairs it is left to the product.
template <class T>
HWY_INLINE void left_row(const T* x, T factor, int64_t width, T* to) {
  scale_row(x, factor, width, to);
}
template <class Factor>
HWY_INLINE void left_row(const bf16* x, Factor, int64_t width, Bf16Pair* to) {
  if (width % 2 != 0) to[width / 2] = {};
  std::memcpy(static_cast<void*>(to), x, static_cast<size_t>(width) * sizeof(bf16));
}

// ---- keys: panels of 64, units of D deep -----------------------------------------------------------------

template <class T>
HWY_INLINE void pack_columns(const T* rows, int64_t stride, int64_t width, int64_t count, T* panel) {
  kn::pack_strips<T>({rows, stride, true}, width, count, panel);
}
HWY_INLINE void pack_columns(const bf16* rows, int64_t stride, int64_t width, int64_t count, Bf16Pair* panel) {
  struct Use;
  const int64_t pairs = units<bf16>(width);
  Bf16Pair* in_pairs = kernels::scratch<Use, Bf16Pair>(kPanel * pairs);
  for (int64_t r = 0; r < count; ++r) left_row(rows + r * stride, 1.0f, width, in_pairs + r * pairs);
  kn::pack_strips<float>({&in_pairs->bits, pairs, true}, pairs, count, &panel->bits);
}

// ---- rows as right factors -------------------------------------------------------------------------------

template <class T>
inline constexpr int64_t kStrip = kn::Panels<T>::kStrip;  // W

// B(k,j) = data[(j / W)·strip + k·row + j mod W]. A matrix as it is has strips W apart. Rows wider than one are better
// packed, or the lines of a column of tiles share their cache sets.
template <class T>
struct RowStrips {
  using Value = T;
  const T* data;
  int64_t row, strip = kStrip<T>;
  HWY_INLINE const T* column(int64_t j) const { return data + j / kStrip<T> * strip + j % kStrip<T>; }
  HWY_INLINE int64_t row_stride() const { return row; }
  HWY_INLINE RowStrips from_row(int64_t k) const { return {data + k * row, row, strip}; }
};
// Packed ones, of so many units.
template <class U>
HWY_INLINE RowStrips<U> packed_rows(const U* data, int64_t units) {
  return {data, kStrip<U>, kStrip<U> * (units + 1)};
}

// [width/W][…][W], into strips that begin at a row.
template <class T>
HWY_INLINE void pack_rows(const T* x, int64_t stride, int64_t width, int64_t rows, T* to, int64_t strip) {
  for (int64_t c = 0; c < width; c += kStrip<T>)
    kn::pack_strip<kStrip<T>>(x + c, stride, rows, std::min(kStrip<T>, width - c), to + c / kStrip<T> * strip);
}
// A unit is what stands above each other in two rows. What is beyond the width is not written.
HWY_INLINE void pair_rows(const bf16* row, const bf16* below, int64_t width, Bf16Pair* to) {
  const Tag<uint32_t> d;
  const hn::Rebind<uint16_t, Tag<uint32_t>> half;
  const auto* low = reinterpret_cast<const uint16_t*>(row);
  const auto* high = reinterpret_cast<const uint16_t*>(below);
  for (int64_t c = 0; c < width; c += kLanes<float>) {
    const auto some = hn::FirstN(half, static_cast<size_t>(std::min(kLanes<float>, width - c)));
    const auto above = hn::PromoteTo(d, hn::MaskedLoad(some, half, low + c));
    const auto under = high ? hn::PromoteTo(d, hn::MaskedLoad(some, half, high + c)) : hn::Zero(d);
    hn::StoreU(hn::BitCast(Tag<float>(), hn::Or(above, hn::ShiftLeft<16>(under))), Tag<float>(), &to[c].bits);
  }
}
HWY_INLINE void pack_rows(const bf16* x, int64_t stride, int64_t width, int64_t rows, Bf16Pair* to, int64_t strip) {
  constexpr int64_t kWide = kStrip<Bf16Pair>;
  for (int64_t c = 0; c < width; c += kWide)
    for (int64_t r = 0; r < rows; r += 2) {
      const bf16* row = x + r * stride + c;
      pair_rows(row, r + 1 < rows ? row + stride : nullptr, std::min(kWide, width - c),
                to + c / kWide * strip + r / 2 * kWide);
    }
}
// Rows as they are where that is good enough, else packed into `to`.
template <class T>
HWY_INLINE RowStrips<Unit<T>> as_row_strips(const T* x, int64_t stride, int64_t width, int64_t rows, Unit<T>* to) {
  if constexpr (!std::is_same_v<T, bf16>)
    if (!wants_packing<T>(width)) return {x, stride};
  const RowStrips<Unit<T>> packed = packed_rows(to, units<T>(rows));
  pack_rows(x, stride, width, rows, to, packed.strip);
  return packed;
}

// The rows of some heads both ways: as left factor, a unit at a time, and as right factor. Pairs are made once for all
// rows; numbers that want packing are packed for one block of rows at a time.
template <class T>
class BothFactors {
 public:
  static int64_t size(int64_t width, int64_t rows, int64_t heads) {
    return kEveryForm<T> ? packed_size<T>(width, kQueryBlock)
                         : heads * (rows * units<T>(width) + packed_size<T>(width, rows));
  }
  // memory: size(…) units.
  BothFactors(const Rows<const T>& x, int64_t b, const Interval& heads, int64_t rows, int64_t width, Unit<T>* memory)
      : x_(x), b_(b), first_(heads.begin), rows_(rows), width_(width), memory_(memory) {
    if constexpr (!kEveryForm<T>)
      for (int64_t h = heads.begin; h < heads.end; ++h) {
        for (int64_t r = 0; r < rows; ++r) left_row(x.at(b, h, r), T{}, width, left_of(h) + r * left_stride());
        as_row_strips(x.at(b, h, 0), x.row, width, rows, right_of(h));
      }
  }
  // Rows [row, row + rows) of a head.
  void enter(int64_t h, int64_t row, int64_t rows) {
    if constexpr (kEveryForm<T>) {
      left = x_.at(b_, h, row);
      right = as_row_strips(left, x_.row, width_, rows, memory_);
    } else {
      left = left_of(h) + row * left_stride();
      right = packed_rows(right_of(h), units<T>(rows_)).from_row(units<T>(row));
    }
  }
  int64_t left_stride() const { return kEveryForm<T> ? x_.row : units<T>(width_); }

  const Unit<T>* left = nullptr;
  RowStrips<Unit<T>> right{};

 private:
  Unit<T>* left_of(int64_t h) const { return memory_ + (h - first_) * size(width_, rows_, 1); }
  Unit<T>* right_of(int64_t h) const { return left_of(h) + rows_ * left_stride(); }
  Rows<const T> x_;
  int64_t b_, first_, rows_, width_;
  Unit<T>* memory_;
};

// ---- rows that are not finite ----------------------------------------------------------------------------

// Which of 64 rows (bits) hold something that is not finite. A weight of 0 times such a row would be NaN, so where rows
// are hidden the engine looks at a copy in which they are 0.
template <class T>
HWY_INLINE uint64_t rows_not_finite(const T* x, int64_t stride, int64_t width, int64_t rows) {
  using C = Number<T>;
  const Tag<C> d;
  const auto zero = hn::Zero(d);
  uint64_t bits = 0;
  for (int64_t r = 0; r < rows; ++r) {
    auto sum = zero;  // 0·x is NaN for ∞ and NaN
    int64_t c = 0;
    for (; c + kLanes<C> <= width; c += kLanes<C>) sum = hn::MulAdd(load(x + r * stride + c), zero, sum);
    C rest = hn::GetLane(hn::SumOfLanes(d, sum));
    for (; c < width; ++c) rest += static_cast<C>(x[r * stride + c]) * 0;
    bits |= static_cast<uint64_t>(!(rest == 0)) << r;
  }
  return bits;
}
// The rows as a right factor, those 0.
template <class T>
struct FiniteCopy {
  std::vector<T> rows;
  std::vector<Unit<T>> packed;
  RowStrips<Unit<T>> strips;
  FiniteCopy(const T* x, int64_t stride, int64_t width, int64_t count, uint64_t not_finite)
      : rows(static_cast<size_t>(count * width)), packed(static_cast<size_t>(packed_size<T>(width, count))) {
    for (int64_t r = 0; r < count; ++r)
      if (!(not_finite >> r & 1)) std::copy_n(x + r * stride, width, rows.data() + r * width);
    strips = as_row_strips(rows.data(), width, width, count, packed.data());
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#endif  // HEED_ATTENTION_ENGINE_UNITS_INL_H_
