// What softmax, cross-entropy and decoding share: a row's maximum and its log-sum-exp.
#if defined(HEED_KERNELS_SOFTMAX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_SOFTMAX_INL_H_
#undef HEED_KERNELS_SOFTMAX_INL_H_
#else
#define HEED_KERNELS_SOFTMAX_INL_H_
#endif

#include <algorithm>
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

// Log-sum-exp by pieces that fit into the first cache, (maximum, sum) carried along.
HWY_INLINE float log_sum_exp_row(const float* x, int64_t n) {
  constexpr int64_t kPiece = 4096;
  const LookAhead look_ahead(std::min(n, kPiece));
  float maximum = -INFINITY;
  double sum = 0;
  for (int64_t begin = 0; begin < n; begin += kPiece) {
    const int64_t count = std::min(kPiece, n - begin);
    const float raised = std::max(maximum, row_max(x + begin, count));
    if (raised == -INFINITY) continue;
    const FloatVector m = hn::Set(kFloats, raised);
    RowSum piece;
    for_lanes_by_four(count, [&](int64_t i, auto part, auto lanes) HWY_ATTR {
      look_ahead(x + begin + i);
      const FloatVector e = exp_at_most_88(kFloats, hn::Sub(lanes.load(x + begin + i), m));
      piece.part[part] = hn::Add(piece.part[part], lanes.or_zero(e));
    });
    sum = sum * std::exp(static_cast<double>(maximum - raised)) + piece.total();
    maximum = raised;
  }
  return maximum == -INFINITY ? maximum : static_cast<float>(maximum + std::log(sum));
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#endif  // HEED_KERNELS_SOFTMAX_INL_H_
