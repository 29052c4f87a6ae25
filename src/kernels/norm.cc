#include "kernels/norm.h"

#include <algorithm>
#include <cmath>

#include "base/threads.h"
#include "kernels/scratch.h"
#include "kernels/streaming.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/norm.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// After Highway's own.
#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {

struct NormSum;

// s = x + residual into `sum` and into a buffer that stays in the first cache; the next row is fetched meanwhile.
HWY_INLINE const float* add_residual(const RowNorm<float>& of, int64_t row, bool stream, float* buffer) {
  const int64_t n = of.width;
  const float *x = of.x + row * n, *residual = of.residual + row * n;
  for_lanes(n, [&](int64_t i, auto lanes)
                   HWY_ATTR { lanes.store(hn::Add(lanes.load(x + i), lanes.load(residual + i)), buffer + i); });
  write_row(stream, of.sum + row * n, n, [&](int64_t i, auto lanes) HWY_ATTR { return lanes.load(buffer + i); });
  return buffer;
}

HWY_INLINE float row_sum(const float* x, int64_t n) {
  RowSum sum;
  for_lanes_by_four(n, [&](int64_t i, auto part, auto lanes)
                           HWY_ATTR { sum.part[part] = hn::Add(sum.part[part], lanes.load(x + i)); });
  return sum.total();
}

// sum (x - mean)^2
HWY_INLINE float squares(const float* x, int64_t n, float mean_value) {
  const FloatVector mean = hn::Set(kFloats, mean_value);
  RowSum sum;
  for_lanes_by_four(n, [&](int64_t i, auto part, auto lanes) HWY_ATTR {
    const FloatVector d = lanes.or_zero(hn::Sub(lanes.load(x + i), mean));
    sum.part[part] = hn::MulAdd(d, d, sum.part[part]);
  });
  return sum.total();
}

void norm_rows(RowNormKind kind, const RowNorm<float>& of, int64_t begin, int64_t end, bool stream) {
  const int64_t n = of.width;
  const LookAhead look_ahead(n);
  float* buffer = of.residual ? scratch<NormSum, float>(n) : nullptr;
  for (int64_t row = begin; row < end; ++row) {
    const float* x = of.residual ? add_residual(of, row, stream, buffer) : of.x + row * n;
    const float *from = of.x + row * n, *residual = of.residual ? of.residual + row * n : nullptr;
    const float mean = kind == RowNormKind::layer ? row_sum(x, n) / static_cast<float>(n) : 0;
    const double variance = static_cast<double>(squares(x, n, mean)) / static_cast<double>(n);
    const auto rstd = static_cast<float>(1 / std::sqrt(variance + of.epsilon));
    if (kind == RowNormKind::layer) of.mean[row] = mean;
    of.rstd[row] = rstd;
    const FloatVector m = hn::Set(kFloats, mean), r = hn::Set(kFloats, rstd);
    write_row(stream, of.out + row * n, n, [&](int64_t i, auto lanes) HWY_ATTR {
      look_ahead(from + i);
      if (residual) look_ahead(residual + i);
      FloatVector h = hn::Mul(hn::Sub(lanes.load(x + i), m), r);
      if (of.weight) h = hn::Mul(h, lanes.load(of.weight + i));
      if (of.bias) h = hn::Add(h, lanes.load(of.bias + i));
      return h;
    });
  }
  if (stream) hwy::FlushStream();
}

// The sums over a row of g and g h; what the row adds to dw and db on the way.
struct GradientSums {
  float g, gh;
};

