// Loops over a row by vectors, with a rest that touches nothing beyond the row, and stores past the caches.
#if defined(HEED_KERNELS_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_LANES_INL_H_
#undef HEED_KERNELS_LANES_INL_H_
#else
#define HEED_KERNELS_LANES_INL_H_
#endif

#include <cstdint>
#include <type_traits>

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

// The two shapes that a loop's body is compiled for: all lanes of a vector of floats, or the first of them.
struct WholeLanes {
  static HWY_INLINE FloatVector load(const float* p) { return hn::LoadU(kFloats, p); }
  static HWY_INLINE void store(FloatVector v, float* p) { hn::StoreU(v, kFloats, p); }
  static HWY_INLINE FloatVector or_zero(FloatVector v) { return v; }
  static HWY_INLINE FloatVector or_else(FloatVector v, FloatVector) { return v; }
};
struct FirstLanes {
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
  for (; i + kFloatLanes <= n; i += kFloatLanes) body(i, WholeLanes{});
  if (i < n) body(i, FirstLanes{hn::FirstN(kFloats, static_cast<size_t>(n - i))});
}

// The same for sums: body(i, part, lanes), `part` from 0 to 3 in turn (a constant), so that four accumulators hide the
// latency of an addition.
template <int kPart>
using Part = std::integral_constant<int, kPart>;

template <class Body>
HWY_INLINE void for_lanes_by_four(int64_t n, const Body& body) {
  int64_t i = 0;
  for (; i + 4 * kFloatLanes <= n; i += 4 * kFloatLanes) {
    body(i, Part<0>{}, WholeLanes{});
    body(i + kFloatLanes, Part<1>{}, WholeLanes{});
    body(i + 2 * kFloatLanes, Part<2>{}, WholeLanes{});
    body(i + 3 * kFloatLanes, Part<3>{}, WholeLanes{});
  }
  for (; i + kFloatLanes <= n; i += kFloatLanes) body(i, Part<0>{}, WholeLanes{});
  if (i < n) body(i, Part<1>{}, FirstLanes{hn::FirstN(kFloats, static_cast<size_t>(n - i))});
}

// Four partial sums of one row.
struct RowSum {
  FloatVector part[4];
  HWY_INLINE RowSum() { part[0] = part[1] = part[2] = part[3] = hn::Zero(kFloats); }
  HWY_INLINE float total() const {
    const FloatVector sum = hn::Add(hn::Add(part[0], part[1]), hn::Add(part[2], part[3]));
    return hn::GetLane(hn::SumOfLanes(kFloats, sum));
  }
};

// Asks for what a later row will read while this one is worked on in the first cache: between two rows the processor's
// own prefetching would pause. Short rows look several rows ahead, or memory would answer too late.
constexpr int64_t kLookAhead = 2048;

struct LookAhead {
  int64_t distance;
  explicit LookAhead(int64_t n) : distance((kLookAhead + n - 1) / n * n) {}
  HWY_INLINE void operator()(const float* p) const { hwy::Prefetch(p + distance); }
};

// Writes value(i, lanes) to out[i...] for all of a row, past the caches: without first reading the lines that are about
// to be overwritten, and without driving out what is there. A fence must follow before another thread reads.
template <class Value>
HWY_INLINE void stream_row(float* out, int64_t n, const Value& value) {
  const auto offset = static_cast<int64_t>(reinterpret_cast<uintptr_t>(out) / sizeof(float) % kFloatLanes);
  int64_t i = offset == 0 ? 0 : HWY_MIN(n, kFloatLanes - offset);
  if (i > 0) {
    const FirstLanes head{hn::FirstN(kFloats, static_cast<size_t>(i))};
    head.store(value(int64_t{0}, head), out);
  }
  for (; i + kFloatLanes <= n; i += kFloatLanes) hn::Stream(value(i, WholeLanes{}), kFloats, out + i);
  if (i < n) {
    const FirstLanes rest{hn::FirstN(kFloats, static_cast<size_t>(n - i))};
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
