// What softmax and cross-entropy share: the exponential of what is not positive, and a row's maximum and sum.
#if defined(HEED_KERNELS_SOFTMAX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_SOFTMAX_INL_H_
#undef HEED_KERNELS_SOFTMAX_INL_H_
#else
#define HEED_KERNELS_SOFTMAX_INL_H_
#endif

#include <cmath>

#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

// exp(x) for x <= 0; 0 below -87, where results turn denormal; NaN stays NaN. x = k log 2 + r, |r| <= log(2) / 2, k
// rounded by adding 1.5 2^23, whose low bits then are k; exp(r) by a polynomial of degree 6 (relative error 2e-9 before
// rounding), 2^k by an addition to the exponent. Half of what Highway's Exp costs, which guards the whole range.
HWY_INLINE FloatVector exp_of_nonpositive(FloatVector x) {
  const hn::RebindToSigned<FloatTag> integers;
  const FloatVector magic = hn::Set(kFloats, 0x1.8p23f);
  const FloatVector shifted = hn::MulAdd(x, hn::Set(kFloats, 1.44269504f), magic);
  const FloatVector k = hn::Sub(shifted, magic);
  const FloatVector r = hn::NegMulAdd(k, hn::Set(kFloats, 0.693147182f), x);  // fused, so that one constant is enough
  FloatVector p = hn::MulAdd(hn::Set(kFloats, 0.00138144526f), r, hn::Set(kFloats, 0.00836878612f));
  p = hn::MulAdd(p, r, hn::Set(kFloats, 0.0416683948f));
  p = hn::MulAdd(p, r, hn::Set(kFloats, 0.1666652006f));
  p = hn::MulAdd(p, r, hn::Set(kFloats, 0.4999999341f));
  p = hn::MulAdd(p, r, hn::Set(kFloats, 1.0f));
  p = hn::MulAdd(p, r, hn::Set(kFloats, 1.0f));
  const auto power = hn::ShiftLeft<23>(hn::BitCast(integers, shifted));
  const FloatVector y = hn::BitCast(kFloats, hn::Add(hn::BitCast(integers, p), power));
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(kFloats, -87.0f)), y);
}

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