HWY_INLINE GradientSums gradient_sums(const RowNormBackward<float>& of, int64_t row, float mean_value, float* dw,
                                      float* db) {
  const int64_t n = of.width;
  const float *x = of.x + row * n, *dy = of.out_gradient + row * n, *weight = of.weight;
  const FloatVector mean = hn::Set(kFloats, mean_value), rstd = hn::Set(kFloats, of.rstd[row]);
  RowSum sum_g, sum_gh;
  for_lanes_by_four(n, [&](int64_t i, auto part, auto lanes) HWY_ATTR {
    const FloatVector d = lanes.load(dy + i), h = hn::Mul(hn::Sub(lanes.load(x + i), mean), rstd);
    if (dw) lanes.store(hn::MulAdd(d, h, lanes.load(dw + i)), dw + i);
    if (db) lanes.store(hn::Add(d, lanes.load(db + i)), db + i);
    const FloatVector g = weight ? hn::Mul(d, lanes.load(weight + i)) : d;
    sum_g.part[part] = hn::Add(sum_g.part[part], g);
    sum_gh.part[part] = hn::MulAdd(g, h, sum_gh.part[part]);
  });
  return {sum_g.total(), sum_gh.total()};
}

// dw and db: this block's sums, zeroed by the caller, or none.
void norm_backward_rows(RowNormKind kind, const RowNormBackward<float>& of, int64_t begin, int64_t end, bool stream,
                        float* dw, float* db) {
  const int64_t n = of.width;
  const LookAhead look_ahead(n);
  for (int64_t row = begin; row < end; ++row) {
    const float *x = of.x + row * n, *dy = of.out_gradient + row * n;
    const float* ds = of.sum_gradient ? of.sum_gradient + row * n : nullptr;
    const float mean = kind == RowNormKind::layer ? of.mean[row] : 0;
    const GradientSums sums = gradient_sums(of, row, mean, dw, db);
    const auto width = static_cast<float>(n);
    const FloatVector m = hn::Set(kFloats, mean), rstd = hn::Set(kFloats, of.rstd[row]);
    const FloatVector mean_g = hn::Set(kFloats, kind == RowNormKind::layer ? sums.g / width : 0);
    const FloatVector mean_gh = hn::Set(kFloats, sums.gh / width);
    write_row(stream, of.x_gradient + row * n, n, [&](int64_t i, auto lanes) HWY_ATTR {
      look_ahead(x + i);
      look_ahead(dy + i);
      const FloatVector h = hn::Mul(hn::Sub(lanes.load(x + i), m), rstd), d = lanes.load(dy + i);
      const FloatVector g = of.weight ? hn::Mul(d, lanes.load(of.weight + i)) : d;
      const FloatVector rest = hn::NegMulAdd(h, mean_gh, hn::Sub(g, mean_g));
      if (ds == nullptr) return hn::Mul(rest, rstd);
      look_ahead(ds + i);
      return hn::MulAdd(rest, rstd, lanes.load(ds + i));
    });
  }
  if (stream) hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
HWY_EXPORT(norm_rows);
HWY_EXPORT(norm_backward_rows);

namespace {

void rows_of(RowNormKind kind, const RowNorm<float>& of, int64_t begin, int64_t end) {
  const bool in_place = of.out == of.x || (of.residual && (of.sum == of.x || of.sum == of.residual));
  HWY_DYNAMIC_DISPATCH(norm_rows)(kind, of, begin, end, streams(of.out, of.rows * of.width, in_place));
}

void rows_of(RowNormKind kind, const RowNorm<double>& of, int64_t begin, int64_t end) {
  const int64_t n = of.width;
  for (int64_t row = begin; row < end; ++row) {
    const double* x = of.x + row * n;
    if (of.residual) {
      for (int64_t i = 0; i < n; ++i) of.sum[row * n + i] = x[i] + of.residual[row * n + i];
      x = of.sum + row * n;
    }
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < n && kind == RowNormKind::layer; ++i) mean += x[i] / static_cast<double>(n);
    for (int64_t i = 0; i < n; ++i) variance += (x[i] - mean) * (x[i] - mean) / static_cast<double>(n);
    const double rstd = of.rstd[row] = 1 / std::sqrt(variance + of.epsilon);
    if (kind == RowNormKind::layer) of.mean[row] = mean;
    for (int64_t i = 0; i < n; ++i) {
      const double h = (x[i] - mean) * rstd;
      of.out[row * n + i] = h * (of.weight ? of.weight[i] : 1) + (of.bias ? of.bias[i] : 0);
    }
  }
}

void backward_rows_of(RowNormKind kind, const RowNormBackward<float>& of, int64_t begin, int64_t end, float* dw,
                      float* db) {
  const bool in_place = of.x_gradient == of.out_gradient || of.x_gradient == of.sum_gradient;
  HWY_DYNAMIC_DISPATCH(norm_backward_rows)
  (kind, of, begin, end, streams(of.x_gradient, of.rows * of.width, in_place), dw, db);
}

void backward_rows_of(RowNormKind kind, const RowNormBackward<double>& of, int64_t begin, int64_t end, double* dw,
                      double* db) {
  const int64_t n = of.width;
  for (int64_t row = begin; row < end; ++row) {
    const double *x = of.x + row * n, *dy = of.out_gradient + row * n;
    const double mean = kind == RowNormKind::layer ? of.mean[row] : 0, rstd = of.rstd[row];
    double mean_g = 0, mean_gh = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double h = (x[i] - mean) * rstd, g = dy[i] * (of.weight ? of.weight[i] : 1);
      if (dw) dw[i] += dy[i] * h;
      if (db) db[i] += dy[i];
      mean_g += kind == RowNormKind::layer ? g / static_cast<double>(n) : 0;
      mean_gh += g * h / static_cast<double>(n);
    }
    for (int64_t i = 0; i < n; ++i) {
      const double h = (x[i] - mean) * rstd, g = dy[i] * (of.weight ? of.weight[i] : 1);
      of.x_gradient[row * n + i] =
          rstd * (g - mean_g - h * mean_gh) + (of.sum_gradient ? of.sum_gradient[row * n + i] : 0);
    }
  }
}

