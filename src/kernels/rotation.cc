#include "kernels/rotation.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/rotation.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
HWY_INLINE void rotate_halves(const T* x, T* y, const T* cosines, const T* sines, int64_t pairs) {
  const hn::ScalableTag<T> d;
  constexpr int64_t kLanes = hn::MaxLanes(d);
  int64_t c = 0;
  for (; c + kLanes <= pairs; c += kLanes) {
    const auto a = hn::LoadU(d, x + c), b = hn::LoadU(d, x + pairs + c);
    const auto cosine = hn::LoadU(d, cosines + c), sine = hn::LoadU(d, sines + c);
    hn::StoreU(hn::NegMulAdd(b, sine, hn::Mul(a, cosine)), d, y + c);
    hn::StoreU(hn::MulAdd(a, sine, hn::Mul(b, cosine)), d, y + pairs + c);
  }
  for (; c < pairs; ++c) {
    y[c] = x[c] * cosines[c] - x[pairs + c] * sines[c];
    y[pairs + c] = x[pairs + c] * cosines[c] + x[c] * sines[c];
  }
}

template <class T>
HWY_INLINE void rotate_neighbours(const T* x, T* y, const T* cosines, const T* sines, int64_t pairs) {
  const hn::ScalableTag<T> d;
  constexpr int64_t kLanes = hn::MaxLanes(d);
  int64_t c = 0;
  for (; c + kLanes <= pairs; c += kLanes) {
    hn::Vec<decltype(d)> a, b;
    hn::LoadInterleaved2(d, x + 2 * c, a, b);
    const auto cosine = hn::LoadU(d, cosines + c), sine = hn::LoadU(d, sines + c);
    hn::StoreInterleaved2(hn::NegMulAdd(b, sine, hn::Mul(a, cosine)), hn::MulAdd(a, sine, hn::Mul(b, cosine)), d,
                          y + 2 * c);
  }
  for (; c < pairs; ++c) {
    y[2 * c] = x[2 * c] * cosines[c] - x[2 * c + 1] * sines[c];
    y[2 * c + 1] = x[2 * c + 1] * cosines[c] + x[2 * c] * sines[c];
  }
}

template <class T>
HWY_INLINE void rotate_rows(int64_t rows, int64_t width, const T* x, int64_t x_stride, T* y, const Angles<T>& angles,
                            Pairs pairs) {
  const int64_t turned = 2 * angles.pairs;
  for (int64_t i = 0; i < rows; ++i, x += x_stride, y += width) {
    const T *cosines = angles.cosines + i * angles.pairs, *sines = angles.sines + i * angles.pairs;
    if (pairs == Pairs::halves)
      rotate_halves(x, y, cosines, sines, angles.pairs);
    else
      rotate_neighbours(x, y, cosines, sines, angles.pairs);
    std::copy_n(x + turned, width - turned, y + turned);
  }
}
void rotate_f32(int64_t rows, int64_t width, const float* x, int64_t x_stride, float* y, const Angles<float>& angles,
                Pairs pairs) {
  rotate_rows(rows, width, x, x_stride, y, angles, pairs);
}
void rotate_f64(int64_t rows, int64_t width, const double* x, int64_t x_stride, double* y, const Angles<double>& angles,
                Pairs pairs) {
  rotate_rows(rows, width, x, x_stride, y, angles, pairs);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {

HWY_EXPORT(rotate_f32);
HWY_EXPORT(rotate_f64);

void rotate(int64_t rows, int64_t width, const float* x, int64_t x_stride, float* y, const Angles<float>& angles,
            Pairs pairs) {
  HWY_DYNAMIC_DISPATCH(rotate_f32)(rows, width, x, x_stride, y, angles, pairs);
}
void rotate(int64_t rows, int64_t width, const double* x, int64_t x_stride, double* y, const Angles<double>& angles,
            Pairs pairs) {
  HWY_DYNAMIC_DISPATCH(rotate_f64)(rows, width, x, x_stride, y, angles, pairs);
}

}  // namespace heed::kernels
#endif
