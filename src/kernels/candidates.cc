#include "kernels/candidates.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "kernels/scratch.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/candidates.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After Highway's own.
#include "kernels/softmax-inl.h"

#ifndef HEED_KERNELS_CANDIDATES_ONCE
#define HEED_KERNELS_CANDIDATES_ONCE
namespace heed::kernels {

struct CandidateValues;
struct CandidatePlaces;
struct CandidateOrder;

// The best of a row so far, at least k of them, at most `capacity`; then the best k are kept and the others forgotten.
class Candidates {
 public:
  static constexpr int64_t kRoom = 256;  // between two times of ordering
  static constexpr int64_t kLanes = 16;  // that a vector's store may touch

  explicit Candidates(int64_t k)
      : k_(k),
        values_(scratch<CandidateValues, float>(k + kRoom + kLanes)),
        places_(scratch<CandidatePlaces, int32_t>(k + kRoom + kLanes)),
        order_(scratch<CandidateOrder, Candidate>(k + kRoom)) {}

  float threshold() const { return threshold_; }
  float* next_value() { return values_ + size_; }
  int32_t* next_place() { return places_ + size_; }
  void add(size_t count) {
    size_ += static_cast<int64_t>(count);
    if (size_ > k_ + kRoom - kLanes) keep_best();
  }
  int64_t finish(float* values, int32_t* places) {
    load();
    const int64_t count = std::min(k_, size_);
    std::partial_sort(order_, order_ + count, order_ + size_, before);
    for (int64_t i = 0; i < count; ++i) values[i] = order_[i].first, places[i] = order_[i].second;
    return count;
  }

 private:
  using Candidate = std::pair<float, int32_t>;
  static bool before(const Candidate& a, const Candidate& b) {
    return a.first > b.first || (a.first == b.first && a.second < b.second);
  }
  void load() {
    for (int64_t i = 0; i < size_; ++i) order_[i] = {values_[i], places_[i]};
  }
  void keep_best() {
    load();
    std::nth_element(order_, order_ + k_ - 1, order_ + size_, before);
    size_ = k_;
    for (int64_t i = 0; i < k_; ++i) values_[i] = order_[i].first, places_[i] = order_[i].second;
    threshold_ = order_[k_ - 1].first;
  }

  int64_t k_, size_ = 0;
  float threshold_ = -INFINITY;  // what comes later must be more
  float* values_;
  int32_t* places_;
  Candidate* order_;
};

}  // namespace heed::kernels
#endif

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

float log_sum_exp_of_row(const float* x, int64_t n) { return log_sum_exp_row(x, n); }

int64_t largest_of_row(const float* x, int64_t n, int64_t k, float* values, int32_t* places) {
  static_assert(kFloatLanes <= Candidates::kLanes);
  const hn::RebindToSigned<FloatTag> ints;
  Candidates best(std::min(k, n));
  for_lanes(n, [&](int64_t i, auto lanes) HWY_ATTR {
    const FloatVector v = lanes.or_else(lanes.load(x + i), hn::Set(kFloats, -INFINITY));
    const auto passes = hn::Gt(v, hn::Set(kFloats, best.threshold()));
    if (hn::AllFalse(kFloats, passes)) return;
    hn::CompressStore(hn::Iota(ints, static_cast<int32_t>(i)), hn::RebindMask(ints, passes), ints, best.next_place());
    best.add(hn::CompressStore(v, passes, kFloats, best.next_value()));
  });
  return best.finish(values, places);
}

int64_t places_above(const float* x, int64_t n, float least, int32_t* places) {
  const hn::RebindToSigned<FloatTag> ints;
  int64_t count = 0;
  for_lanes(n, [&](int64_t i, auto lanes) HWY_ATTR {
    const FloatVector v = lanes.or_else(lanes.load(x + i), hn::Set(kFloats, NAN));
    const auto passes = hn::RebindMask(ints, hn::Ge(v, hn::Set(kFloats, least)));
    const auto at = hn::Iota(ints, static_cast<int32_t>(i));
    count += static_cast<int64_t>(hn::CompressBlendedStore(at, passes, ints, places + count));
  });
  return count;
}

// What a piece of the row weighs.
HWY_INLINE double mass_of(const float* x, int64_t n, FloatVector log_sum_exp) {
  RowSum sum;
  for_lanes_by_four(n, [&](int64_t i, auto part, auto lanes) HWY_ATTR {
    const FloatVector e = exp_at_most_88(kFloats, hn::Sub(lanes.load(x + i), log_sum_exp));
    sum.part[part] = hn::Add(sum.part[part], lanes.or_zero(e));
  });
  return static_cast<double>(sum.total());
}

// Whole pieces are passed over; within the one where `uniform` runs out each place is looked at.
int64_t draw_from_row(const float* x, int64_t n, float log_sum_exp, double uniform) {
  constexpr int64_t kPiece = 256;
  int64_t begin = 0, last = -1;
  for (; begin < n; begin += kPiece) {
    const double mass = mass_of(x + begin, std::min(kPiece, n - begin), hn::Set(kFloats, log_sum_exp));
    if (mass > 0) last = begin;
    if (uniform < mass) break;
    uniform -= mass;
  }
  if (last < 0) return -1;
  int64_t found = -1;
  for (int64_t i = last; i < std::min(last + kPiece, n); ++i) {
    if (x[i] == -INFINITY) continue;
    found = i;
    uniform -= std::exp(static_cast<double>(x[i]) - static_cast<double>(log_sum_exp));
    if (uniform < 0) break;
  }
  return found;
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
HWY_EXPORT(log_sum_exp_of_row);
HWY_EXPORT(largest_of_row);
HWY_EXPORT(places_above);
HWY_EXPORT(draw_from_row);

float row_log_sum_exp(const float* x, int64_t n) { return HWY_DYNAMIC_DISPATCH(log_sum_exp_of_row)(x, n); }
int64_t row_largest(const float* x, int64_t n, int64_t k, float* values, int32_t* places) {
  return n == 0 ? 0 : HWY_DYNAMIC_DISPATCH(largest_of_row)(x, n, k, values, places);
}
int64_t row_above(const float* x, int64_t n, float least, int32_t* places) {
  return HWY_DYNAMIC_DISPATCH(places_above)(x, n, least, places);
}
int64_t row_draw(const float* x, int64_t n, float log_sum_exp, double uniform) {
  return HWY_DYNAMIC_DISPATCH(draw_from_row)(x, n, log_sum_exp, uniform);
}

}  // namespace heed::kernels
#endif
