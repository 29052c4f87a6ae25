// What softmax and cross-entropy share: a row's maximum.
#if defined(HEED_KERNELS_SOFTMAX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_SOFTMAX_INL_H_
#undef HEED_KERNELS_SOFTMAX_INL_H_
#else
#define HEED_KERNELS_SOFTMAX_INL_H_
#endif

#include <cmath>

#include "kernels/exponential-inl.h"
#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

HWY_INLINE float row_max(const float* x, int64_t n) {
  const FloatVector lowest = hn::Set(kFloats, -INFINITY);
  FloatVector m[4] = {lowest, lowest, lowest, lowest};
  for_lanes_by_four(n, [&](int64_t i, auto part, auto lanes)
                           HWY_ATTR { m[part] = hn::Max(m[part], lanes.or_else(lanes.load(x + i), lowest)); });
  return max_of_lanes(hn::Max(hn::Max(m[0], m[1]), hn::Max(m[2], m[3])));
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#endif  // HEED_KERNELS_SOFTMAX_INL_H_
