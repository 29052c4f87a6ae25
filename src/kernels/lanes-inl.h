// Loops over a row by vectors, with a rest that touches nothing beyond the row, and stores past the caches.
#if defined(HEED_KERNELS_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_LANES_INL_H_
#undef HEED_KERNELS_LANES_INL_H_
#else
#define HEED_KERNELS_LANES_INL_H_
#endif

#include <cstdint>

#include "hwy/cache_control.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using FloatTag = hn::ScalableTag<float>;
using FloatVector = hn::Vec<FloatTag>;
constexpr FloatTag kFloats;
constexpr int64_t kFloatLanes = HWY_LANES(float);

// The two shapes that a loop's body is compiled for: a whole vector, or the first lanes of one.
struct WholeVector {
  static HWY_INLINE FloatVector load(const float* p) { return hn::LoadU(kFloats, p); }
  static HWY_INLINE void store(FloatVector v, float* p) { hn::StoreU(v, kFloats, p); }
  static HWY_INLINE FloatVector or_zero(FloatVector v) { return v; }
  static HWY_INLINE FloatVector or_else(FloatVector v, FloatVector) { return v; }
};
struct PartOfVector {
  hn::Mask<FloatTag> mask;
  HWY_INLINE FloatVector load(const float* p) const { return hn::MaskedLoad(mask, kFloats, p); }
  HWY_INLINE void store(FloatVector v, float* p) const { hn::BlendedStore(v, mask, kFloats, p); }
  HWY_INLINE FloatVector or_zero(FloatVector v) const { return hn::IfThenElseZero(mask, v); }
  HWY_INLINE FloatVector or_else(FloatVector v, FloatVector other) const { return hn::IfThenElse(mask, v, other); }
};

// body(i, lanes) for i = 0, lanes, 2 lanes, ... < n; `lanes` loads and stores what is inside the row.
template <class Body>
HWY_INLINE void for_lanes(int64_t n, const Body& body) {
  int64_t i = 0;
  for (; i + kFloatLanes <= n; i += kFloatLanes) body(i, WholeVector{});
  if (i < n) body(i, PartOfVector{hn::FirstN(kFloats, static_cast<size_t>(n - i))});
}

// Writes value(i, lanes) to out[i...] for all of a row, past the caches: without first reading the lines that are about
// to be overwritten, and without driving out what is there. A fence must follow before another thread reads.
template <class Value>
HWY_INLINE void stream_row(float* out, int64_t n, const Value& value) {
  const auto offset = static_cast<int64_t>(reinterpret_cast<uintptr_t>(out) / sizeof(float) % kFloatLanes);
  int64_t i = offset == 0 ? 0 : HWY_MIN(n, kFloatLanes - offset);
  if (i > 0) {
    const PartOfVector head{hn::FirstN(kFloats, static_cast<size_t>(i))};
    head.store(value(int64_t{0}, head), out);
  }
  for (; i + kFloatLanes <= n; i += kFloatLanes) hn::Stream(value(i, WholeVector{}), kFloats, out + i);
  if (i < n) {
    const PartOfVector rest{hn::FirstN(kFloats, static_cast<size_t>(n - i))};
    rest.store(value(i, rest), out + i);
  }
}

template <class Value>
HWY_INLINE void write_row(bool stream, float* out, int64_t n, const Value& value) {
  if (stream) return stream_row(out, n, value);
  for_lanes(n, [&](int64_t i, auto lanes) HWY_ATTR { lanes.store(value(i, lanes), out + i); });
}

HWY_INLINE float sum_of_lanes(FloatVector v) { return hn::GetLane(hn::SumOfLanes(kFloats, v)); }
HWY_INLINE float max_of_lanes(FloatVector v) { return hn::GetLane(hn::MaxOfLanes(kFloats, v)); }

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#endif  // HEED_KERNELS_LANES_INL_H_