int64_t grain(int64_t width) { return std::max<int64_t>(1, 8192 / width); }

template <class T>
void norm(RowNormKind kind, const RowNorm<T>& of) {
  if (of.width == 0) return;
  parallel(of.rows, grain(of.width), [&](int64_t begin, int64_t end) { rows_of(kind, of, begin, end); });
}

struct WeightSums;

// sums[i] of each block, added up in the order of the blocks.
template <class T>
void add_blocks(const T* sums, int64_t blocks, int64_t stride, int64_t width, T* out) {
  parallel(width, 4096, [&](int64_t begin, int64_t end) {
    std::copy(sums + begin, sums + end, out + begin);
    for (int64_t b = 1; b < blocks; ++b)
      for (int64_t i = begin; i < end; ++i) out[i] += sums[b * stride + i];
  });
}

template <class T>
void norm_backward(RowNormKind kind, const RowNormBackward<T>& of) {
  const int64_t n = of.width;
  if (n == 0) return;
  const int64_t blocks = std::clamp<int64_t>(of.rows / 16, 1, 32);
  const bool wants_sums = of.weight_gradient || of.bias_gradient;
  T* sums = wants_sums ? scratch<WeightSums, T>(blocks * 2 * n) : nullptr;
  parallel(blocks, (grain(n) * blocks + of.rows) / (of.rows + 1), [&](int64_t first, int64_t last) {
    for (int64_t b = first; b < last; ++b) {
      T* dw = of.weight_gradient ? sums + 2 * b * n : nullptr;
      T* db = of.bias_gradient ? sums + (2 * b + 1) * n : nullptr;
      if (dw) std::fill_n(dw, n, T{0});
      if (db) std::fill_n(db, n, T{0});
      backward_rows_of(kind, of, of.rows * b / blocks, of.rows * (b + 1) / blocks, dw, db);
    }
  });
  if (of.weight_gradient) add_blocks(sums, blocks, 2 * n, n, of.weight_gradient);
  if (of.bias_gradient) add_blocks(sums + n, blocks, 2 * n, n, of.bias_gradient);
}

}  // namespace

void row_norm(RowNormKind kind, const RowNorm<float>& of) { norm(kind, of); }
void row_norm(RowNormKind kind, const RowNorm<double>& of) { norm(kind, of); }
void row_norm_backward(RowNormKind kind, const RowNormBackward<float>& of) { norm_backward(kind, of); }
void row_norm_backward(RowNormKind kind, const RowNormBackward<double>& of) { norm_backward(kind, of); }

}  // namespace heed::kernels
#endif
