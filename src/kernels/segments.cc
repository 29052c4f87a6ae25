#include "kernels/segments.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/segments.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After Highway's own.
#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

float sum_of(const float* x, int64_t n) {
  RowSum sum;
  for_lanes_by_four(n, [&](int64_t i, auto part, auto lanes)
                           HWY_ATTR { sum.part[part] = hn::Add(sum.part[part], lanes.load(x + i)); });
  return sum.total();
}

float squares_of(const float* x, int64_t n, float mean_value) {
  const FloatVector mean = hn::Set(kFloats, mean_value);
  RowSum sum;
  for_lanes_by_four(n, [&](int64_t i, auto part, auto lanes) HWY_ATTR {
    const FloatVector d = lanes.or_zero(hn::Sub(lanes.load(x + i), mean));
    sum.part[part] = hn::MulAdd(d, d, sum.part[part]);
  });
  return sum.total();
}

double sum_of_squares(const float* x, int64_t n) {
  const hn::ScalableTag<double> doubles;
  const hn::Rebind<float, hn::ScalableTag<double>> floats;
  constexpr int64_t kLanes = HWY_LANES(double), kStep = 8 * kLanes;
  hn::Vec<hn::ScalableTag<double>> sums[8];
  for (auto& sum : sums) sum = hn::Zero(doubles);
  int64_t i = 0;
  for (; i + kStep <= n; i += kStep)
    for (int64_t k = 0; k < 8; ++k) {
      const auto value = hn::PromoteTo(doubles, hn::LoadU(floats, x + i + k * kLanes));
      sums[k] = hn::MulAdd(value, value, sums[k]);
    }
  for (int64_t k = 1; k < 8; ++k) sums[0] = hn::Add(sums[0], sums[k]);
  double total = hn::GetLane(hn::SumOfLanes(doubles, sums[0]));
  for (; i < n; ++i) total += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return total;
}

SegmentSums<float> gradient_sums_of(const float* x, const float* dy, int64_t n, float mean_value) {
  const FloatVector mean = hn::Set(kFloats, mean_value);
  RowSum sum, sum_x;
  for_lanes_by_four(n, [&](int64_t i, auto part, auto lanes) HWY_ATTR {
    const FloatVector d = lanes.load(dy + i);
    sum.part[part] = hn::Add(sum.part[part], d);
    sum_x.part[part] = hn::MulAdd(d, hn::Sub(lanes.load(x + i), mean), sum_x.part[part]);
  });
  return {sum.total(), sum_x.total()};
}

void scale_of(const float* x, float* out, int64_t n, float mean_value, float scale_value, float shift_value,
              bool stream) {
  const FloatVector mean = hn::Set(kFloats, mean_value), scale = hn::Set(kFloats, scale_value),
                    shift = hn::Set(kFloats, shift_value);
  write_row(stream, out, n,
            [&](int64_t i, auto lanes) HWY_ATTR { return hn::MulAdd(hn::Sub(lanes.load(x + i), mean), scale, shift); });
}

void gradient_of(const float* x, const float* dy, float* dx, int64_t n, SegmentGradient<float> of, bool stream) {
  const FloatVector mean = hn::Set(kFloats, of.mean), from_dy = hn::Set(kFloats, of.from_dy),
                    from_x = hn::Set(kFloats, of.from_x), constant = hn::Set(kFloats, of.constant);
  write_row(stream, dx, n, [&](int64_t i, auto lanes) HWY_ATTR {
    const FloatVector by_x = hn::MulAdd(hn::Sub(lanes.load(x + i), mean), from_x, constant);
    return hn::MulAdd(lanes.load(dy + i), from_dy, by_x);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
HWY_EXPORT(sum_of);
HWY_EXPORT(squares_of);
HWY_EXPORT(sum_of_squares);
HWY_EXPORT(gradient_sums_of);
HWY_EXPORT(scale_of);
HWY_EXPORT(gradient_of);

float segment_sum(const float* x, int64_t n) { return n == 1 ? x[0] : HWY_DYNAMIC_DISPATCH(sum_of)(x, n); }
float segment_squares(const float* x, int64_t n, float mean) { return HWY_DYNAMIC_DISPATCH(squares_of)(x, n, mean); }
double segment_sum_of_squares(const float* x, int64_t n) { return HWY_DYNAMIC_DISPATCH(sum_of_squares)(x, n); }
SegmentSums<float> segment_gradient_sums(const float* x, const float* dy, int64_t n, float mean) {
  return HWY_DYNAMIC_DISPATCH(gradient_sums_of)(x, dy, n, mean);
}
void segment_scale(const float* x, float* out, int64_t n, float mean, float scale, float shift, bool stream) {
  HWY_DYNAMIC_DISPATCH(scale_of)(x, out, n, mean, scale, shift, stream);
}
void segment_gradient(const float* x, const float* dy, float* dx, int64_t n, SegmentGradient<float> of, bool stream) {
  HWY_DYNAMIC_DISPATCH(gradient_of)(x, dy, dx, n, of, stream);
}

double segment_sum(const double* x, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += x[i];
  return sum;
}

double segment_squares(const double* x, int64_t n, double mean) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += (x[i] - mean) * (x[i] - mean);
  return sum;
}

double segment_sum_of_squares(const double* x, int64_t n) { return segment_squares(x, n, 0); }

SegmentSums<double> segment_gradient_sums(const double* x, const double* dy, int64_t n, double mean) {
  SegmentSums<double> sums;
  for (int64_t i = 0; i < n; ++i) {
    sums.dy += dy[i];
    sums.dy_x += dy[i] * (x[i] - mean);
  }
  return sums;
}

void segment_scale(const double* x, double* out, int64_t n, double mean, double scale, double shift, bool) {
  for (int64_t i = 0; i < n; ++i) out[i] = (x[i] - mean) * scale + shift;
}

void segment_gradient(const double* x, const double* dy, double* dx, int64_t n, SegmentGradient<double> of, bool) {
  for (int64_t i = 0; i < n; ++i) dx[i] = dy[i] * of.from_dy + (x[i] - of.mean) * of.from_x + of.constant;
}

void finish_streaming(bool streamed) {
  if (streamed) hwy::FlushStream();
}

}  // namespace heed::kernels
#endif
