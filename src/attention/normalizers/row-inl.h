// Loops over a row of scores that the whole-row normalisers share. A row's length is a multiple of 64; scores are in
// units of log 2, −∞ where hidden.
#if defined(HEED_ATTENTION_NORMALIZERS_ROW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_ATTENTION_NORMALIZERS_ROW_INL_H_
#undef HEED_ATTENTION_NORMALIZERS_ROW_INL_H_
#else
#define HEED_ATTENTION_NORMALIZERS_ROW_INL_H_
#endif

#include <cmath>
#include <limits>

#include "attention/engine/pieces-inl.h"
#include "attention/engine/row_block.h"
#include "kernels/scratch.h"

HWY_BEFORE_NAMESPACE();
namespace heed::attention {
namespace HWY_NAMESPACE {

inline constexpr int kParts = 4;  // accumulators of a sum, that hide the latency of an addition

// body(at, part): the vector at `at`, for accumulator `part`. count: a multiple of 64.
template <class T, class Body>
HWY_INLINE void for_vectors(int64_t count, const Body& body) {
  for (int64_t at = 0; at < count; at += kParts * kLanes<T>)
    HWY_UNROLL(kParts) for (int part = 0; part < kParts; ++part) body(at + part * kLanes<T>, part);
}

template <class T>
struct Accumulators {
  Vector<T> parts[kParts];
  HWY_INLINE explicit Accumulators(T start) {
    HWY_UNROLL(kParts) for (int i = 0; i < kParts; ++i) parts[i] = hn::Set(Tag<T>(), start);
  }
  HWY_INLINE Vector<T>& operator[](int part) { return parts[part]; }
  HWY_INLINE T sum() const {
    return hn::GetLane(hn::SumOfLanes(Tag<T>(), hn::Add(hn::Add(parts[0], parts[1]), hn::Add(parts[2], parts[3]))));
  }
  HWY_INLINE T largest() const {
    return hn::GetLane(hn::MaxOfLanes(Tag<T>(), hn::Max(hn::Max(parts[0], parts[1]), hn::Max(parts[2], parts[3]))));
  }
};

// The largest score that is no NaN.
template <class T>
HWY_INLINE T largest_of(const T* x, int64_t count) {
  const Tag<T> d;
  Accumulators<T> largest(static_cast<T>(-INFINITY));
  for_vectors<T>(count,
                 [&](int64_t at, int part) HWY_ATTR { largest[part] = hn::Max(hn::LoadU(d, x + at), largest[part]); });
  return largest.largest();
}

// The numbers of x that are not below the bound, in order; NaN is among them. `to` has room for a vector more than
// there are.
template <class T>
HWY_INLINE int64_t take_from(const T* x, int64_t count, T bound, T* to) {
  const Tag<T> d;
  const auto limit = hn::Set(d, bound);
  int64_t taken = 0;
  for_vectors<T>(count, [&](int64_t at, int) HWY_ATTR {
    const auto v = hn::LoadU(d, x + at);
    const auto wanted = hn::Not(hn::Lt(v, limit));
    if (hn::AllFalse(d, wanted)) return;
    hn::StoreU(hn::Compress(v, wanted), d, to + taken);
    taken += static_cast<int64_t>(hn::CountTrue(d, wanted));
  });
  return taken;
}

// A row has no proper weights where its threshold is +∞, since it looks nowhere (0), or NaN, since among its scores is
// NaN or ∞ (NaN where it looks).
HWY_INLINE bool proper(const RowStatistics& of) { return std::isfinite(of.threshold); }
template <class T>
HWY_NOINLINE void weigh_improper(const ScoreRow<T>& row, const RowStatistics& of) {
  const bool nowhere = of.threshold == INFINITY;
  for (int64_t j = 0; j < row.count; ++j)
    row.data[j] = nowhere || row.data[j] == -INFINITY ? T{0} : static_cast<T>(NAN);
}

// Scores become such weights, and so do their gradients.
template <class T>
HWY_NOINLINE void backward_improper(const ScoreRow<T>& row, const RowStatistics& of, T* gradient) {
  weigh_improper(row, of);
  std::copy_n(row.data, row.count, gradient);
}

// The scores that may have weights in a search for a threshold: those within `reach` of the largest, as
// (s − largest)·unit, filled up to a whole number of steps with −∞.
template <class T>
struct Candidates {
  T largest = 0;
  T* data = nullptr;
  int64_t count = 0;
  int64_t whole_steps() const { return (count + kPanel - 1) / kPanel * kPanel; }
};
template <class T>
HWY_INLINE Candidates<T> candidates_of(const ScoreRow<T>& row, T reach, T unit) {
  struct Use;
  const Tag<T> d;
  Candidates<T> found{largest_of(row.data, row.count), kernels::scratch<Use, T>(row.count + 2 * kPanel), 0};
  const T lowest = std::numeric_limits<T>::lowest();
  found.count = take_from(row.data, row.count, std::max(found.largest - reach, lowest), found.data);
  for (int64_t i = 0; i < kPanel; i += kLanes<T>)
    hn::StoreU(hn::Set(d, static_cast<T>(-INFINITY)), d, found.data + found.count + i);
  const auto largest = hn::Set(d, found.largest), factor = hn::Set(d, unit);
  for (int64_t i = 0; i < found.count; i += kLanes<T>)
    hn::StoreU(hn::Mul(hn::Sub(hn::LoadU(d, found.data + i), largest), factor), d, found.data + i);
  return found;
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::attention
HWY_AFTER_NAMESPACE();

#endif  // HEED_ATTENTION_NORMALIZERS_ROW_INL_H_
